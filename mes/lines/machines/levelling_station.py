"""Levelling station (刮平): screeds the surface to the height of the side forms."""

from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work


def job(work: Work, operation: str) -> MachineJob:
    return MachineJob({"thickness_mm": round(work.thickness_mm), "passes": 1 if work.finish == "rake" else 2})


MACHINE = MachineType(
    "levelling_station",
    Text(zh="刮平机", en="Levelling station"),
    ("level",),
    job,
    (Gauge("beam-height", "mm", 0, 700, Text(zh="刮板高度", en="Beam height")),),
)
