"""What a demo run came to, counted from the event log and from what the simulated PLCs wrote down themselves."""

from collections.abc import Iterator
from typing import Any

from mes.app import House, open_memory
from mes.cli.demo_accounts import accounts
from mes.cli.demo_site import DemoSite
from mes.core.clock import ScaledClock
from mes.core.event import Event
from mes.core.settings import Settings
from mes.flows.line.invariants import broken_invariants
from mes.flows.line.progress import complete, progress
from mes.lines.job import LineJob
from mes.lines.run import Pallet, PalletRun

PAGE = 5000


async def summary(site: DemoSite, settings: Settings, clock: ScaledClock, plant: Any, wall_s: float) -> dict[str, Any]:
    """`double_starts` and `lost_jobs` compare the book with the machines (see `demo_accounts`); `faults` names each."""
    house = await open_memory(settings, clock)
    try:
        journal = plant.journal(site.plcs)
        jobs = house.store.find(LineJob)
        runs = house.store.find(PalletRun)
        first = min((run.started_at for run in runs if run.started_at), default=clock.now())
        last = max((run.finished_at for run in runs if run.finished_at), default=clock.now())
        return {
            **progress(house.store),
            "pallets": len(runs),
            "jobs_started": sum(1 for job in jobs if job.started_at),
            "jobs_done": sum(1 for job in jobs if job.state == "done"),
            "plc_starts": sum(journal["starts"].values()),
            **accounts(jobs, runs, house.store.find(Pallet), journal["jobs"], complete=complete(house.store)),
            "invariants_violated": broken_invariants(house.folder.plant, all_events(house)),
            "events": house.store.head[0],
            "wall_s": round(wall_s, 1),
            "simulated_s": round((last - first).total_seconds()),
            "speed": clock.speed,
            "urls": {"board": f"{settings.url}/", "orders": f"{settings.url}/orders", "plan": f"{settings.url}/plan"},
        }
    finally:
        await house.close()


def all_events(house: House) -> Iterator[Event]:
    """The whole log, page by page."""
    last = 0
    while page := house.store.events(after=last, limit=PAGE):
        yield from page
        last = page[-1].seq
