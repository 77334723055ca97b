"""Concrete spreader (布料机): pours the pallet's volume from its hopper."""

from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work


def job(work: Work, operation: str) -> MachineJob:
    return MachineJob(
        {
            "mix_no": work.mix_no,
            "volume_l": -int(-work.volume_m3 * 1000 // 1),
            "thickness_mm": round(work.thickness_mm),
            "pieces": len(work.pieces),
        }
    )


MACHINE = MachineType(
    "concrete_spreader",
    Text(zh="布料机", en="Concrete spreader"),
    ("pour",),
    job,
    (Gauge("hopper", "kg", 0, 9600, Text(zh="料斗余量", en="Hopper content")),),
)
