"""Story: an imported file becomes an order with one line for each mark."""

from collections.abc import Mapping, Sequence
from typing import Any

from mes.core.errors import IntakeRejected
from mes.core.ports import Tx
from mes.orders.component_type import ComponentDraft
from mes.orders.order import Order, OrderLine, line_key, order_line_added, order_taken


def take_in_order(
    tx: Tx,
    *,
    project: str,
    file_name: str,
    file_sha256: str,
    source: str,
    drafts: list[ComponentDraft],
    findings: Sequence[Mapping[str, Any]] = (),
    excluded: Sequence[Mapping[str, Any]] = (),
) -> Order:
    """The same file of the same project is taken in once; a second time gives the first order."""
    if not drafts:
        raise IntakeRejected(
            f"{file_name} contains no precast piece; nothing was imported.",
            code="no_precast_part",
            hint="Import with --profile design if walls, slabs, stairs, beams and columns of an ordinary model shall become pieces.",
        )
    known = next((o for o in tx.find(Order, project) if o.file_sha256 == file_sha256), None)
    if known is not None:
        return known
    order_id = f"O-{tx.ids.uuid()[-12:].upper()}"
    data = order_taken(
        order_id,
        project=project,
        file_name=file_name,
        file_sha256=file_sha256,
        source=source,
        drafts=drafts,
        findings=findings,
        excluded=excluded,
    )
    tx.append(Order, order_id, "order_taken", data)
    for draft in drafts:
        tx.append(OrderLine, line_key(order_id, draft.mark), "order_line_added", order_line_added(order_id, draft))
    tx.publish("event", "order-taken", order_id)
    order = tx.get(Order, order_id)
    assert order is not None
    return order
