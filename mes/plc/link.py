"""Link: the supervised connection to one PLC. offline → connecting → online → stale → offline, each with a reason.

Every attempt gets a fresh driver. Online needs a connection, a first full read and a moving heartbeat. Ages and limits run
on the event loop's clock. All tags turn bad in one step when the link leaves online.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from mes.core.clock import Clock
from mes.core.errors import LinkDown, NotFound, PlcError
from mes.plc.driver import Driver
from mes.plc.tagmap import Tag
from mes.plc.tags import Reading, TagTable

Log = logging.getLogger("mes.plc.link")
LinkState = Literal["offline", "connecting", "online", "stale"]
OnLinkState = Callable[[str, str, str], None]

TICK_S = 0.4
CLOSE_S = 2.0
SETUP_S = 10.0
LIMIT_S = 5.0


class Link:
    """`config` is one of the tag map's links, `driver` makes a fresh driver per attempt, `rng` gives the jitter of the back-off.

    `on_state(link, state, reason)` hears of every change; what it raises is logged only.
    """

    def __init__(
        self,
        config: Any,
        tags: Sequence[Tag],
        driver: Callable[[], Driver],
        table: TagTable,
        *,
        clock: Clock,
        rng: random.Random,
        on_state: OnLinkState | None = None,
    ) -> None:
        self.config, self.name, self.readings = config, config.name, table
        self.state: LinkState = "offline"
        self.reason = "not started"
        self.since = clock.now()
        self.driver: Driver | None = None
        self._tags = {tag.name: tag for tag in tags}
        self._polled = [tag for tag in tags if tag.enabled and tag.readable]
        self._make, self._clock, self._rng, self._on_state = driver, clock, rng, on_state
        self._online = asyncio.Event()
        self._pending: dict[str, Reading] = {}
        self._beat = config.heartbeat
        self._beat_value: Any = None
        self._beat_at = 0.0
        self._beat_moved = asyncio.Event()
        self._count = 0
        self._failures = 0
        table.register(self.name, self._tags, deadbands={tag.name: tag.deadband for tag in tags if tag.deadband})
        disabled = [tag.name for tag in tags if not tag.enabled]
        table.set_many({name: Reading(None, table.get(name).quality, "disabled") for name in disabled})

    async def run(self) -> None:
        """Keeps the link up until cancelled."""
        try:
            while True:
                started = self._now()
                reason = await self._attempt()
                self._to("offline", reason)
                self._failures = 0 if self._now() - started > 2 * LIMIT_S else self._failures + 1
                await asyncio.sleep(self._backoff())
        finally:
            self._to("offline", "stopped")

    async def online(self) -> Driver:
        """Waits until the link is online and gives its driver."""
        while True:
            await self._online.wait()
            if self.driver is not None:
                return self.driver

    def tag(self, name: str) -> Tag:
        found = self._tags.get(name)
        if found is None:
            raise NotFound(f"Link {self.name} has no tag {name!r}.", hint="Look it up in tags.yaml.")
        return found

    async def write(self, name: str, value: Any) -> None:
        """Writes one tag now. Raises LinkDown when the link is not online, TagWriteRefused when the value may not be written."""
        await self._need().write(self.tag(name), value)

    async def read(self, names: Sequence[str]) -> dict[str, Reading]:
        """Reads tags from the PLC now and takes the readings over."""
        found = await self._need().read([self.tag(name) for name in names])
        self._take(found)
        return found

    def _need(self) -> Driver:
        if self.state != "online" or self.driver is None:
            raise LinkDown(f"Link {self.name} is {self.state}: {self.reason}.", hint="It reconnects by itself.")
        return self.driver

    async def _attempt(self) -> str:
        self._to("connecting", self.reason)
        driver = self._make()
        try:
            async with asyncio.timeout(SETUP_S):
                await self._set_up(driver)
            self._to("online", "")
            return await self._watch(driver)
        except PlcError as error:
            return str(error)
        except TimeoutError:
            return "the PLC did not answer in time"
        except Exception as error:  # noqa: BLE001
            Log.exception("link %s: the driver failed", self.name)
            return f"{type(error).__name__}: {error}"
        finally:
            self.driver = None
            self._online.clear()
            await _close(driver)

    async def _set_up(self, driver: Driver) -> None:
        self._pending = {}
        self._beat_value, self._beat_at = None, self._now()
        self._beat_moved.clear()
        await driver.connect()
        self._take(await driver.read(self._polled))
        await driver.subscribe(self._polled, self._take)
        if self._beat and self._beat.in_:
            try:
                async with asyncio.timeout(max(self._beat.limit_s or LIMIT_S, 2 * self._beat.period_s)):
                    await self._beat_moved.wait()
            except TimeoutError:
                raise LinkDown(f"heartbeat_stale: {self._beat.in_} does not move") from None
        self.driver = driver

    async def _watch(self, driver: Driver) -> str:
        """Watches signs of life until the connection is lost; returns the reason."""
        lost = asyncio.create_task(driver.lost.wait())
        beat = asyncio.create_task(self._send_beats(driver))
        try:
            while True:
                before = self._now()
                await asyncio.wait([lost, beat], timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
                if lost.done():
                    return driver.lost_reason or "connection lost"
                if beat.done():
                    beat.result()
                if self._now() - before < 3 * TICK_S:  # a late tick means that this process slept, not the PLC
                    reason = await self._judge(driver)
                    if reason:
                        return reason
        finally:
            for task in (lost, beat):
                task.cancel()
            await asyncio.gather(lost, beat, return_exceptions=True)

    async def _judge(self, driver: Driver) -> str:
        now = self._now()
        quiet, beat_age = now - driver.last_heard, 0.0
        limit, stale = LIMIT_S, self.config.stale_s
        if self._beat:
            limit = self._beat.limit_s or LIMIT_S
            if self._beat.in_:
                beat_age = now - self._beat_at
        beat_stale = max(stale, 2.5 * self._beat.period_s) if self._beat else stale
        if max(quiet, beat_age) > max(limit, stale):
            return f"{'heartbeat_stale' if beat_age > quiet else 'timeout'}: no sign of life for {limit:g} s"
        if quiet > stale or beat_age > beat_stale:
            if self.state == "online":
                self._to("stale", "heartbeat_stale" if beat_age > beat_stale else "stale")
        elif self.state == "stale":
            self._take(await driver.read(self._polled))
            self._to("online", "")
        else:
            self.readings.expire({tag.name: tag.max_age_s for tag in self._polled if tag.max_age_s})
        return ""

    async def _send_beats(self, driver: Driver) -> None:
        """The MES heartbeat once a second; without one a probe, so that a silent PLC is noticed."""
        beat = self._beat
        told_limit = not (beat and beat.limit_out)
        while True:
            try:
                if beat and not told_limit:
                    await driver.write(self.tag(beat.limit_out), max(1, round(beat.limit_s or LIMIT_S)))
                    told_limit = True
                if beat and beat.out:
                    self._count = self._count % 30_000 + 1
                    await driver.write(self.tag(beat.out), self._count)
                else:
                    await driver.probe()
            except PlcError as error:
                Log.debug("link %s: heartbeat not written: %s", self.name, error)
            await asyncio.sleep(beat.period_s if beat else 1.0)

    def _take(self, found: Mapping[str, Reading]) -> None:
        if self._beat and self._beat.in_ in found:
            value = found[self._beat.in_].value
            if value is not None and value != self._beat_value:
                if self._beat_value is not None:
                    self._beat_moved.set()
                self._beat_value, self._beat_at = value, self._now()
        if self.state == "online":
            self.readings.set_many(found)
        else:
            self._pending.update(found)

    def _to(self, state: LinkState, reason: str) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        old, was_up = self.state, self.state in ("online", "stale")
        self.state, self.reason, self.since = state, reason, self._clock.now()
        if state == "online":
            self._online.set()
            self.readings.set_many(self._pending)
            self._pending = {}
            Log.info("link %s is online", self.name)
        else:
            self._online.clear()
            if was_up or state == "offline":
                self.readings.link_down(self.name, _slug(reason) if state == "stale" else "offline")
            level = logging.WARNING if old == "online" and reason != "stopped" else logging.DEBUG
            Log.log(level, "link %s is %s: %s", self.name, state, reason)
        if self._on_state:
            try:
                self._on_state(self.name, state, reason)
            except Exception:  # noqa: BLE001
                Log.exception("an observer of link %s failed", self.name)

    def _backoff(self) -> float:
        low, high = self.config.backoff_min_s, self.config.backoff_max_s
        base = min(high, low * 2 ** min(self._failures, 10))
        return float(base * (0.5 + 0.5 * self._rng.random()))

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _slug(reason: str) -> str:
    return reason.split(":")[0] or "stale"


async def _close(driver: Driver) -> None:
    """Never waits longer than CLOSE_S and never fails: the connection is gone anyway."""
    with suppress(Exception):
        await asyncio.wait_for(driver.close(), CLOSE_S)
