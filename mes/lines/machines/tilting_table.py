"""Tilting table (翻转台): raises walls to be lifted upright; flat pieces are lifted off level. Nothing is lifted without the release."""

from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work

TILT_ANGLE_DEG = 82


def job(work: Work, operation: str) -> MachineJob:
    tilt = work.demould == "tilt"
    mass = round(sum(piece.mass_kg for piece in work.pieces))
    return MachineJob(
        {"release": 1, "angle_deg": TILT_ANGLE_DEG if tilt else 0, "pieces": len(work.pieces), "mass_kg": mass}
    )


MACHINE = MachineType(
    "tilting_table",
    Text(zh="翻转台", en="Tilting table"),
    ("demould",),
    job,
    (Gauge("angle", "deg", 0, 85, Text(zh="角度", en="Angle")),),
)
