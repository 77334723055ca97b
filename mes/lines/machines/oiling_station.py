"""Oiling station (喷油): sprays release agent over the pallet."""

from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work

SPRAY_G_PER_M2 = 25


def job(work: Work, operation: str) -> MachineJob:
    return MachineJob({"pallet_length_mm": int(work.fleet.length_mm), "spray_g_per_m2": SPRAY_G_PER_M2})


MACHINE = MachineType(
    "oiling_station",
    Text(zh="喷油机", en="Oiling station"),
    ("oil",),
    job,
    (Gauge("tank-level", "%", 15, 100, Text(zh="油箱液位", en="Oil tank level")),),
)
