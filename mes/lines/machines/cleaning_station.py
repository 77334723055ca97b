"""Cleaning station (清扫): scrapes and brushes the bare pallet."""

from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work


def job(work: Work, operation: str) -> MachineJob:
    return MachineJob({"pallet_length_mm": int(work.fleet.length_mm), "brush_speed_rpm": 180})


MACHINE = MachineType(
    "cleaning_station",
    Text(zh="清扫机", en="Cleaning station"),
    ("clean",),
    job,
    (Gauge("brush-current", "A", 4, 22, Text(zh="刷机电流", en="Brush current")),),
)
