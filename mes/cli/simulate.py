"""`mes simulate`: the whole plant on a virtual clock, with its simulated machines and crew in this process."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mes.app_simulated import SimulatedHouse
from mes.cli.demo import simulated_plant
from mes.core.errors import NotFound
from mes.core.settings import demo_plant, read_settings
from mes.core.virtual_time import run_virtual
from mes.flows.line.invariants import broken_invariants
from mes.flows.line.progress import progress

START = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
SPEED = 60.0
SCENARIOS = {"day": {}, "faults": {"faults": True}}


def simulate(*, hours: float, seed: int, scenario: str, plant: Path | None = None) -> dict[str, Any]:
    """The same seed gives the same `event_hash` on every machine."""
    if scenario not in SCENARIOS:
        raise NotFound(f"There is no scenario {scenario!r}.", hint=f"Choose one of {', '.join(SCENARIOS)}.")
    began = time.perf_counter()
    folder = plant or read_settings().plant or demo_plant()
    document = run_virtual(_run(folder, hours, seed, bool(SCENARIOS[scenario].get("faults"))))
    return {**document, "scenario": scenario, "wall_s": round(time.perf_counter() - began, 2)}


async def _run(folder: Path, hours: float, seed: int, faults: bool) -> dict[str, Any]:
    house = await SimulatedHouse.open(folder, START, SPEED, seed, simulated_plant(), faults=faults)
    try:
        await house.take_in()
        await house.run(timedelta(hours=hours))
    finally:
        await house.close()
    events = house.all_events()
    number, hash_ = house.store.head
    return {
        "seed": seed,
        "hours": hours,
        "event_hash": hash_,
        "events": number,
        **progress(house.store),
        "double_starts": house.double_starts(),
        "lost_jobs": house.lost_jobs(),
        "invariants_violated": broken_invariants(house.folder.plant, events),
    }
