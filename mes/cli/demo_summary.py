"""What a demo run came to, counted from the event log and from what the simulated PLCs wrote down themselves."""

from typing import Any

from mes.app import open_memory
from mes.cli.demo_site import DemoSite
from mes.core.clock import ScaledClock
from mes.core.settings import Settings
from mes.flows.line.progress import progress
from mes.lines.job import LineJob
from mes.lines.run import PalletRun


async def summary(site: DemoSite, settings: Settings, clock: ScaledClock, plant: Any, wall_s: float) -> dict[str, Any]:
    """`double_starts` are jobs that a PLC started more than once; `lost_jobs` are jobs a PLC finished that the MES has not
    booked, and runs that stand without an open job though they are not finished.
    """
    house = await open_memory(settings, clock)
    try:
        journal = plant.journal(site.plcs)
        jobs = house.store.find(LineJob)
        runs = house.store.find(PalletRun)
        booked = {job.id for job in jobs if job.state in ("done", "scrapped", "stopped", "running")}
        ended = {str(job) for job, entry in journal["jobs"].items() if entry.get("ended")}
        events = house.store.head[0]
        first = min((run.started_at for run in runs if run.started_at), default=clock.now())
        last = max((run.finished_at for run in runs if run.finished_at), default=clock.now())
        return {
            **progress(house.store),
            "pallets": len(runs),
            "jobs_started": sum(1 for job in jobs if job.started_at),
            "jobs_done": sum(1 for job in jobs if job.state == "done"),
            "plc_starts": sum(journal["starts"].values()),
            "double_starts": journal["double_starts"],
            "lost_jobs": len(ended - booked),
            "events": events,
            "wall_s": round(wall_s, 1),
            "simulated_s": round((last - first).total_seconds()),
            "speed": clock.speed,
            "urls": {"board": f"{settings.url}/", "orders": f"{settings.url}/orders", "plan": f"{settings.url}/plan"},
        }
    finally:
        await house.close()
