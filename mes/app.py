"""The house put together: the only place that knows every concrete class."""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mes.app_kinds import KINDS
from mes.core.clock import Clock, ScaledClock, system_clock
from mes.core.errors import MesError
from mes.core.ids import IdSource, SystemIds
from mes.core.ports import Sample
from mes.core.settings import Settings
from mes.flows.commands import PlantCommands
from mes.flows.line.run_line import LineRunner
from mes.flows.line.shift_clock import ShiftClock, calendar_of
from mes.lines.machines import MACHINE_TYPES
from mes.lines.plant_file import PlantFolder, read_plant
from mes.orders.intake.worker import read_file
from mes.planning.problem import Plan, Problem
from mes.plc.drivers import make_handshake, make_link
from mes.plc.handshake.command import Handshake
from mes.plc.link import Link
from mes.plc.tagmap import load_tagmap
from mes.plc.tags import Reading, TagTable
from mes.store.commands import StoreCommands
from mes.store.engine import claim, make_engine
from mes.store.log import SqlStore
from mes.store.people import People
from mes.store.telemetry import SqlTelemetry

Log = logging.getLogger("mes.app")

CLOSE_S = 10.0


@dataclass
class House:
    """Everything that one process of the product holds; `on_link` hears that a link has changed its state."""

    settings: Settings
    folder: PlantFolder
    clock: Clock
    ids: IdSource
    store: SqlStore
    people: People
    telemetry: SqlTelemetry
    tags: TagTable
    commands: PlantCommands
    links: dict[str, Link] = field(default_factory=dict)
    handshakes: dict[str, Handshake] = field(default_factory=dict)
    on_link: Callable[[], None] = lambda: None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _claims: list[Callable[[], None]] = field(default_factory=list)

    def start(self, work: Any, name: str) -> None:
        """Runs a long-lived process of the house until it is closed."""
        self._tasks.append(asyncio.create_task(work, name=name))

    def hold(self, release: Callable[[], None]) -> None:
        """Keeps a claim until the house is closed."""
        self._claims.append(release)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*self._tasks, return_exceptions=True), CLOSE_S)
        self.telemetry.close()
        await self.store.close()
        for release in self._claims:
            release()


def read_clock(path: Path | None) -> Clock:
    """The clock that a demo shares with its simulated PLCs, or the machine's own."""
    if path is None or not path.exists():
        return system_clock()
    kept = json.loads(path.read_text(encoding="utf-8"))
    return ScaledClock(datetime.fromisoformat(kept["plant_start"]), float(kept["real_start"]), float(kept["speed"]))


def solve(problem: Problem) -> Plan:
    """The planner, imported when it is needed: its compiled parts are slow to load."""
    from mes.planning.planner import plan

    return plan(problem)


async def open_memory(settings: Settings, clock: Clock) -> House:
    """Plant, database and people, without any PLC: enough to import, plan and look."""
    settings.data.mkdir(parents=True, exist_ok=True)
    folder = read_plant(settings.plant, machine_types=set(MACHINE_TYPES))
    ids = SystemIds()
    engine = make_engine(settings.database_url)
    info = folder.plant.plant
    store = SqlStore(
        engine,
        KINDS,
        plant=info.id,
        clock=clock,
        ids=ids,
        place=f"{info.enterprise}/{info.id}",
        areas={line.id: area.id for area in folder.plant.areas for line in area.lines},
        outbox=bool(settings.mqtt_url),
    )
    await store.start()
    telemetry = SqlTelemetry(settings.telemetry_url)
    commands = PlantCommands(store, folder, clock, _reader, solve)
    table = TagTable(asyncio.get_running_loop().time)
    return House(settings, folder, clock, ids, store, People(engine, system_clock()), telemetry, table, commands)


def open_links(house: House, addresses: Mapping[str, Mapping[str, Any]], rng: random.Random) -> None:
    """Connects the PLCs of tags.yaml; `addresses` replaces where links point to (simulated plants choose free ports)."""
    tagmap = load_tagmap(house.settings.plant / "tags.yaml").moved(addresses)
    table = StoreCommands(house.store)
    for name in tagmap.links:
        link = make_link(tagmap, name, house.tags, clock=house.clock, rng=rng, on_state=lambda *_: house.on_link())
        house.links[name] = link
        if link.config.handshake is not None:
            house.handshakes[name] = make_handshake(link, table)
        house.start(link.run(), f"link {name}")
    house.tags.observe(_measure(house))


def claim_lines(house: House) -> None:
    """Makes this process the only one that talks to the PLCs of its lines. Raises MesError(code="line_taken")."""
    for line in house.folder.plant.lines:
        release = claim(house.store.engine, line.id)
        if release is None:
            raise MesError(
                f"Line {line.id} is run by another process on the same database.",
                code="line_taken",
                hint="Stop that process first, or start this one with --role web.",
            )
        house.hold(release)


def open_lines(house: House) -> None:
    """Starts the runner of every line of the plant."""
    shifts = ShiftClock(calendar_of(house.folder.plant.plant.timezone, house.folder.shifts))
    for line in house.folder.plant.lines:
        runner = LineRunner(
            house.store,
            house.folder.plant,
            line,
            house.clock,
            house.telemetry,
            house.handshakes,
            shifts,
            lambda tag: _number(house.tags.get(tag)),
        )
        house.start(runner.run(), f"line {line.id}")


def _reader(path: Path, profile: str | None, project: str | None, progress: Callable[[int, int, str], None]) -> Any:
    return read_file(path, profile=profile, project=project, progress=progress)


def _number(reading: Reading) -> float | None:
    return float(reading.value) if reading.good and isinstance(reading.value, int | float) else None


def _measure(house: House) -> Callable[[Mapping[str, Reading]], None]:
    """Every good number that changed becomes telemetry."""

    def take(changed: Mapping[str, Reading]) -> None:
        now = house.clock.now()
        numbers = {name: _number(reading) for name, reading in changed.items() if not name.endswith("heartbeat")}
        house.telemetry.write([Sample(now, name, value) for name, value in numbers.items() if value is not None])

    return take
