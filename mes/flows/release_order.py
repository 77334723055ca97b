"""Story: an order is released: every piece of it gets an identity, a code that it keeps for life."""

from mes.core.errors import NotFound
from mes.core.ports import Tx
from mes.orders.order import Order, OrderLine
from mes.tracking.code import new_code
from mes.tracking.component import Component


def release_order(tx: Tx, order_id: str) -> list[Component]:
    """Creates the components of an order once; a second release gives those that exist."""
    order = tx.get(Order, order_id)
    if order is None:
        raise NotFound(f"There is no order {order_id}.", hint="Choose one of the list of orders.")
    if order.released:
        return tx.find(Component, order_id)
    serial = 0
    for line in tx.find(OrderLine, order_id):
        for place in line.draft.placements or [None] * line.draft.quantity:
            serial += 1
            _create(tx, order, line, serial, place)
    tx.append(Order, order_id, "order_released", {})
    return tx.find(Component, order_id)


def _create(tx: Tx, order: Order, line: OrderLine, serial: int, place: "object") -> None:
    draft = line.draft
    code = new_code(tx.ids.number())
    while tx.get(Component, code) is not None:
        code = new_code(tx.ids.number())
    tx.append(Component, code, "component_designed", {})
