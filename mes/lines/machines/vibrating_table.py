"""Vibrating table (振动台): compacts the fresh concrete; thicker pieces are shaken longer."""

from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work


def job(work: Work, operation: str) -> MachineJob:
    """Program 1 is for pieces up to 100 mm, program 2 for thicker ones; 30 s and 0.15 s more for each mm."""
    program = 1 if work.thickness_mm <= 100 else 2
    return MachineJob(
        {
            "program": program,
            "frequency_hz": 50 if program == 1 else 60,
            "duration_s": 30 + round(0.15 * work.thickness_mm),
        }
    )


MACHINE = MachineType(
    "vibrating_table",
    Text(zh="振动台", en="Vibrating table"),
    ("vibrate",),
    job,
    (Gauge("frequency", "Hz", 0, 80, Text(zh="振动频率", en="Frequency")),),
)
