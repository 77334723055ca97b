"""The folder of a demo: its clock, its people, its orders and its plan, made once and found again at the next start."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from mes.app import House, open_memory
from mes.core.clock import ScaledClock
from mes.core.errors import MesError, RuleBroken
from mes.core.settings import Settings
from mes.orders.order import Order

SHIFT_STARTS = 6


@dataclass(frozen=True)
class DemoSite:
    """Paths of one demo."""

    data: Path

    @property
    def clock(self) -> Path:
        return self.data / "clock.json"

    @property
    def links(self) -> Path:
        return self.data / "links.json"

    @property
    def people(self) -> Path:
        return self.data / "demo-logins.json"

    @property
    def plcs(self) -> Path:
        return self.data / "plcs"

    def log(self, name: str) -> Path:
        return self.data / f"{name}.log"


def claim(site: DemoSite) -> IO[str]:
    """One demo for one folder: the lock is held as long as the file stays open."""
    site.data.mkdir(parents=True, exist_ok=True)
    handle = (site.data / "demo.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise MesError(
            f"Another demo runs in {site.data}.",
            code="already_running",
            hint="Stop it with Ctrl-C, or name another folder with --data.",
        ) from error
    return handle


def wind_clock(site: DemoSite, speed: float, timezone: str) -> ScaledClock:
    """Plant time begins on a working day at six, or goes on from where it stopped; the real time between is skipped."""
    start = _first_shift(timezone)
    if site.clock.exists():
        kept = json.loads(site.clock.read_text(encoding="utf-8"))
        start = datetime.fromisoformat(kept.get("seen", kept["plant_start"]))
    clock = ScaledClock(start, time.time(), speed)
    save_clock(site, clock)
    return clock


def save_clock(site: DemoSite, clock: ScaledClock) -> None:
    """Remembers the clock and the plant time it shows now; written to a file beside it first, so that it is never half there."""
    document = {
        "plant_start": clock.plant_start.isoformat(),
        "real_start": clock.real_start,
        "speed": clock.speed,
        "seen": clock.now().isoformat(),
    }
    fresh = site.clock.with_suffix(".new")
    fresh.write_text(json.dumps(document), encoding="utf-8")
    os.replace(fresh, site.clock)


async def prepare(
    site: DemoSite, settings: Settings, clock: ScaledClock, files: Sequence[Path], say: Callable[[str], None]
) -> None:
    """Makes database, people, orders and plan where they are missing; each part is found again after a crash."""
    house = await open_memory(settings, clock)
    try:
        _people(site, house)
        await _orders(house, files, say)
    finally:
        await house.close()


def _people(site: DemoSite, house: House) -> None:
    from mes.api.accounts import ensure_demo_users

    made = ensure_demo_users(house.people, house.folder.users)
    if not made:
        return
    known = json.loads(site.people.read_text(encoding="utf-8")) if site.people.exists() else {"users": {}}
    known["users"].update(made)
    handle = os.open(site.people, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(known, file, ensure_ascii=False, indent=2)


async def _orders(house: House, files: Sequence[Path], say: Callable[[str], None]) -> None:
    commands = house.commands
    assert commands is not None
    if house.store.find(Order) and all(order.released for order in house.store.find(Order)):
        return
    for path in files:
        say(f"Reading {path.name} …")
        document = await commands.import_order(path, None, None, "demo", lambda done, of, what: None)
        count = sum(component["quantity"] for component in document["components"])
        say(f"  {count} pieces of {len(document['components'])} marks")
    say("Planning …")
    try:
        plan = await commands.release_plan([], "demo")
    except RuleBroken as error:
        if error.code != "nothing_to_plan":
            raise
        return
    say(f"  {len(plan['pallets'])} pallets, plan {plan['plan_id']}")


def _first_shift(timezone: str) -> datetime:
    """Six in the morning of today, or of Monday when today is Sunday (plant's time zone)."""
    zone = ZoneInfo(timezone)
    today = datetime.now(UTC).astimezone(zone).replace(hour=SHIFT_STARTS, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1 if today.weekday() == 6 else 0)).astimezone(UTC)


def logins(site: DemoSite) -> dict[str, Any]:
    users: dict[str, Any] = json.loads(site.people.read_text(encoding="utf-8"))["users"]
    return users
