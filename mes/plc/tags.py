"""Tag table: the current value of every measuring point and signal, with its quality, its reason and its times.

A failed read never leaves an old value looking good: the value stays for the eye, the quality turns bad.
"""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

Log = logging.getLogger("mes.plc.tags")


class Quality(StrEnum):
    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one tag.

    `reason` is "" when good, otherwise never_read, disabled, offline, stale, heartbeat_stale, timeout, exception:<code>,
    status:<OPC UA name>, out_of_range, raw_invalid, torn or clock_skew. `source_time` comes from the PLC (OPC UA) or is the
    moment the answer came (Modbus); `received_time` is plant time; `received_mono` the event loop's clock (s), for ages.
    """

    value: Any
    quality: Quality
    reason: str = ""
    source_time: datetime | None = None
    received_time: datetime | None = None
    received_mono: float = -math.inf
    simulated: bool = False

    @property
    def good(self) -> bool:
        return self.quality is Quality.GOOD


NEVER_READ = Reading(None, Quality.BAD, "never_read")

Observer = Callable[[Mapping[str, Reading]], None]


@dataclass(slots=True)
class _Entry:
    link: str
    reading: Reading
    deadband: float = 0.0
    told: Any = None
    changes: int = 0


@dataclass
class TagTable:
    """Current readings by tag name. `mono` is the clock of the ages (s), normally the running loop's `time`.

    Observers get all readings that changed in one step as one mapping; whatever they raise is logged and goes no further.
    """

    mono: Callable[[], float]
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _links: dict[str, list[str]] = field(default_factory=dict)
    _observers: list[Observer] = field(default_factory=list)

    def register(self, link: str, names: Iterable[str], *, deadbands: Mapping[str, float] | None = None) -> None:
        """Declares the tags of a link; they read `never_read` until the first value. `deadbands`: smallest change worth telling."""
        for name in names:
            self._entries[name] = _Entry(link, NEVER_READ, (deadbands or {}).get(name, 0.0))
            self._links.setdefault(link, []).append(name)

    def names(self, link: str | None = None) -> list[str]:
        return list(self._entries) if link is None else list(self._links.get(link, ()))

    def get(self, name: str) -> Reading:
        """The current reading; an unknown tag reads bad with `never_read`."""
        entry = self._entries.get(name)
        return NEVER_READ if entry is None else entry.reading

    def value(self, name: str) -> Any:
        """The value when it is good, otherwise None."""
        reading = self.get(name)
        return reading.value if reading.good else None

    def changes(self, name: str) -> int:
        """How often observers were told about this tag."""
        entry = self._entries.get(name)
        return 0 if entry is None else entry.changes

    def age_s(self, name: str) -> float:
        """Real seconds since the last value arrived; infinite when none ever did."""
        return self.mono() - self.get(name).received_mono

    def set(self, name: str, reading: Reading) -> None:
        self.set_many({name: reading})

    def set_many(self, readings: Mapping[str, Reading]) -> None:
        """Takes over readings in one step; observers hear of those whose value (beyond its deadband) or quality changed."""
        changed: dict[str, Reading] = {}
        for name, reading in readings.items():
            entry = self._entries.get(name)
            if entry is None:
                continue
            if _worth_telling(entry, reading):
                entry.told = reading.value
                entry.changes += 1
                changed[name] = reading
            entry.reading = reading
        self._tell(changed)

    def link_down(self, link: str, reason: str) -> None:
        """Turns all tags of a link bad in one step; values and times stay, so the age of the last good value can be shown."""
        changed: dict[str, Reading] = {}
        for name in self._links.get(link, ()):
            entry = self._entries[name]
            if entry.reading.quality is Quality.BAD and entry.reading.reason == reason:
                continue
            entry.reading = replace(entry.reading, quality=Quality.BAD, reason=reason)
            entry.changes += 1
            changed[name] = entry.reading
        self._tell(changed)

    def expire(self, max_ages: Mapping[str, float]) -> None:
        """Turns good readings that are older than their expected age (s) bad with reason `stale`."""
        late = {
            name: replace(self.get(name), quality=Quality.BAD, reason="stale")
            for name, limit in max_ages.items()
            if self.get(name).quality is not Quality.BAD and self.age_s(name) > limit
        }
        self.set_many(late)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Calls `observer(changed readings)` after each step; returns the function that ends it."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer) if observer in self._observers else None

    def _tell(self, changed: Mapping[str, Reading]) -> None:
        if not changed:
            return
        for observer in list(self._observers):
            try:
                observer(changed)
            except Exception:  # noqa: BLE001
                Log.exception("an observer of tag values failed")


def _worth_telling(entry: _Entry, reading: Reading) -> bool:
    old = entry.reading
    if reading.quality is not old.quality or reading.reason != old.reason:
        return True
    if entry.deadband and isinstance(reading.value, int | float) and isinstance(entry.told, int | float):
        return abs(reading.value - entry.told) > entry.deadband
    return bool(reading.value != old.value)
