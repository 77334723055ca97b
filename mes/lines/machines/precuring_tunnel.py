"""Pre-curing tunnel (预养护): lets the concrete set until it can be finished."""

from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work

TEMPERATURE_C = 35
MINUTES = 8


def job(work: Work, operation: str) -> MachineJob:
    return MachineJob({"temperature_c": TEMPERATURE_C, "minutes": MINUTES})


MACHINE = MachineType(
    "precuring_tunnel",
    Text(zh="预养护窑", en="Pre-curing tunnel"),
    ("precure",),
    job,
    (Gauge("temperature", "Cel", 15, 45, Text(zh="温度", en="Temperature")),),
)
