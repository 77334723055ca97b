"""The station terminal: its current job, the pallet, start and finish, the hidden-works list, and settling."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mes.api.routes.common import Given, Viewer
from mes.api.routes.jobs import open_jobs
from mes.api.services import Services
from mes.api.texts import language_of
from mes.core.errors import NotFound
from mes.lines.job import LineJob
from mes.lines.plant import Station
from mes.lines.run import PalletRun
from mes.store.views.board import BoardView
from mes.store.views.shapes import pallet_drawing
from mes.store.views.states import Show
from mes.terminals.shared.render import pages_of, state_texts
from mes.tracking.component import Component
from mes.tracking.inspection import prepour_items

router = APIRouter(include_in_schema=False)


@router.get("/station")
async def stations_page(request: Request, services: Given, person: Viewer) -> Response:
    """All stations, to choose the one this screen stands at."""
    view: BoardView = request.app.state.board
    cells = view.picture()["stations"]
    states = state_texts(language_of(request))
    rows = [
        {"station": station, "show": states[cells[station.id]["show"]], "pallet": cells[station.id]["pallet"]}
        for line in services.plant.plant.lines
        for station in line.stations
    ]
    return pages_of(request).show(request, "station/stations.html", {"rows": rows})


@router.get("/station/{station_id}")
async def station_page(station_id: str, request: Request, services: Given, person: Viewer) -> Response:
    station = station_of(services, station_id)
    view: BoardView = request.app.state.board
    cell = view.picture()["stations"][station_id]
    job = next((job for job in open_jobs(services) if job.station == station_id), None)
    run = services.store.get(PalletRun, job.run if job else cell["run"]) if job or cell["run"] else None
    values = {
        "station": station,
        "cell": cell,
        "show": state_texts(language_of(request))[cell["show"]],
        "job": job,
        "run": run,
        "drawing": pallet_drawing(services.store, services.plant.plant, run) if run else None,
        "measure": _to_measure(services, job, run),
        "items": _items(job, run, language_of(request)),
        "by_hand": station.machine == "manual",
        "may_work": job is not None and _may_work(job, person),
        "stopped": cell["show"] == Show.STOPPED.id,
    }
    return pages_of(request).show(request, "station/station.html", values)


def station_of(services: Services, station_id: str) -> Station:
    for line in services.plant.plant.lines:
        for station in line.stations:
            if station.id == station_id:
                return station
    raise NotFound(f"There is no station {station_id}.", hint="Choose one of the list of stations.")


def _items(job: LineJob | None, run: PalletRun | None, language: str) -> list[dict[str, str]]:
    if job is None or run is None or job.operation != "inspect_prepour":
        return []
    return [{"id": i.id, "text": i.zh if language == "zh" else i.en} for i in prepour_items(run.family)]


def _to_measure(services: Services, job: LineJob | None, run: PalletRun | None) -> list[Component]:
    """The pieces whose dimensions may be measured now."""
    if job is None or run is None or job.operation != "inspect_outgoing":
        return []
    found = (services.store.get(Component, piece.component) for piece in run.pieces)
    return [component for component in found if component is not None]


def _may_work(job: LineJob, person: Any) -> bool:
    return bool(person.may("quality.sign" if job.role == "quality" else "job.work"))
