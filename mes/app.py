"""The house put together: the only place that knows every concrete class."""

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mes.core.clock import Clock, ScaledClock, system_clock
from mes.core.event import StreamKind
from mes.core.ids import IdSource
from mes.core.settings import Settings
from mes.exchange.outbox import Outbox
from mes.flows.commands import PlantCommands
from mes.flows.release_plan import PLAN
from mes.lines.job import JOB
from mes.lines.plant_file import PlantFolder
from mes.lines.run import PALLET, RUN
from mes.orders.order import KINDS as ORDER_KINDS
from mes.plc.tags import TagTable
from mes.plc.wiring import PlcLink
from mes.store.commands import KINDS as PLC_KINDS
from mes.store.people import People
from mes.store.telemetry import SqlTelemetry
from mes.store.writer import SqlStore
from mes.tracking.component import KINDS as COMPONENT_KINDS

Log = logging.getLogger("mes.app")

KINDS: list[StreamKind] = [*ORDER_KINDS, *COMPONENT_KINDS, JOB, RUN, PALLET, PLAN, *PLC_KINDS]


@dataclass
class House:
    """Everything that runs in one process of the product."""

    settings: Settings
    folder: PlantFolder
    clock: Clock
    ids: IdSource
    store: SqlStore
    people: People
    telemetry: SqlTelemetry
    tags: TagTable | None = None
    links: dict[str, PlcLink] = field(default_factory=dict)
    commands: PlantCommands | None = None
    outbox: Outbox | None = None


def read_clock(path: Path | None) -> Clock:
    """The clock that a demo shares with its simulated PLCs, or the machine's own."""
    if path is None or not path.exists():
        return system_clock()
    kept = json.loads(path.read_text(encoding="utf-8"))
    return ScaledClock(datetime.fromisoformat(kept["plant_start"]), float(kept["real_start"]), float(kept["speed"]))
