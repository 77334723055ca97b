"""The folder of a demo: its clock, its people, its orders and its plan, made once and found again at the next start."""

import asyncio
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from mes.api.accounts import create_token, ensure_demo_users, set_password
from mes.app import House, open_memory
from mes.core.clock import ScaledClock
from mes.core.errors import MesError, RuleBroken
from mes.core.settings import Settings
from mes.orders.order import Order
from mes.tracking.component import Component

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
    def control(self) -> Path:
        """Port of the socket on which the simulated PLCs take faults on demand."""
        return self.data / "control.json"

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


def wind_clock(site: DemoSite, speed: float, timezone: str, *, not_before: datetime | None = None) -> ScaledClock:
    """Plant time begins on a working day at six, or goes on from where it stopped; the real time between is skipped.

    After a crash the last event of the log may be later than what the clock's file remembers: `not_before`.
    """
    start = _first_shift(timezone)
    if site.clock.exists():
        kept = json.loads(site.clock.read_text(encoding="utf-8"))
        start = datetime.fromisoformat(kept.get("seen", kept["plant_start"]))
    if not_before is not None:
        start = max(start, not_before)
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
    site: DemoSite,
    settings: Settings,
    clock: ScaledClock,
    files: Sequence[Path],
    say: Callable[[str], None],
    building: Callable[[Path], Path] | None = None,
) -> datetime | None:
    """Makes database, people, orders and plan where they are missing; each part is found again after a crash.

    Without `files` and without an order the demo's own `building` is written. Returns the time of the last event.
    """
    house = await open_memory(settings, clock)
    try:
        await asyncio.to_thread(_people, site, house)
        if building is not None and not files and not house.store.find(Order):
            files = [await asyncio.to_thread(building, site.data / "demo-building.ifc")]
        await _orders(house, files, say)
        last = house.store.events(after=house.store.head[0] - 1)
        return last[-1].at if last else None
    finally:
        await house.close()


def _people(site: DemoSite, house: House) -> None:
    """Logins of the demo's people. Who has an account but no login on file (a crash came between) gets a new one."""
    known = json.loads(site.people.read_text(encoding="utf-8")) if site.people.exists() else {"users": {}}
    made = ensure_demo_users(house.people, house.folder.users)
    for entry in house.folder.users.users:
        if entry.name not in made and entry.name not in known["users"]:
            token = create_token(house.people, entry.name, "demo")
            made[entry.name] = {"password": set_password(house.people, entry.name), "token": token}
    if not made:
        return
    known["users"].update(made)
    fresh = site.people.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(known, file, ensure_ascii=False, indent=2)
    os.replace(fresh, site.people)


async def _orders(house: House, files: Sequence[Path], say: Callable[[str], None]) -> None:
    """Takes in the files that are not known yet, and plans every order that has no piece on a pallet."""
    commands = house.commands
    assert commands is not None
    known = {order.file_sha256 for order in house.store.find(Order)}
    for path in files:
        if hashlib.sha256(path.read_bytes()).hexdigest() in known:
            continue
        say(f"Reading {path.name} …")
        document = await commands.import_order(path, None, None, "demo", lambda done, of, what: None)
        count = sum(component["quantity"] for component in document["components"])
        say(f"  {count} pieces of {len(document['components'])} marks")
    planned = {component.order_id for component in house.store.find(Component) if component.pallet_run}
    waiting = [order.order_id for order in house.store.find(Order) if order.order_id not in planned]
    if not waiting:
        return
    say("Planning …")
    try:
        plan = await commands.release_plan(waiting, "demo")
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
