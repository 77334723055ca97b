"""Batching plant (搅拌站): mixes the concrete of one pallet and hands it to the spreader's hopper."""

from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work


def job(work: Work, operation: str) -> MachineJob:
    """Volume is rounded up to whole litres; the mix is its number in plant.yaml, from 1."""
    return MachineJob(
        {"mix_no": work.mix_no, "volume_l": -int(-work.volume_m3 * 1000 // 1), "slump_mm": int(work.mix.slump_mm)}
    )


MACHINE = MachineType(
    "batching_plant",
    Text(zh="搅拌站", en="Batching plant"),
    ("batch",),
    job,
    (
        Gauge("concrete-temperature", "Cel", 5, 32, Text(zh="混凝土温度", en="Concrete temperature")),
        Gauge("sand-moisture", "%", 1, 9, Text(zh="砂含水率", en="Sand moisture")),
    ),
)
