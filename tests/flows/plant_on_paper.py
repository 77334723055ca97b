"""A line in memory for flow tests: the demo plant, an inline store, machines that are done after a while."""

import asyncio
import itertools
from datetime import UTC, datetime
from pathlib import Path

from mes.app_kinds import KINDS
from mes.core.clock import LoopClock
from mes.core.ids import SeededIds
from mes.flows.build_problem import build_problem
from mes.flows.line.run_line import LineRunner
from mes.flows.line.shift_clock import ShiftClock, calendar_of
from mes.flows.line.work_job import finish_job
from mes.flows.release_order import release_order
from mes.flows.release_plan import release_plan
from mes.flows.take_in_order import take_in_order
from mes.lines.job import LineJob
from mes.lines.plant_file import PlantFolder, read_plant
from mes.orders.component_type import ComponentDraft
from mes.planning.planner import plan
from mes.plc.handshake.command import JobOutcome, JobRequest
from mes.store.engine import make_engine
from mes.store.log import SqlStore
from mes.store.telemetry import MemoryTelemetry
from mes.tracking.component import Component

DEMO = Path(__file__).resolve().parents[2] / "config" / "plants" / "demo"
START = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)  # Tuesday 06:00 in Shanghai


class PaperMachine:
    """A handshake whose PLC is done after `cycle_s` real (virtual) seconds; `answers` are used up first."""

    def __init__(self, cycle_s: float = 0.2) -> None:
        self.cycle_s = cycle_s
        self.started: list[int] = []
        self.answers: list[JobOutcome] = []
        self.resolved: list[tuple[int, str]] = []

    async def run(self, request: JobRequest, *, on_state: object = None) -> JobOutcome:
        self.started.append(request.job)
        await asyncio.sleep(self.cycle_s)
        return self.answers.pop(0) if self.answers else JobOutcome("done")

    async def resolve(self, job: int, decision: str) -> JobOutcome:
        self.resolved.append((job, decision))
        return JobOutcome("done")


def draft(mark: str, family: str = "half_slab", quantity: int = 1, **more: object) -> ComponentDraft:
    values: dict[str, object] = {
        "mark": mark,
        "name": mark,
        "family": family,
        "building": "1#",
        "storey": "2F",
        "quantity": quantity,
        "length_mm": 5000,
        "width_mm": 2400,
        "thickness_mm": 60,
        "volume_m3": 0.72,
        "mass_kg": 1800,
        "concrete_class": "C30/37",
        **more,
    }
    return ComponentDraft.model_validate(values)


class PaperPlant:
    """The demo plant with one order, planned and released. `crew` works off manual jobs."""

    def __init__(self, speed: float = 600.0, *, outbox: bool = False) -> None:
        self.folder: PlantFolder = read_plant(DEMO)
        self.plant = self.folder.plant
        self.line = self.plant.lines[0]
        self.clock = LoopClock(START, speed)
        self.ids = SeededIds(7)
        self.store = SqlStore(
            make_engine("sqlite://"),
            KINDS,
            plant="demo",
            clock=self.clock,
            ids=self.ids,
            place="acme/demo",
            areas={"line-1": "hall-1"},
            outbox=outbox,
            inline=True,
        )
        self.telemetry = MemoryTelemetry()
        self.machines = {s.link: PaperMachine() for s in self.line.stations if s.link}
        self.temperature: dict[str, float] = {}
        self.runner: LineRunner | None = None

    async def open(self, drafts: list[ComponentDraft]) -> None:
        await self.store.start()
        order = await self.store.run(
            lambda tx: take_in_order(
                tx, project="P", file_name="a.ifc", file_sha256="0" * 64, source="test", drafts=drafts
            ),
            actor="planner",
        )
        await self.store.run(lambda tx: release_order(tx, order.order_id), actor="planner")
        problem = build_problem(self.store, self.folder, self.line, self.store.find(Component), START, evaluations=50)
        made = plan(problem)
        await self.store.run(lambda tx: release_plan(tx, self.plant, self.line, made), actor="planner")

    def start(self) -> "asyncio.Task[None]":
        self.runner = LineRunner(
            self.store,
            self.plant,
            self.line,
            self.clock,
            self.telemetry,
            self.machines,
            ShiftClock(calendar_of(self.plant.plant.timezone, self.folder.shifts)),
            lambda tag: self.temperature.get(tag, 45.0),
        )
        return asyncio.create_task(self.runner.run())

    async def crew(self, *, seconds: float = 0.1) -> None:
        """Works off every ready manual job; inspectors are other people than makers."""
        for number in itertools.count():
            done = {"round": number}
            for job in self.store.find(LineJob, self.line.id):
                if job.link is None and job.state == "ready":
                    actor = "quality" if job.role == "quality" else "operator"
                    await self.store.run(lambda tx, j=job.id, d=done: finish_job(tx, self.plant, j, d), actor=actor)
            await asyncio.sleep(seconds)
