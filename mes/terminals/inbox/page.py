"""The inbox page: stopped jobs, cube tests, scans that broke a rule."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mes.api.routes.common import Given, Viewer
from mes.api.routes.jobs import open_jobs
from mes.api.routes.plan import planned_runs
from mes.terminals.shared.render import pages_of
from mes.tracking.scan import ScanException

router = APIRouter(include_in_schema=False)


@router.get("/inbox")
async def inbox_page(request: Request, services: Given, person: Viewer) -> Response:
    names = {s.id: s.name for line in services.plant.plant.lines for s in line.stations}
    values = {
        "stopped": [job for job in open_jobs(services) if job.state == "stopped"],
        "cubes": [run for run in planned_runs(services) if run.needs_cube_test],
        "exceptions": services.store.find(ScanException, "open"),
        "names": names,
    }
    return pages_of(request).show(request, "inbox/inbox.html", values)
