"""Story: the site calls a storey off, or changes the call-off: need-by date and place in the erection sequence."""

from collections.abc import Sequence

from mes.core.errors import Finding, IntakeRejected, NotFound
from mes.core.ports import Tx
from mes.orders.order import Order, StoreyDue, due_set


def set_due(tx: Tx, order_id: str, rows: Sequence[StoreyDue]) -> Order:
    """Every row must name a storey of the order, otherwise nothing is changed and all wrong rows are named."""
    order = tx.get(Order, order_id)
    if order is None:
        raise NotFound(f"There is no order {order_id}.", hint="Choose one of the list of orders.")
    wrong = [row for row in rows if order.due_of(row.building, row.storey) is None]
    if wrong:
        known = ", ".join(f"{s.building}/{s.storey}" for s in order.storeys)
        findings = [
            Finding("error", "storey_unknown", f"{row.building}/{row.storey} is not in the order.") for row in wrong
        ]
        raise IntakeRejected(
            f"{len(wrong)} row(s) name a storey that order {order_id} does not have; it has {known}.",
            code="storey_unknown",
            findings=findings,
        )
    changed = [row for row in rows if row != order.due_of(row.building, row.storey)]
    if changed:
        tx.append(Order, order_id, "due_set", due_set(changed))
    after = tx.get(Order, order_id)
    assert after is not None
    return after
