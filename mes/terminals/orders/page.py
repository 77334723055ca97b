"""Pages of orders: the list with the import form, and one order with its pieces."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mes.api.routes.common import Given, Viewer
from mes.api.routes.orders import order_of, order_row
from mes.orders.order import Order, OrderLine
from mes.store.views.progress import progress
from mes.store.views.shapes import outline_of, svg_path
from mes.terminals.shared.render import pages_of
from mes.tracking.component import Component

router = APIRouter(include_in_schema=False)


@router.get("/orders")
async def orders_page(request: Request, services: Given, person: Viewer) -> Response:
    cells = list(progress(services.store).values())
    rows = [order_row(order, cells) for order in services.store.find(Order)]
    return pages_of(request).show(request, "orders/orders.html", {"orders": rows})


@router.get("/orders/{order_id}")
async def order_page(order_id: str, request: Request, services: Given, person: Viewer) -> Response:
    order = order_of(services, order_id)
    row = order_row(order, list(progress(services.store).values()))
    pieces: dict[str, list[Component]] = {}
    for component in services.store.find(Component, order_id):
        pieces.setdefault(component.mark, []).append(component)
    lines = [_line(line, pieces.get(line.draft.mark, [])) for line in services.store.find(OrderLine, order_id)]
    return pages_of(request).show(request, "orders/order.html", {"order": row, "lines": lines})


def _line(line: OrderLine, pieces: list[Component]) -> dict[str, Any]:
    """A mark with its drawing and its pieces."""
    outline = outline_of(line)
    return {
        "draft": line.draft,
        "path": svg_path(outline, outline.width),
        "length": outline.length,
        "width": outline.width,
        "pieces": pieces,
    }
