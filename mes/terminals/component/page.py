"""The public page of a component: what a phone shows after scanning the QR code. It names no people."""

import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mes.api.auth import Anybody
from mes.api.routes.common import Given, component_of
from mes.api.services import Services
from mes.api.texts import translate
from mes.orders.order import OrderLine, line_key
from mes.store.views.shapes import outline_of, svg_path
from mes.terminals.shared.render import in_language, pages_of
from mes.tracking.component import Component, Lifecycle, Quality

router = APIRouter(include_in_schema=False)
GLOBAL_ID = re.compile(r"[0-3][0-9A-Za-z_$]{21}")
"""The id a BIM program gives a piece: it tells people on the site nothing."""
MILESTONES = (
    Lifecycle.RELEASED,
    Lifecycle.PREPOUR_OK,
    Lifecycle.CAST,
    Lifecycle.CURING,
    Lifecycle.DEMOULDED,
    Lifecycle.FINISHED_OK,
    Lifecycle.STORED,
    Lifecycle.LOADED,
    Lifecycle.SITE_ACCEPTED,
    Lifecycle.INSTALLED,
    Lifecycle.CONNECTED,
)


@router.get("/c/{code}")
@router.get("/C/{code}")
async def component_page(code: str, request: Request, services: Given, person: Anybody) -> Response:
    component = component_of(services, code)
    line = services.store.get(OrderLine, line_key(component.order_id, component.mark))
    outline = outline_of(line)
    maker = services.plant.plant.plant.maker or services.plant.plant.plant.name
    values = {
        "piece": component,
        "path": svg_path(outline, outline.width),
        "length": outline.length,
        "width": outline.width,
        "maker": maker,
        "verdict": verdict(component),
        "steps": timeline(component),
        "place": lambda language: place_text(services, component, language),
        "position": component.position if not GLOBAL_ID.fullmatch(component.position) else "",
    }
    return pages_of(request).show(request, "component/component.html", values)


def place_text(services: Services, component: Component, language: str) -> str:
    """Where a piece is, in words: the kind of place, the bay or station by its name, and the slot in it."""
    plant = services.plant.plant
    names = {station.id: station.name for line in plant.lines for station in line.stations}
    names |= {bay.id: bay.name for bay in plant.yard}
    parts = [part for part in (*component.location.place.split("/"), component.location.slot) if part]
    words = [
        translate(language, f"place {part}", default=in_language(names.get(part), language) or part) for part in parts
    ]
    return " · ".join(words)


def verdict(component: Component) -> str:
    """The one thing a crew must know: hold, not conformant, conformant, or not inspected yet."""
    if component.hold:
        return "hold"
    if component.quality in (Quality.NON_CONFORMANT, Quality.REWORK) or component.lifecycle == Lifecycle.SCRAPPED:
        return "bad"
    return "good" if component.quality in (Quality.CONFORMANT, Quality.CONCESSION) else "open"


def timeline(component: Component) -> list[dict[str, Any]]:
    """The milestones with their time; those still to come have none. Steps off the usual way are added as they happened."""
    reached = {step.lifecycle: step for step in component.steps}
    rows: list[dict[str, Any]] = []
    for milestone in MILESTONES:
        step = reached.get(milestone)
        rows.append({"state": milestone, "at": step.at if step else None, "inferred": bool(step and step.inferred)})
    last = max((i for i, row in enumerate(rows) if row["at"]), default=-1)
    for index, row in enumerate(rows):
        row["now"] = index == last
    return rows
