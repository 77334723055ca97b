"""Story: an order is released: every piece of it gets an identity, a code that it keeps for life."""

from collections.abc import Sequence

from mes.core.errors import NotFound, RuleBroken
from mes.core.ports import Store, Tx
from mes.flows.build_problem import build_problem
from mes.lines.plant import Line
from mes.lines.plant_file import PlantFolder
from mes.orders.component_type import Placement
from mes.orders.order import Order, OrderLine
from mes.planning.nesting.nest import refuse_impossible
from mes.tracking.code import new_code
from mes.tracking.component import Component, Lifecycle


def to_plan(memory: Store | Tx) -> list[Component]:
    """Released pieces that are on no pallet yet."""
    return [c for c in memory.find(Component) if not c.pallet_run and c.lifecycle == Lifecycle.RELEASED]


def release_orders(tx: Tx, folder: PlantFolder, line: Line, order_ids: Sequence[str]) -> None:
    """Releases orders that the line can make. Raises RuleBroken or NoFeasiblePlan for pieces it cannot make; then nothing is released."""
    for order_id in order_ids:
        release_order(tx, order_id)
    waiting = to_plan(tx)
    if not waiting:
        raise RuleBroken(
            "There is no piece to plan.",
            code="nothing_to_plan",
            hint="Import an order first; all known pieces are planned.",
        )
    problem = build_problem(tx, folder, line, waiting, tx.now)
    refuse_impossible(problem.pieces, problem.line)


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
