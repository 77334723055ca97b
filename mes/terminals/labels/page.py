"""The labels page: find pieces by code, mark or storey and print their labels."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mes.api.routes.common import Given, Viewer
from mes.orders.order import Order
from mes.terminals.shared.render import pages_of
from mes.tracking.component import Component

router = APIRouter(include_in_schema=False)
SHOWN = 60


@router.get("/labels")
async def labels_page(request: Request, services: Given, person: Viewer, q: str = "") -> Response:
    wanted = q.strip().upper().replace("-", "")
    found = [
        component
        for component in services.store.find(Component)
        if wanted in component.code or wanted in component.mark.upper().replace("-", "")
    ]
    values = {"q": q, "found": found[:SHOWN], "count": len(found), "orders": services.store.find(Order)}
    return pages_of(request).show(request, "labels/labels.html", values)
