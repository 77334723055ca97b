"""How far the orders are: pieces ordered, cast, finished and in the yard per storey, and the figures of the plant."""

from typing import Any

from mes.core.ports import Store
from mes.lines.plant import Plant
from mes.lines.run import PalletRun
from mes.orders.order import Order
from mes.tracking.component import Component
from mes.tracking.component import Lifecycle as L

Cell = dict[str, Any]
BEFORE_CAST = frozenset({L.DESIGNED, L.RELEASED, L.MOULD_READY, L.REINFORCED, L.PREPOUR_OK})
BEFORE_FINISHED = BEFORE_CAST | {L.CAST, L.CURING, L.DEMOULDED}
LOST = frozenset({L.SCRAPPED, L.REPLACED, L.CANCELLED})
OUT_OF_LINE = frozenset({L.NONCONFORMING, L.REPAIRING, L.FINISHED_OK})


def progress(store: Store) -> dict[str, Cell]:
    """One cell per storey (`order/building/storey`), in the order of the storeys of each order."""
    cells: dict[str, Cell] = {}
    for order in store.find(Order):
        for row in order.storeys:
            cells[f"{order.order_id}/{row.building}/{row.storey}"] = {
                "order": order.order_id,
                "project": order.project,
                "building": row.building,
                "storey": row.storey,
                "due": None if row.due is None else row.due.isoformat(),
                "ordered": 0,
                "cast": 0,
                "finished": 0,
                "stored": 0,
            }
    for component in store.find(Component):
        _count(cells, component)
    return cells


def _count(cells: dict[str, Cell], component: Component) -> None:
    state = component.lifecycle
    cell = cells.get(f"{component.order_id}/{component.building}/{component.storey}")
    if cell is None or state in LOST:
        return
    cell["ordered"] += 1
    cell["cast"] += state not in BEFORE_CAST
    cell["finished"] += state not in BEFORE_FINISHED | {L.NONCONFORMING, L.REPAIRING}
    cell["stored"] += state not in BEFORE_FINISHED | OUT_OF_LINE


def kpi(store: Store, plant: Plant, runs: list[PalletRun], cells: dict[str, Cell]) -> dict[str, Any]:
    """Counts for the head of the board; pieces, pallets on their way, slots used of all."""
    slots = sum(len(line.chamber.slots) for line in plant.lines if line.chamber)
    return {
        "ordered": sum(cell["ordered"] for cell in cells.values()),
        "cast": sum(cell["cast"] for cell in cells.values()),
        "finished": sum(cell["finished"] for cell in cells.values()),
        "stored": sum(cell["stored"] for cell in cells.values()),
        "pallets": sum(1 for run in runs if run.status != "planned" and run.pallet),
        "waiting": sum(1 for run in runs if run.status == "planned"),
        "slots_used": sum(1 for run in runs if run.slot),
        "slots": slots,
    }
