"""Story: an order is released: every piece of it gets an identity, a code that it keeps for life."""

from mes.core.errors import NotFound
from mes.core.ports import Tx
from mes.orders.component_type import Placement
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
        places = line.draft.placements or _unplaced(line)
        for place in places:
            serial += 1
            _create(tx, order, line, serial, place)
    tx.append(Order, order_id, "order_released", {})
    return tx.find(Component, order_id)


def _unplaced(line: OrderLine) -> list[Placement]:
    """Pieces whose places in the building the file does not tell."""
    draft = line.draft
    ids = [*draft.global_ids, *[""] * draft.quantity][: draft.quantity]
    return [Placement(global_id=i, building=draft.building, storey=draft.storey) for i in ids]


def _create(tx: Tx, order: Order, line: OrderLine, serial: int, place: Placement) -> None:
    draft = line.draft
    code = new_code(tx.ids.number())
    while tx.get(Component, code) is not None:
        code = new_code(tx.ids.number())
    ordered = {
        "serial_no": serial,
        "mark": draft.mark,
        "order_id": order.order_id,
        "project": order.project,
        "building": place.building,
        "storey": place.storey,
        "position": place.position or place.global_id,
        "family": draft.family,
        "concrete_class": draft.concrete_class,
        "mass_kg": draft.mass_kg,
        "volume_m3": draft.volume_m3,
        "length_mm": draft.length_mm,
        "width_mm": draft.width_mm,
        "thickness_mm": draft.thickness_mm,
        "strip_strength_mpa": draft.form_stripping_strength_mpa,
        "lift_strength_mpa": draft.lifting_strength_mpa,
    }
    tx.append(Component, code, "component_ordered", ordered)
    tx.append(Component, code, "component_released", {})
