"""A PLC in this process's memory, and the driver that talks to it: for simulation, drills and tests. No threads, no real time."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mes.core.clock import Clock
from mes.core.errors import LinkDown, TagReadFailed
from mes.plc.driver import JobDoor, JobEntry, JobReport, OnReadings
from mes.plc.handshake.config import WordArea
from mes.plc.tagmap import Tag
from mes.plc.tags import Reading
from mes.plc.values import bad, reading, to_raw

OK, UNKNOWN_JOB, WRONG_STATE, UNABLE = 1, 2, 8, 16
NOT_STARTED, ALLOWED, RUNNING, INTERRUPTED, ENDED, ABORTED = 1, 2, 3, 4, 5, 6


@dataclass
class MemoryPlc:
    """Tag values (raw) by name, mailbox words by (table, address), and a job door.

    `on_write(tag, value)` and `on_words(table, address, words)` are called at each write. `reachable = False` plays a cut
    cable, `answering = False` a frozen PLC, `faults[tag] = reason` a bad value.
    """

    values: dict[str, Any] = field(default_factory=dict)
    words: dict[tuple[str, int], int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    jobs: JobDoor | None = None
    on_write: Callable[[str, Any], None] | None = None
    on_words: Callable[[str, int, Sequence[int]], None] | None = None
    answering: bool = True
    _reachable: bool = True
    drivers: dict["MemoryDriver", None] = field(default_factory=dict)

    @property
    def reachable(self) -> bool:
        return self._reachable

    @reachable.setter
    def reachable(self, value: bool) -> None:
        self._reachable = value
        if not value:
            for driver in list(self.drivers):
                driver.break_off("connection closed by the PLC")

    def set(self, name: str, value: Any) -> None:
        """The PLC program changes a value; drivers that subscribed hear of it at once."""
        self.set_many({name: value})

    def set_many(self, values: Mapping[str, Any]) -> None:
        changed = {name: value for name, value in values.items() if self.values.get(name) != value}
        self.values.update(changed)
        for driver in list(self.drivers):
            driver.notify(changed)


class MemoryDriver:
    """The driver of a MemoryPlc. `latency_s` delays every answer by loop time."""

    def __init__(self, plc: MemoryPlc, clock: Clock, *, latency_s: float = 0.0) -> None:
        self.lost = asyncio.Event()
        self.lost_reason = ""
        self.last_heard = 0.0
        self.dropped = 0
        self._plc, self._clock, self._latency_s = plc, clock, latency_s
        self._tags: dict[str, Tag] = {}
        self._on_readings: OnReadings | None = None

    async def connect(self) -> None:
        await self._answer()
        self._plc.drivers[self] = None

    async def close(self) -> None:
        self._plc.drivers.pop(self, None)
        self._on_readings = None

    def break_off(self, reason: str) -> None:
        self.lost_reason = reason
        self.lost.set()

    async def read(self, tags: Sequence[Tag]) -> dict[str, Reading]:
        await self._answer()
        return {tag.name: self._reading(tag) for tag in tags}

    async def write(self, tag: Tag, value: Any) -> None:
        raw = to_raw(tag, value)
        await self._answer()
        self._plc.set(tag.name, raw)
        if self._plc.on_write:
            self._plc.on_write(tag.name, raw)

    async def subscribe(self, tags: Sequence[Tag], on_readings: OnReadings) -> None:
        self._tags = {tag.name: tag for tag in tags if tag.readable}
        self._on_readings = on_readings

    def notify(self, changed: Mapping[str, Any]) -> None:
        """Called by the PLC when values changed."""
        if not self._plc.answering or self._on_readings is None:
            return
        self.last_heard = asyncio.get_running_loop().time()
        found = {name: self._reading(self._tags[name]) for name in changed if name in self._tags}
        if found:
            self._on_readings(found)

    async def probe(self) -> None:
        await self._answer()

    async def read_words(self, area: WordArea, count: int) -> list[int]:
        await self._answer()
        table, start = _place(area)
        return [self._plc.words.get((table, start + i), 0) for i in range(count)]

    async def write_words(self, area: WordArea, words: Sequence[int], *, offset: int = 0) -> None:
        await self._answer()
        table, start = _place(area)
        for i, word in enumerate(words):
            self._plc.words[(table, start + offset + i)] = word & 0xFFFF
        if self._plc.on_words:
            self._plc.on_words(table, start + offset, list(words))

    async def job_door(self, receiver: str, responses: str | None) -> JobDoor:
        await self._answer()
        if self._plc.jobs is None:
            raise TagReadFailed(f"This PLC has no job receiver at {receiver}.")
        return _Guarded(self, self._plc.jobs)

    async def _answer(self) -> None:
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        if not self._plc.reachable or self.lost.is_set():
            raise LinkDown(self.lost_reason or "The PLC cannot be reached.")
        if not self._plc.answering:
            await asyncio.sleep(1.0)
            raise TagReadFailed("The PLC did not answer.", code="timeout")
        self.last_heard = asyncio.get_running_loop().time()

    def _reading(self, tag: Tag) -> Reading:
        now, mono = self._clock.now(), asyncio.get_running_loop().time()
        if tag.name in self._plc.faults:
            return bad(tag, self._plc.faults[tag.name], received=now, mono=mono)
        if tag.name not in self._plc.values:
            return bad(tag, "status:BadNodeIdUnknown", received=now, mono=mono)
        return reading(tag, self._plc.values[tag.name], source=now, received=now, mono=mono)


class MemoryJobs:
    """A machine's job list in memory. The machine gives `start(job, parameters) -> ReturnStatus` and moves jobs on by `move`.

    `started` are all jobs ever accepted: the same id again is answered WRONG_STATE and not run.
    """

    def __init__(self, start: Callable[[str, Mapping[str, Any]], int]) -> None:
        self.entries: dict[str, JobEntry] = {}
        self.reports: dict[str, JobReport] = {}
        self.started: set[str] = set()
        self._start = start
        self._waiters: dict[asyncio.Future[None], None] = {}

    def move(self, job: str, state: int, *, text: str = "", data: Mapping[str, Any] | None = None) -> None:
        """The machine changes the state of a job; its report follows."""
        self.entries[job] = JobEntry(job, state, text)
        self.reports[job] = JobReport(job, state, text, dict(data or {}))
        self._wake()

    async def jobs(self) -> list[JobEntry]:
        return list(self.entries.values())

    async def store_and_start(self, job: str, parameters: Mapping[str, Any], pallet: str) -> int:
        if job in self.started:
            return WRONG_STATE
        if any(entry.state in (NOT_STARTED, ALLOWED, RUNNING, INTERRUPTED) for entry in self.entries.values()):
            return UNABLE
        self.started.add(job)
        self.entries[job] = JobEntry(job, ALLOWED)
        status = self._start(job, parameters)
        if status != OK:
            self.started.discard(job)
            self.entries.pop(job, None)
        self._wake()
        return status

    async def stop(self, job: str) -> int:
        return self._end(job, (RUNNING, INTERRUPTED), ENDED)

    async def abort(self, job: str) -> int:
        return self._end(job, (NOT_STARTED, ALLOWED, RUNNING, INTERRUPTED), ABORTED)

    async def clear(self, job: str) -> int:
        entry = self.entries.get(job)
        if entry is None:
            return UNKNOWN_JOB
        if entry.state not in (ENDED, ABORTED):
            return WRONG_STATE
        del self.entries[job]
        return OK

    async def response(self, job: str) -> JobReport | None:
        return self.reports.get(job)

    async def changed(self, timeout_s: float) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = None
        await asyncio.wait([waiter], timeout=timeout_s)
        self._waiters.pop(waiter, None)

    def _end(self, job: str, allowed: tuple[int, ...], state: int) -> int:
        entry = self.entries.get(job)
        if entry is None:
            return UNKNOWN_JOB
        if entry.state not in allowed:
            return WRONG_STATE
        self.move(job, state)
        return OK

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


@dataclass
class _Guarded:
    """A job door that fails like a cut cable while the PLC cannot be reached."""

    driver: MemoryDriver
    door: JobDoor

    async def jobs(self) -> list[JobEntry]:
        await self.driver.probe()
        return await self.door.jobs()

    async def store_and_start(self, job: str, parameters: Mapping[str, Any], pallet: str) -> int:
        await self.driver.probe()
        return await self.door.store_and_start(job, parameters, pallet)

    async def stop(self, job: str) -> int:
        await self.driver.probe()
        return await self.door.stop(job)

    async def abort(self, job: str) -> int:
        await self.driver.probe()
        return await self.door.abort(job)

    async def clear(self, job: str) -> int:
        await self.driver.probe()
        return await self.door.clear(job)

    async def response(self, job: str) -> JobReport | None:
        await self.driver.probe()
        return await self.door.response(job)

    async def changed(self, timeout_s: float) -> None:
        await self.door.changed(timeout_s)


def _place(area: WordArea) -> tuple[str, int]:
    return area.table or area.node or "holding", area.address
