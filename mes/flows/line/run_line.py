"""Process: keeps one line running. After every change it asks what may happen next, and does it.

It remembers nothing that the store does not: after a crash it starts again from what is stored, and goes on with the
jobs that were running on the PLCs.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from mes.core.clock import Clock
from mes.core.errors import MesError
from mes.core.ports import Sample, Store, TelemetrySink
from mes.flows.line.cure_pallet import judge_curing, watch_curing
from mes.flows.line.ready_job import ready_job
from mes.flows.line.run_job import ACTOR, resolve_on_plc, run_job
from mes.flows.line.shift_clock import ShiftClock
from mes.flows.line.start_run import start_run
from mes.lines.dispatch import ReadyJob, Situation, StartRun, next_actions
from mes.lines.job import LineJob, to_resolve
from mes.lines.machines.curing_chamber import temperature_tag
from mes.lines.plant import Line, Plant
from mes.lines.run import Pallet, PalletRun
from mes.plc.handshake.command import Handshake
from mes.tracking.component import Component

Log = logging.getLogger("mes.flows.line")

WET_RESERVE_MIN = 15
CURING_PERIOD_S = 0.5
SAMPLE_PERIOD_PLANT_S = 60


@dataclass
class LineRunner:
    """Runs a line until cancelled. `temperature(tag)` gives the current good value of a tag or None."""

    store: Store
    plant: Plant
    line: Line
    clock: Clock
    telemetry: TelemetrySink
    handshakes: Mapping[str, Handshake]
    shifts: ShiftClock
    temperature: Callable[[str], float | None]
    tick_s: float = 0.1
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        unsubscribe = self.store.subscribe(lambda events: self._wake.set())
        curing = asyncio.create_task(self._cure(), name=f"cure {self.line.id}")
        try:
            await self._dispatch()
        finally:
            unsubscribe()
            for task in (curing, *self._tasks.values()):
                task.cancel()
            await asyncio.gather(curing, *self._tasks.values(), return_exceptions=True)

    async def _dispatch(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._step()
            except MesError as error:
                Log.warning("line %s: %s", self.line.id, error)
                await asyncio.sleep(1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(self.tick_s, 0.02))

    async def _step(self) -> None:
        for action in next_actions(self._situation()):
            await self._act(action)
        for job in self.store.find(LineJob, self.line.id):
            if job.link is not None and job.state in ("ready", "running") and job.id not in self._tasks:
                self._run_on_plc(job)
        for job in self.store.find(LineJob, to_resolve(self.line.id)):
            handshake = self.handshakes.get(job.link or "")
            if handshake is not None and job.id not in self._tasks:
                self._start(job.id, resolve_on_plc(self.store, handshake, job))

    def _situation(self) -> Situation:
        now = self.clock.now()
        left = self.shifts.minutes_left_today(now)
        runs = self.store.find(PalletRun, self.line.id)
        return Situation(
            line=self.line,
            runs=runs,
            pallets=self.store.find(Pallet, self.line.id),
            open_jobs=self.store.find(LineJob, self.line.id),
            working=left > 0,
            wet_ok=left >= max((_wet_minutes(run) for run in runs if run.status == "active"), default=0),
            **self._loads(runs),
        )

    def _loads(self, runs: Sequence[PalletRun]) -> dict[str, dict[str, float]]:
        """Mass and height of the pallets that want into the chamber."""
        mass: dict[str, float] = {}
        height: dict[str, float] = {}
        for run in runs:
            step = run.due_step
            if run.status == "active" and step is not None and step.operation == "chamber_in":
                pieces = [c for c in (self.store.get(Component, piece.component) for piece in run.pieces) if c]
                mass[run.id] = sum(c.mass_kg for c in pieces)
                height[run.id] = max((c.thickness_mm for c in pieces), default=0.0)
        return {"pallet_mass_kg": mass, "pallet_height_mm": height}

    async def _act(self, action: StartRun | ReadyJob) -> None:
        if isinstance(action, StartRun):
            await self.store.run(lambda tx: start_run(tx, action.run, action.pallet), actor=ACTOR)
        else:
            await self.store.run(
                lambda tx: ready_job(tx, self.line, action.run, action.position, action.slot), actor=ACTOR
            )

    def _run_on_plc(self, job: LineJob) -> None:
        assert job.link is not None
        handshake = self.handshakes.get(job.link)
        if handshake is None:
            return
        self._start(job.id, run_job(self.store, self.plant, self.line, handshake, job.id))

    def _start(self, job_id: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks[job_id] = asyncio.create_task(self._guarded(job_id, work), name=f"job {job_id}")

    async def _guarded(self, job_id: str, work: Coroutine[Any, Any, None]) -> None:
        """A job whose process fails is tried again from what is stored; the handshake never starts it twice."""
        try:
            await work
        except MesError as error:
            Log.warning("job %s: %s", job_id, error)
            await asyncio.sleep(1)
        finally:
            self._tasks.pop(job_id, None)
            self._wake.set()

    async def _cure(self) -> None:
        link = next((s.link for s in self.line.stations if s.machine == "curing_chamber"), None)
        if link is None:
            return
        while True:
            try:
                self._sample(link)
                now = self.clock.now()
                for run, seen in watch_curing(self.store, self.plant, self.line, self.telemetry, link, now):
                    if self._worth(run, seen.strength_mpa, seen.needs_cube_test):
                        story = partial(judge_curing, plant=self.plant, run_id=run.id, seen=seen)
                        await self.store.run(story, actor=ACTOR)
            except MesError as error:
                Log.warning("curing on %s: %s", self.line.id, error)
            await asyncio.sleep(min(5.0, max(0.1, SAMPLE_PERIOD_PLANT_S / self.clock.speed)))

    def _sample(self, link: str) -> None:
        """Writes the temperature of every occupied slot, changed or not: a steady value is evidence too."""
        now = self.clock.now()
        samples = []
        for run in self.store.find(PalletRun, self.line.id):
            if run.status == "curing":
                tag = temperature_tag(link, run.slot)
                value = self.temperature(tag)
                if value is not None:
                    samples.append(Sample(now, tag, value))
        if samples:
            self.telemetry.write(samples)

    def _worth(self, run: PalletRun, strength: float | None, needs_cubes: bool) -> bool:
        """Whether the story can have an effect: something changed, or the pallet may be ready."""
        changed = abs((strength or 0) - (run.strength_mpa or 0)) >= 0.5 or needs_cubes != run.needs_cube_test
        enough = (run.cube_mpa or strength or 0) >= (run.required_mpa or 0)
        return changed or enough or run.required_mpa is None


def _wet_minutes(run: PalletRun) -> int:
    """Planned minutes from batching to the chamber, with a reserve; only for a run that waits for its concrete."""
    step = run.due_step
    if step is None or step.operation not in ("batch", "pour"):
        return 0
    last = next((s for s in run.steps[run.step :] if s.operation == "chamber_in"), None)
    if last is None:
        return 0
    planned = (last.end - step.start) // timedelta(minutes=1)
    return int(min(planned, 180)) + WET_RESERVE_MIN
