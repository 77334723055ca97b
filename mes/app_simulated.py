"""The house on a virtual clock: memory, links, lines and crew in one process, with the machines handed in."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mes.app_kinds import KINDS
from mes.core.clock import LoopClock
from mes.core.errors import MesError
from mes.core.event import Event
from mes.core.ids import SeededIds
from mes.flows.commands import PlantCommands
from mes.flows.line.run_line import LineRunner
from mes.flows.line.shift_clock import ShiftClock, calendar_of
from mes.flows.take_in_order import take_in_order
from mes.lines.job import LineJob
from mes.lines.machines import MACHINE_TYPES
from mes.lines.plant_file import PlantFolder, read_plant
from mes.lines.run import PalletRun
from mes.planning.problem import Plan, Problem
from mes.plc.drivers import make_handshake, make_link
from mes.plc.handshake.command import Handshake
from mes.plc.tagmap import load_tagmap
from mes.plc.tags import TagTable
from mes.store.commands import StoreCommands
from mes.store.engine import make_engine
from mes.store.log import SqlStore
from mes.store.telemetry import MemoryTelemetry
from mes.tracking.scan import ScanCommand

CREW_S = 0.5
PAGE = 5000


class SimulatedHouse:
    """Everything that happens follows from the plant folder and the seed. `factory` makes the machines (entry point mes.plants)."""

    def __init__(self, folder: PlantFolder, clock: LoopClock, seed: int) -> None:
        self.folder, self.clock, self.seed = folder, clock, seed
        self.store = SqlStore(
            make_engine("sqlite://"),
            KINDS,
            plant=folder.plant.plant.id,
            clock=clock,
            ids=SeededIds(seed),
            outbox=False,
            inline=True,
        )
        self.telemetry = MemoryTelemetry()
        self.tags = TagTable(asyncio.get_running_loop().time)
        self.commands = PlantCommands(self.store, folder, clock, _no_files, _solve, threads=False)
        self.machines: Any = None
        self.handshakes: dict[str, Handshake] = {}
        self._tasks: list[asyncio.Task[Any]] = []

    @classmethod
    async def open(
        cls, folder: Path, start: datetime, speed: float, seed: int, factory: Any, *, faults: bool = False
    ) -> "SimulatedHouse":
        read = read_plant(folder, machine_types=set(MACHINE_TYPES))
        house = cls(read, LoopClock(start, speed), seed)
        await house.store.start()
        rng = random.Random(seed)
        tagmap = load_tagmap(folder / "tags.yaml").in_memory()
        house.machines = factory.in_memory(read.plant, tagmap, house.clock, rng, faults=faults)
        table = StoreCommands(house.store)
        for name in tagmap.links:
            link = make_link(tagmap, name, house.tags, clock=house.clock, rng=rng, memory=house.machines.plcs)
            house.handshakes[name] = make_handshake(link, table)
            house._start(link.run())
        house._start(house.machines.run())
        return house

    async def take_in(self) -> None:
        """An order of the simulated plant's own, planned and released."""
        drafts = self.machines.paper_order()
        order = await self.store.run(
            lambda tx: take_in_order(
                tx, project="simulated", file_name="paper", file_sha256="0" * 64, source="paper", drafts=drafts
            ),
            actor="planner",
        )
        await self.commands.release_plan([order.order_id], "planner", seed=self.seed, evaluations=200)

    async def run(self, span: timedelta) -> None:
        """Lines and crew work for a span of plant time."""
        shifts = ShiftClock(calendar_of(self.folder.plant.plant.timezone, self.folder.shifts))
        for line in self.folder.plant.lines:
            runner = LineRunner(
                self.store,
                self.folder.plant,
                line,
                self.clock,
                self.telemetry,
                self.handshakes,
                shifts,
                lambda tag: self.tags.value(tag),
            )
            self._start(runner.run())
        self._start(self._crew())
        await self.clock.sleep(span.total_seconds())

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def all_events(self) -> list[Event]:
        events: list[Event] = []
        while page := self.store.events(after=events[-1].seq if events else 0, limit=PAGE):
            events += page
        return events

    def double_starts(self) -> int:
        return int(self.machines.double_starts())

    def lost_jobs(self) -> int:
        """Jobs that a machine has finished and nobody has booked or is about to book."""
        known = {job.id for job in self.store.find(LineJob) if job.state != "ready"}
        return len(self.machines.ended() - known)

    def _start(self, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _crew(self) -> None:
        policy = self.machines.policy(self.seed, self._bay)
        while True:
            jobs = [
                j.model_dump(mode="json") for line in self.folder.plant.lines for j in self.store.find(LineJob, line.id)
            ]
            runs = {
                r.id: r.model_dump(mode="json")
                for line in self.folder.plant.lines
                for r in self.store.find(PalletRun, line.id)
            }
            for act in policy.acts(self.clock.now(), jobs, runs):
                try:
                    await self._do(act)
                except MesError:
                    await asyncio.sleep(CREW_S)
            await asyncio.sleep(CREW_S)

    async def _do(self, act: Any) -> None:
        roles = {"operator": ["operator"], "quality": ["quality"], "lead": ["shift_lead", "operator"]}[act.user]
        match act.verb:
            case "start":
                await self.commands.start_job(act.target, act.user, roles, act.cmd_id)
            case "finish":
                await self.commands.finish_job(act.target, act.data, act.user, roles, act.cmd_id)
            case "settle":
                await self.commands.settle_job(
                    act.target, act.data["decision"], act.data["reason"], act.user, roles, act.cmd_id
                )
            case "cube_test":
                await self.commands.cube_test(act.target, act.data["strength_mpa"], act.user, act.cmd_id)
            case "scan":
                await self.commands.record_scan(ScanCommand.model_validate(act.data), act.user, roles)

    def _bay(self, family: str) -> str:
        bays = self.folder.plant.yard
        return next((bay.id for bay in bays if not bay.families or family in bay.families), "")


def _solve(problem: Problem) -> Plan:
    """Planned in no virtual time: what a machine needed for the search must not stand in the log."""
    from mes.planning.planner import plan

    return plan(problem, timer=asyncio.get_running_loop().time)


def _no_files(path: Path, profile: str | None, project: str | None, progress: Callable[[int, int, str], None]) -> Any:
    raise MesError("A simulated house reads no files.", code="no_files")
