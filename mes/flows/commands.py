"""What people and programs may ask the plant to do, as async calls: each one runs a story in the writer."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mes.core.clock import Clock
from mes.core.errors import NotFound, NotPermitted, RuleBroken
from mes.core.ports import Store, Tx
from mes.flows.build_problem import build_problem
from mes.flows.line.record_cube_test import record_cube_test
from mes.flows.line.work_job import finish_job, settle_job, start_job
from mes.flows.plan_document import plan_document
from mes.flows.record_scan import record_scan, settle_exception
from mes.flows.release_order import release_orders, to_plan
from mes.flows.release_plan import ReleasedPlan, release_plan, unfinished
from mes.flows.set_due import set_due
from mes.flows.take_in_order import take_in_order
from mes.lines.job import LineJob
from mes.lines.plant import Line
from mes.lines.plant_file import PlantFolder
from mes.lines.run import PalletRun
from mes.orders.intake.result import ImportResult
from mes.orders.order import Order, StoreyDue
from mes.planning.problem import Plan, Problem
from mes.tracking.scan import ScanAnswer, ScanCommand, ScanException

Reader = Callable[[Path, str | None, str | None, Callable[[int, int, str], None]], "ImportResult"]
Planner = Callable[[Problem], Plan]
T = TypeVar("T")
CREATED, REPEATED = 201, 200


@dataclass
class PlantCommands:
    """`read_file` reads an order file (in a worker process), `solve` plans; both may take long and run outside the event loop unless `threads` is off."""

    store: Store
    folder: PlantFolder
    clock: Clock
    read_file: Reader
    solve: Planner
    threads: bool = True
    _planning: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start_job(self, job_id: str, actor: str, roles: Sequence[str], cmd_id: str) -> LineJob:
        self._may_work(job_id, roles)
        return await self._run(lambda tx: start_job(tx, job_id), actor, cmd_id, ["start", job_id])

    async def finish_job(
        self, job_id: str, data: Mapping[str, Any], actor: str, roles: Sequence[str], cmd_id: str
    ) -> LineJob:
        self._may_work(job_id, roles)
        plant = self.folder.plant
        return await self._run(
            lambda tx: finish_job(tx, plant, job_id, data), actor, cmd_id, ["finish", job_id, dict(data)]
        )

    async def settle_job(
        self, job_id: str, decision: str, reason: str, actor: str, roles: Sequence[str], cmd_id: str
    ) -> LineJob:
        """The line tells the PLC of an undecided job how it was settled, as soon as the PLC answers."""
        if decision not in ("retry", "done", "scrap"):
            raise RuleBroken(f"{decision!r} is no decision; choose retry, done or scrap.", code="decision_unknown")
        job = self._job(job_id)
        line, plant = self.folder.plant.line(job.line), self.folder.plant
        return await self._run(
            lambda tx: settle_job(tx, plant, line, job_id, decision, reason),  # type: ignore[arg-type]
            actor,
            cmd_id,
            ["settle", job_id, decision, reason],
        )

    async def cube_test(self, run_id: str, strength_mpa: float, actor: str, cmd_id: str) -> PalletRun:
        return await self.store.run(
            lambda tx: record_cube_test(tx, run_id, strength_mpa),
            actor=actor,
            cmd_id=cmd_id,
            body=["cube", run_id, strength_mpa],
        )

    async def record_scan(self, command: ScanCommand, actor: str, roles: Sequence[str]) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer: 201 with the new state, 409 with the broken rule; a repeat gets the first body with 200 or 409."""
        told_before = True

        def story(tx: Tx) -> ScanAnswer:
            nonlocal told_before
            told_before = False
            return record_scan(tx, command, roles)

        answer = await self.store.run(story, actor=actor, cmd_id=command.event_id, body=command.model_dump(mode="json"))
        return (REPEATED if told_before and answer.status == CREATED else answer.status), answer.body

    async def settle_exception(
        self, exception_id: str, status: str, reason: str, actor: str, cmd_id: str
    ) -> ScanException:
        return await self.store.run(
            lambda tx: settle_exception(tx, exception_id, status, reason),
            actor=actor,
            cmd_id=cmd_id,
            body=["exception", exception_id, status, reason],
        )

    async def import_order(
        self,
        path: Path,
        project: str | None,
        profile: str | None,
        actor: str,
        progress: Callable[[int, int, str], None],
    ) -> dict[str, Any]:
        """Reads, takes in and releases a file; the answer is the contract's import document with `order_id`."""
        result = await self._aside(self.read_file, path, profile, project, progress)
        document: dict[str, Any] = result.to_json()
        if not result.components:
            return document
        sha = await self._aside(_sha256, path)
        order = await self.store.run(
            lambda tx: take_in_order(
                tx,
                project=result.project,
                file_name=path.name,
                file_sha256=sha,
                source=result.source,
                drafts=list(result.components),
                findings=document["findings"],
                excluded=document["excluded"],
            ),
            actor=actor,
        )
        return {**document, "order_id": order.order_id}

    async def set_due(self, order_id: str, rows: Sequence[StoreyDue], actor: str) -> dict[str, Any]:
        order = await self.store.run(lambda tx: set_due(tx, order_id, rows), actor=actor)
        return order.model_dump(mode="json")

    async def release_plan(
        self, order_ids: Sequence[str], actor: str, *, seed: int = 1, evaluations: int = 2000
    ) -> dict[str, Any]:
        """Releases the orders (all when none is named), plans every piece that is on no pallet yet, and releases the plan to its line."""
        async with self._planning:
            line = self._line()
            wanted = order_ids or [o.order_id for o in self.store.find(Order)]
            await self.store.run(lambda tx: release_orders(tx, self.folder, line, wanted), actor=actor)
            waiting = to_plan(self.store)
            locked = unfinished(self.store, line.id)
            problem = build_problem(
                self.store,
                self.folder,
                line,
                waiting,
                self.clock.now(),
                locked=locked,
                seed=seed,
                evaluations=evaluations,
            )
            plan = await self._aside(self.solve, problem)
            plant = self.folder.plant
            await self.store.run(lambda tx: release_plan(tx, plant, line, plan), actor=actor)
            released = self.store.get(ReleasedPlan, plan.id)
            assert released is not None
            return plan_document(released, self.store.find(PalletRun), line)

    async def _aside(self, work: Callable[..., T], *args: Any) -> T:
        """Long work beside the event loop; on a loop with virtual time nothing may wait for a thread."""
        return await asyncio.to_thread(work, *args) if self.threads else work(*args)

    def _line(self) -> Line:
        return self.folder.plant.lines[0]

    def _job(self, job_id: str) -> LineJob:
        job = self.store.get(LineJob, job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.", hint="Reload the page.")
        return job

    def _may_work(self, job_id: str, roles: Sequence[str]) -> None:
        """Quality jobs need the role quality; machine jobs are the line's own, never finished by hand."""
        job = self._job(job_id)
        if job.role not in roles and not (job.role == "operator" and "shift_lead" in roles):
            raise NotPermitted(
                f"Job {job_id} at {job.station} needs the role {job.role}.",
                code="role_missing",
                hint="Ask a colleague with this role.",
            )
        if job.link is not None:
            raise RuleBroken(
                f"Station {job.station} is run by its machine.",
                code="machine_job",
                hint="Settle the job when it has stopped.",
            )

    async def _run(self, story: Callable[[Any], LineJob], actor: str, cmd_id: str, body: list[Any]) -> LineJob:
        return await self.store.run(story, actor=actor, cmd_id=cmd_id, body=body)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
