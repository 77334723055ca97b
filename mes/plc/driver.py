"""Driver: what a link needs from a protocol. One object per connection attempt; it is thrown away when the link is lost.

All methods raise only PlcError: LinkDown (connection gone), HandshakeTimeout or TagReadFailed (no or no usable answer),
TagWriteRefused. Writes go through one lock per connection and overtake polls. No driver ever repeats a write by itself.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from mes.plc.handshake.config import WordArea
from mes.plc.tagmap import Tag
from mes.plc.tags import Reading

OnReadings = Callable[[Mapping[str, Reading]], None]


@dataclass(frozen=True)
class JobEntry:
    """One entry of a machine's job list. States: 1 not allowed to start, 2 allowed, 3 running, 4 interrupted, 5 ended, 6 aborted."""

    job: str
    state: int
    text: str = ""


@dataclass(frozen=True)
class JobReport:
    """What a machine reports of a job: its state as in JobEntry and its data by name."""

    job: str
    state: int
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


class JobDoor(Protocol):
    """ISA-95 Job Control as a machine offers it. Numbers returned are ReturnStatus bits: 1 is success."""

    async def jobs(self) -> list[JobEntry]: ...

    async def store_and_start(self, job: str, parameters: Mapping[str, Any], pallet: str) -> int: ...

    async def stop(self, job: str) -> int: ...

    async def abort(self, job: str) -> int: ...

    async def clear(self, job: str) -> int: ...

    async def response(self, job: str) -> JobReport | None: ...

    async def changed(self, timeout_s: float) -> None:
        """Returns when the job list may have changed, at the latest after `timeout_s`."""


class Driver(Protocol):
    """One connection. `last_heard` is the loop's time of the last answer or notification; `lost` is set when it broke."""

    last_heard: float
    lost: asyncio.Event
    lost_reason: str
    dropped: int

    async def connect(self) -> None: ...

    async def close(self) -> None: ...

    async def read(self, tags: Sequence[Tag]) -> dict[str, Reading]: ...

    async def write(self, tag: Tag, value: Any) -> None: ...

    async def subscribe(self, tags: Sequence[Tag], on_readings: OnReadings) -> None:
        """Delivers readings from now on, by polling or by subscription."""

    async def probe(self) -> None:
        """A cheap question that proves the PLC still answers."""

    async def read_words(self, area: WordArea, count: int) -> list[int]: ...

    async def write_words(self, area: WordArea, words: Sequence[int], *, offset: int = 0) -> None:
        """Writes words from `area.address + offset` on in one request."""

    async def job_door(self, receiver: str, responses: str | None) -> JobDoor: ...


class WriteFirst:
    """A lock in which urgent users (writes, handshakes) overtake waiting polls."""

    def __init__(self) -> None:
        self._busy = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._normal: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def hold(self, *, urgent: bool = False) -> AsyncIterator[None]:
        if self._busy:
            waiter = asyncio.get_running_loop().create_future()
            queue = self._urgent if urgent else self._normal
            queue.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter in queue:
                    queue.remove(waiter)
                elif not waiter.cancelled():
                    self._pass_on()
                raise
        self._busy = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """Hands the lock to the next user without ever leaving it free in between."""
        for queue in (self._urgent, self._normal):
            while queue:
                waiter = queue.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        self._busy = False
