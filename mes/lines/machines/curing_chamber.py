"""Curing chamber with stacker (立体养护窑): stores a pallet in a slot, cures it by program, brings it back.

One PLC serves chamber and stacker. Action 1 stores, action 2 retrieves; the program travels with the store job.
Temperature of slot column c, level l is the tag `temperature-CC-L`.
"""

from mes.core.errors import RuleBroken
from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work

STORE, RETRIEVE = 1, 2


def job(work: Work, operation: str) -> MachineJob:
    if work.slot is None:
        raise RuleBroken(
            f"Pallet {work.pallet} has no chamber slot.",
            code="slot_missing",
            hint="Wait for a free slot of the chamber.",
        )
    column, level = (int(part) for part in work.slot.split("-"))
    place: dict[str, float | int | str] = {"column": column, "level": level, "pallet_no": work.pallet_no}
    if operation == "chamber_out":
        return MachineJob({"action": RETRIEVE, **place})
    program = work.program
    return MachineJob(
        {
            "action": STORE,
            **place,
            "rest_min": round(program.rest_h * 60),
            "heat_c_per_h": program.heat_c_per_h,
            "hold_c": program.hold_c,
            "hold_min": round(program.hold_h * 60),
            "cool_c_per_h": program.cool_c_per_h,
            "exit_c": program.exit_c,
        }
    )


def temperature_tag(link: str, slot: str) -> str:
    return f"{link}/temperature-{slot}"


MACHINE = MachineType(
    "curing_chamber",
    Text(zh="立体养护窑", en="Curing chamber"),
    ("chamber_in", "chamber_out"),
    job,
    (Gauge("humidity", "%", 80, 100, Text(zh="湿度", en="Humidity")),),
)
