"""The board page: its frame and texts; the cells come by the live stream."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mes.api.routes.common import Given, Viewer
from mes.api.services import Services
from mes.api.texts import language_of, translate
from mes.lines.machines import MACHINE_TYPES
from mes.lines.plant import Line, Station, operation_of
from mes.terminals.shared.render import in_language, pages_of, state_texts

router = APIRouter(include_in_schema=False)
ALARMS = ("job_stopped", "link_down", "cube_test", "late")
WORDS = ("ago", "No alarms", "pieces", "STALE since", "Live", "No data yet", "needs", "due", "of", "no date", "pallets")
SPECIAL_OPERATIONS = ("chamber_in", "chamber_out", "cure")


@router.get("/")
async def board_page(request: Request, services: Given, person: Viewer) -> Response:
    lines = services.plant.plant.lines
    texts = board_texts(services, language_of(request))
    return pages_of(request).show(request, "board/board.html", {"lines": lines, "texts": texts, "columns": slot_rows})


def slot_rows(line: Line) -> list[list[str]]:
    """The chamber as it stands: rows of slots, the highest level first."""
    chamber = line.chamber
    if chamber is None:
        return []
    columns = range(1, chamber.columns + 1)
    return [[f"{column:02d}-{level}" for column in columns] for level in range(chamber.levels, 0, -1)]


def board_texts(services: Services, language: str) -> dict[str, Any]:
    """Everything the board's script says, in one language."""
    stations = [station for line in services.plant.plant.lines for station in line.stations]
    operations = {operation_of(station) for station in stations} | set(SPECIAL_OPERATIONS)
    return {
        "states": state_texts(language),
        "operations": {op: translate(language, f"operation {op}", default=op) for op in sorted(operations)},
        "stations": {station.id: in_language(station.name, language) or station.id for station in stations},
        "alarms": {kind: translate(language, f"alarm {kind}") for kind in ALARMS},
        "words": {word: translate(language, word) for word in WORDS},
        "gauges": {station.id: _gauges(station, language) for station in stations},
        "zone": services.plant.plant.plant.timezone,
    }


def _gauges(station: Station, language: str) -> dict[str, Any]:
    machine = MACHINE_TYPES.get(station.machine)
    if machine is None:
        return {}
    return {
        gauge.tag: {
            "name": in_language(gauge.name, language),
            "unit": unit(gauge.unit),
            "low": gauge.low,
            "high": gauge.high,
        }
        for gauge in machine.gauges
    }


def unit(ucum: str) -> str:
    """A UCUM unit as people write it."""
    return {"Cel": "°C", "m3": "m³", "m2": "m²", "1": "", "deg": "°"}.get(ucum, ucum)
