"""Program of a simulated PLC: one job at a time, a memory that outlives a power cut, and a journal of what really started."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from mes.core.clock import Clock
from simulators.twin import Twin

IDLE, ACCEPTED, RUNNING, DONE, REFUSED, ABORTED, UNKNOWN = range(7)
OK, BUSY, BAD_CODE, NOT_ACTIVE, DUPLICATE, RANGE, WRONG_EPOCH = range(7)
RING = 32
KEEP_EVERY_S = 1.0


@dataclass
class Retained:
    """What a PLC remembers without power. `seq` and `seq_epoch` are those of the last mailbox command acted on."""

    epoch: int
    boots: int = 0
    seq: int = 0
    seq_epoch: int = 0
    state: int = IDLE
    result: int = OK
    job: int = 0
    last_done: int = 0
    ring: list[int] = field(default_factory=list)
    starts: int = 0
    ends: int = 0
    refused_blocks: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)
    twin: dict[str, Any] = field(default_factory=dict)
    plant_time: str = ""


class Battery:
    """Keeps a PLC's memory in a file (`path`) or, without one, only as long as the process lives."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._text = ""

    def load(self) -> Retained | None:
        try:
            text = self._path.read_text("utf-8") if self._path else self._text
            return Retained(**json.loads(text)) if text else None
        except (OSError, ValueError, TypeError):
            return None

    def save(self, memory: Retained, *, durable: bool) -> None:
        self._text = json.dumps(asdict(memory))
        if self._path is None:
            return
        part = self._path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            file.write(self._text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(self._path)


class Journal:
    """`starts.jsonl`: one line for each real start and end of a machine, to count double starts against the MES's own book."""

    def __init__(self, path: Path | None = None) -> None:
        self.lines: list[dict[str, Any]] = []
        self._file = path.open("a", encoding="utf-8") if path else None

    def write(self, link: str, job: int, what: str, at: datetime) -> None:
        line = {"link": link, "job": str(job), "what": what, "at": at.isoformat()}
        self.lines.append(line)
        if self._file:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())


