"""How far the ordered pieces are: the one count that the demo, the simulation and the command line share."""

from mes.core.ports import Store
from mes.lines.run import PalletRun
from mes.orders.order import OrderLine
from mes.tracking.component import Component, Lifecycle, Quality


def finished(component: Component) -> bool:
    """In the yard or further, with a passed outgoing inspection."""
    passed = component.step(Lifecycle.FINISHED_OK) is not None and component.quality == Quality.CONFORMANT
    return passed and component.step(Lifecycle.STORED) is not None


def progress(store: Store) -> dict[str, int]:
    components = store.find(Component)
    return {
        "components_ordered": sum(line.draft.quantity for line in store.find(OrderLine)),
        "components_finished": sum(1 for c in components if finished(c)),
        "labels": sum(1 for c in components if c.label_no > 0),
        "scanned": sum(1 for c in components if c.last_scan is not None),
        "scrapped": sum(1 for c in components if c.lifecycle == Lifecycle.SCRAPPED),
    }


def complete(store: Store) -> bool:
    """Every ordered piece is finished and scanned, or scrapped, and no pallet is under way."""
    counted = progress(store)
    settled = counted["components_finished"] + counted["scrapped"]
    runs = store.find(PalletRun)
    idle = all(run.status in ("finished", "scrapped") for run in runs)
    scanned = counted["scanned"] >= counted["components_finished"]
    return bool(runs) and idle and scanned and settled == counted["components_ordered"]
