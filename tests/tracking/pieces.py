"""Pieces for the tests of tracking: a story's hands on memory (`FakeTx`) and components brought to a state."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mes.core.event import Event, State
from mes.core.ids import SeededIds
from mes.tracking import component, scan
from mes.tracking.component import Component

CODE = "7K3M9QX2ABED"
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
KINDS = {kind.state: kind for kind in (component.KIND, scan.KIND)}
ORDER = {
    "serial_no": 1,
    "mark": "YWQ-015",
    "order_id": "O1",
    "family": "wall",
    "length_mm": 4200.0,
    "width_mm": 2900.0,
    "thickness_mm": 200.0,
}
MADE = [
    ("component_released", {}),
    ("mould_ready", {"pallet_run": "R1", "pallet": "P07", "by": "operator"}),
    ("component_reinforced", {"by": "operator"}),
    ("prepour_passed", {"by": "quality", "photos": ["a", "b", "c"]}),
    ("component_cast", {"by": "operator", "batches": ["B1"]}),
    ("curing_started", {"place": "chamber", "slot": "01-2"}),
    (
        "component_demoulded",
        {"by": "operator", "strength": {"strength_mpa": 21.5, "required_mpa": 15, "maturity": 400}},
    ),
    ("component_labelled", {"label_no": 1}),
    ("inspection_passed", {"by": "quality"}),
    ("component_stored", {"place": "A1", "slot": "3"}),
]


class FakeTx:
    """A story's Tx without a store: folds at once, keeps what was published."""

    def __init__(self, actor: str = "site", now: datetime = NOW) -> None:
        self.now, self.actor, self.ids = now, actor, SeededIds(1)
        self.states: dict[tuple[type[State], str], State] = {}
        self.events: list[Event] = []
        self.published: list[tuple[str, str, Any]] = []

    def get(self, model: type[Any], key: str) -> Any:
        return self.states.get((model, key))

    def find(self, model: type[Any], group: str | None = None) -> list[Any]:
        kind = KINDS[model]
        return [
            s
            for (m, _), s in sorted(self.states.items(), key=lambda i: i[0][1])
            if m is model and group in (None, kind.group(s))
        ]

    def append(self, model: type[State], key: str, type_: str, data: Mapping[str, Any]) -> None:
        event = Event(KINDS[model].name, key, type_, self.now, self.actor, data)
        self.states[model, key] = KINDS[model].apply(self.states.get((model, key)), event)
        self.events.append(event)

    def publish(self, kind: str, name: str, value: Any, *, unit: str = "", place: str = "") -> None:
        self.published.append((kind, name, value))


def made_until(last: str, tx: FakeTx | None = None) -> Component:
    """A component after the event `last` of its making."""
    tx = tx or FakeTx()
    actor, tx.actor = tx.actor, "line"
    tx.append(Component, CODE, "component_ordered", ORDER)
    for type_, data in MADE:
        if last == "component_ordered":
            break
        tx.append(Component, CODE, type_, data)
        if type_ == last:
            break
    tx.actor = actor
    found: Component = tx.get(Component, CODE)
    return found