def tally(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts of a journal: double_starts, starts by link, and for each job how often it was started, ended and settled."""
    jobs: dict[str, dict[str, int]] = {}
    starts: dict[str, int] = {}
    for line in lines:
        entry = jobs.setdefault(line["job"], {"started": 0, "ended": 0, "settled": 0})
        entry[line["what"]] += 1
        if line["what"] == "started":
            starts[line["link"]] = starts.get(line["link"], 0) + 1
    double = sum(max(0, entry["started"] - 1) for entry in jobs.values())
    return {"double_starts": double, "starts": starts, "jobs": jobs}


class PlcProgram:
    """The part of the PLC all protocols share. Every change is remembered before an actuator moves and before it is shown."""

    def __init__(self, link: str, twin: Twin, battery: Battery, journal: Journal, clock: Clock, rng: Random) -> None:
        self.link, self.twin, self.clock = link, twin, clock
        self.reason = ""
        self.refuse_next = False
        self.bad_quality = False
        self.pinned: float | None = None
        self.pinned_shown_at: float | None = None
        self._battery, self._journal = battery, journal
        self._kept_at = 0.0
        self._pending: tuple[int, dict[str, Any], Mapping[str, Any] | None] | None = None
        self.memory = self._power_up(battery.load(), rng)

    def _power_up(self, memory: Retained | None, rng: Random) -> Retained:
        if memory is None:
            memory = Retained(epoch=rng.randrange(1, 2**32))
        memory.boots = (memory.boots + 1) & 0xFFFF
        if memory.state in (ACCEPTED, RUNNING):
            memory.state = UNKNOWN
        self.twin.restore(memory.twin)
        if memory.plant_time:
            self.twin.step(datetime.fromisoformat(memory.plant_time))
        self._battery.save(memory, durable=True)
        return memory

    def start(self, job: int, parameters: Mapping[str, Any], payload: Mapping[str, Any] | None = None) -> int:
        """Starts a job if the rules allow it; gives the result code. A start that counts has been remembered first."""
        memory = self.memory
        if memory.state in (ACCEPTED, RUNNING, UNKNOWN):
            return DUPLICATE if memory.job == job else BUSY
        if job in memory.ring:
            memory.state, memory.job = (DONE if job == memory.last_done else REFUSED), job
            return DUPLICATE
        reason = "refused on demand" if self.refuse_next else self.twin.check(parameters, payload)
        if reason is not None:
            self.reason, self.refuse_next = reason, False
            memory.state, memory.job = REFUSED, job
            return RANGE
        memory.state, memory.job, memory.data = RUNNING, job, {}
        memory.parameters = dict(parameters)
        memory.ring = [*memory.ring, job][-RING:]
        memory.starts += 1
        self._pending = (job, dict(parameters), payload)
        return OK

    def actuate(self) -> None:
        """Remembers what was decided, then moves: a start that `start` has allowed becomes real here."""
        pending, self._pending = self._pending, None
        self.remember()
        if pending is not None:
            self._journal.write(self.link, pending[0], "started", self.clock.now())
            self.twin.start(*pending)
            self.remember(durable=False)

    def abort(self, job: int) -> int:
        if self.memory.state not in (ACCEPTED, RUNNING) or self.memory.job != job:
            return NOT_ACTIVE
        self.twin.stop()
        self.memory.state = ABORTED
        return OK

    def resolve(self, job: int, *, done: bool) -> int:
        """A person's decision about a job that was cut by a power failure."""
        memory = self.memory
        if memory.state != UNKNOWN or memory.job != job:
            return NOT_ACTIVE
        if done:
            self.twin.settle(memory.parameters)
            memory.state, memory.last_done, memory.ends = DONE, job, memory.ends + 1
            memory.data = dict(self.twin.result)
            self._journal.write(self.link, job, "settled", self.clock.now())
        else:
            memory.state = ABORTED
        return OK

    def scan(self) -> bool:
        """One turn of the program: the machine moves on; True when the job came to its end just now."""
        self.twin.step(self.clock.now())
        memory = self.memory
        if memory.state == RUNNING and self.twin.done:
            memory.state, memory.last_done, memory.ends = DONE, memory.job, memory.ends + 1
            memory.data = dict(self.twin.result)
            self.twin.stop()
            self._journal.write(self.link, memory.job, "ended", self.clock.now())
            self.remember()
            return True
        return False

    def pin(self, value: float | None) -> None:
        """Holds the first gauge at a value, for measuring how long a change takes to a screen; None lets it go."""
        self.pinned, self.pinned_shown_at = value, None

    def remember(self, *, durable: bool = True) -> None:
        self.memory.twin = self.twin.keep()
        self.memory.plant_time = self.clock.now().isoformat()
        self._battery.save(self.memory, durable=durable)

    def keep_up(self, real_s: float) -> None:
        """Called with the loop's time: writes slow process values about once a second, without waiting for the disk."""
        if real_s - self._kept_at >= KEEP_EVERY_S:
            self._kept_at = real_s
            self.remember(durable=False)

    def values(self) -> dict[str, float]:
        """Measured values by tag name, with state and progress of the job."""
        gauges = dict(self.twin.gauges())
        if self.pinned is not None and gauges:
            gauges[next(iter(gauges))] = self.pinned
            self.pinned_shown_at = self.pinned_shown_at or time.time()
        return {"state": self.memory.state, "progress": round(self.twin.progress), **gauges}


class Watch:
    """The dead man's handle towards the MES: a counter that must move within a limit. No limit written means no watch."""

    def __init__(self) -> None:
        self._value = -1
        self._moved_s = 0.0

    def alive(self, counter: int, limit_s: float, real_s: float) -> bool:
        if counter != self._value:
            self._value, self._moved_s = counter, real_s
        return limit_s <= 0 or real_s - self._moved_s <= limit_s
