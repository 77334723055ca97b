"""Plant time: the one clock that the MES and the simulated PLCs share.

Only process times (machine cycles, curing, shifts) follow plant time. Heartbeats, time-outs, polling and the age of
data run on the real monotonic clock of the event loop.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Plant time in UTC. `speed` is plant seconds per real second."""

    @property
    def speed(self) -> float: ...

    def now(self) -> datetime: ...

    async def sleep(self, plant_seconds: float) -> None: ...


@dataclass(frozen=True)
class ScaledClock:
    """Plant time that started at `plant_start` when the machine's clock showed `real_start` (seconds since 1970)."""

    plant_start: datetime
    real_start: float
    speed: float = 1.0

    def now(self) -> datetime:
        return self.plant_start + timedelta(seconds=(time.time() - self.real_start) * self.speed)

    async def sleep(self, plant_seconds: float) -> None:
        await asyncio.sleep(max(0.0, plant_seconds) / self.speed)


def system_clock() -> ScaledClock:
    """Plant time is the machine's own time: how a real plant runs."""
    now = time.time()
    return ScaledClock(datetime.fromtimestamp(now, UTC), now, 1.0)


class LoopClock:
    """Plant time that follows the running event loop's clock: with a virtual-time loop a whole day passes in seconds."""

    def __init__(self, plant_start: datetime, speed: float = 1.0) -> None:
        self.speed = speed
        self._plant_start = plant_start
        self._loop_start = asyncio.get_running_loop().time()

    def now(self) -> datetime:
        seconds = (asyncio.get_running_loop().time() - self._loop_start) * self.speed
        return self._plant_start + timedelta(seconds=round(seconds, 6))

    async def sleep(self, plant_seconds: float) -> None:
        await asyncio.sleep(max(0.0, plant_seconds) / self.speed)


class FixedClock:
    """A clock that stands still until it is moved; for tests and pure calculations."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.speed = 1.0

    def now(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    async def sleep(self, plant_seconds: float) -> None:
        self.move(plant_seconds)
