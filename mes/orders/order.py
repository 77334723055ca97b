"""An order: the pieces that one file asks for, and when each storey of each building needs them on site.

Streams: `order/{order_id}` (order_taken, order_released, due_set) and `order_line/{order_id}/{mark}` (order_line_added).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from mes.core.event import Event, State, StreamKind
from mes.orders.component_type import ComponentDraft

FINDINGS_KEPT = 200


class StoreyDue(State):
    """When a storey is needed: `due` and `sequence` (order of erection, 1 first) are None until the site calls them off."""

    building: str
    storey: str
    due: date | None = None
    sequence: int | None = None


class Order(State):
    order_id: str
    project: str
    buildings: list[str]
    file_name: str
    file_sha256: str
    source: str
    released: bool = False
    storeys: list[StoreyDue] = []
    line_ids: list[str] = []
    findings: list[dict[str, Any]] = []
    excluded: list[dict[str, Any]] = []
    taken_at: datetime | None = None
    released_at: datetime | None = None

    def due_of(self, building: str, storey: str) -> StoreyDue | None:
        """The due row of a storey, or None where the order has no such storey."""
        return next((row for row in self.storeys if (row.building, row.storey) == (building, storey)), None)


class OrderLine(State):
    """One mark of an order with all that the file says about it."""

    order_id: str
    draft: ComponentDraft

    @property
    def line_id(self) -> str:
        return line_key(self.order_id, self.draft.mark)


def line_key(order_id: str, mark: str) -> str:
    return f"{order_id}/{mark}"


def order_taken(
    order_id: str,
    *,
    project: str,
    file_name: str,
    file_sha256: str,
    source: str,
    drafts: Sequence[ComponentDraft],
    findings: Sequence[Mapping[str, Any]] = (),
    excluded: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Data of the event `order_taken`: buildings and storeys come from the places of the pieces; of the findings the first are kept."""
    places = {(p.building, p.storey): None for d in drafts for p in d.placements}
    places |= {(d.building, d.storey): None for d in drafts if not d.placements}
    return {
        "order_id": order_id,
        "project": project,
        "buildings": list({building: None for building, _ in places}),
        "file_name": file_name,
        "file_sha256": file_sha256,
        "source": source,
        "storeys": [{"building": building, "storey": storey} for building, storey in places],
        "line_ids": [line_key(order_id, draft.mark) for draft in drafts],
        "findings": [dict(row) for row in findings[:FINDINGS_KEPT]],
        "excluded": [dict(row) for row in excluded[:FINDINGS_KEPT]],
    }


def order_line_added(order_id: str, draft: ComponentDraft) -> dict[str, Any]:
    """Data of the event `order_line_added`."""
    return {"order_id": order_id, "draft": draft.model_dump(mode="json")}


def due_set(rows: Iterable[StoreyDue]) -> dict[str, Any]:
    """Data of the event `due_set`: the rows replace those of the same building and storey; None takes a date back."""
    return {"rows": [row.model_dump(mode="json") for row in rows]}


def apply_order(state: Order | None, event: Event) -> Order:
    if event.type == "order_taken":
        return Order(**{**event.data, "taken_at": event.at})
    if state is None:
        raise ValueError(f"{event.type} of an order that was never taken: {event.key}")
    if event.type == "order_released":
        return state.model_copy(update={"released": True, "released_at": event.at})
    if event.type == "due_set":
        return state.model_copy(update={"storeys": _merged(state.storeys, event.data["rows"])})
    raise ValueError(f"unknown event of an order: {event.type}")


def apply_order_line(state: OrderLine | None, event: Event) -> OrderLine:
    if event.type == "order_line_added":
        return OrderLine.model_validate(dict(event.data))
    raise ValueError(f"unknown event of an order line: {event.type}")


def _merged(storeys: Sequence[StoreyDue], rows: Sequence[Mapping[str, Any]]) -> list[StoreyDue]:
    merged = {(row.building, row.storey): row for row in storeys}
    for data in rows:
        row = StoreyDue.model_validate(dict(data))
        merged[row.building, row.storey] = row
    return list(merged.values())


KINDS = [
    StreamKind("order", Order, apply_order, group=lambda order: order.project),
    StreamKind("order_line", OrderLine, apply_order_line, group=lambda line: line.order_id),
]
