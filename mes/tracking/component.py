"""A component: one piece of concrete with a code, from the drawing to the building, as the fold of its events.

Life cycle, quality, hold and location are four separate things. Each event of `STATE_AFTER` moves the life cycle;
what else an event tells (pallet, batches, photos, strength, …) is taken from its data by name.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from mes.core.errors import RuleBroken
from mes.core.event import Event, State, StreamKind


class Lifecycle(StrEnum):
    DESIGNED = "designed"
    RELEASED = "released"
    MOULD_READY = "mould_ready"
    REINFORCED = "reinforced"
    PREPOUR_OK = "prepour_ok"
    CAST = "cast"
    CURING = "curing"
    DEMOULDED = "demoulded"
    FINISHED_OK = "finished_ok"
    STORED = "stored"
    STAGED = "staged"
    LOADED = "loaded"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"
    SITE_ACCEPTED = "site_accepted"
    SITE_STORED = "site_stored"
    HOISTING = "hoisting"
    INSTALLED = "installed"
    CONNECTED = "connected"
    HANDED_OVER = "handed_over"
    NONCONFORMING = "nonconforming"
    REPAIRING = "repairing"
    RETURNED = "returned"
    SCRAPPED = "scrapped"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


class Quality(StrEnum):
    NONE = "none"
    PENDING = "pending"
    CONFORMANT = "conformant"
    NON_CONFORMANT = "non_conformant"
    REWORK = "rework"
    CONCESSION = "concession"


class Location(State):
    """Where a piece is: a place (station, bay, vehicle, site zone, floor) and, inside it, a slot."""

    place: str = ""
    slot: str = ""


class Step(State):
    """When a state of the life cycle was entered and by whom; `inferred` steps were missed and concluded from a later one."""

    lifecycle: Lifecycle
    at: datetime
    by: str = ""
    inferred: bool = False


class StrengthRecord(State):
    """The strength a piece was released with: from its maturity or from cubes (MPa; maturity in the mix's own unit)."""

    strength_mpa: float | None = None
    required_mpa: float
    maturity: float | None = None
    source: Literal["maturity", "cube"] = "maturity"
    note: str = ""


class LastScan(State):
    """The scan that may still be undone, with what it changed."""

    event_id: str
    action: str
    by: str
    at: datetime
    lifecycle: Lifecycle
    step_count: int
    quality: Quality
    hold: bool
    hold_reason: str
    location: Location


class Component(State):
    """One physical piece; `code` is its key, `order_id` its group. People are user names. Units as in the names."""

    code: str
    serial_no: int
    mark: str
    order_id: str
    project: str = ""
    building: str = ""
    storey: str = ""
    position: str = ""
    family: str = ""
    concrete_class: str = ""
    mass_kg: float = 0
    volume_m3: float = 0
    length_mm: float = 0
    width_mm: float = 0
    thickness_mm: float = 0
    strip_strength_mpa: float | None = None
    lift_strength_mpa: float | None = None
    lifecycle: Lifecycle = Lifecycle.DESIGNED
    quality: Quality = Quality.NONE
    hold: bool = False
    hold_reason: str = ""
    location: Location = Location()
    pallet_run: str = ""
    pallet: str = ""
    label_no: int = 0
    made_by: tuple[str, ...] = ()
    inspected_by: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    strength: StrengthRecord | None = None
    photos: tuple[str, ...] = ()
    cast_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    last_scan: LastScan | None = None

    def step(self, lifecycle: Lifecycle) -> Step | None:
        """The last time this state was entered, or None."""
        return next((step for step in reversed(self.steps) if step.lifecycle == lifecycle), None)


L = Lifecycle
STATE_AFTER: dict[str, Lifecycle | None] = {
    "component_ordered": L.DESIGNED,
    "component_released": L.RELEASED,
    "component_planned": None,
    "component_cancelled": L.CANCELLED,
    "mould_ready": L.MOULD_READY,
    "component_reinforced": L.REINFORCED,
    "prepour_passed": L.PREPOUR_OK,
    "prepour_failed": L.REINFORCED,
    "component_cast": L.CAST,
    "curing_started": L.CURING,
    "strength_recorded": None,
    "component_demoulded": L.DEMOULDED,
    "component_labelled": None,
    "component_relocated": None,
    "inspection_passed": L.FINISHED_OK,
    "inspection_failed": L.NONCONFORMING,
    "component_stored": L.STORED,
    "component_staged": L.STAGED,
    "component_loaded": L.LOADED,
    "component_departed": L.IN_TRANSIT,
    "component_arrived": L.ARRIVED,
    "component_received": L.SITE_ACCEPTED,
    "component_rejected": L.NONCONFORMING,
    "component_placed": L.SITE_STORED,
    "component_hoisted": L.HOISTING,
    "component_installed": L.INSTALLED,
    "component_grouted": L.CONNECTED,
    "component_handed_over": L.HANDED_OVER,
    "component_held": None,
    "hold_lifted": None,
    "defect_found": L.NONCONFORMING,
    "repair_started": L.REPAIRING,
    "component_returned": L.RETURNED,
    "component_scrapped": L.SCRAPPED,
    "component_replaced": L.REPLACED,
    "step_confirmed": None,
    "scan_voided": None,
}
PRODUCING = frozenset({"mould_ready", "component_reinforced", "component_cast", "component_demoulded"})
INSPECTING = frozenset({"prepour_passed", "inspection_passed", "component_received"})
QUALITY_AFTER = {
    "component_demoulded": Quality.PENDING,
    "inspection_passed": Quality.CONFORMANT,
    "inspection_failed": Quality.NON_CONFORMANT,
    "component_rejected": Quality.NON_CONFORMANT,
    "defect_found": Quality.NON_CONFORMANT,
    "repair_started": Quality.REWORK,
}
PLAIN_FIELDS = ("pallet_run", "pallet", "label_no")


def apply(state: Component | None, event: Event) -> Component:
    """The component after one more event. Raises RuleBroken(code="event_unknown") on events it does not know.

    Data by name: place, slot, pallet_run, pallet, label_no, batches, photos, strength, reason, by (else the actor),
    at (of the scan), inferred, event_id and action (of a scan).
    """
    if event.type not in STATE_AFTER:
        raise RuleBroken(f"A component has no event {event.type}.", code="event_unknown")
    data = dict(event.data)
    by = str(data.get("by") or event.actor)
    at = _moment(data.get("at")) or event.at
    if event.type == "component_ordered":
        step = Step(lifecycle=L.DESIGNED, at=at, by=by)
        return Component.model_validate({**data, "code": event.key, "steps": (step,)})
    if state is None:
        raise RuleBroken(f"Component {event.key} was never ordered.", code="component_unknown")
    if event.type == "scan_voided":
        return _undone(state)
    changes = {**_told(state, data), **_judged(state, event.type, data, by)}
    target = STATE_AFTER[event.type]
    if target is not None:
        step = Step(lifecycle=target, at=at, by=by, inferred=bool(data.get("inferred")))
        changes |= {"lifecycle": target, "steps": (*state.steps, step)}
    if event.type == "component_cast":
        changes["cast_at"] = at
    if event.type == "step_confirmed":
        changes["steps"] = _confirmed(state, L(data["lifecycle"]), at, by)
    elif data.get("event_id") and not data.get("inferred"):
        changes["last_scan"] = _scan(state, data, at, by)
    elif target is not None and not data.get("inferred"):
        changes["last_scan"] = None
    return state.model_copy(update=changes)


KIND = StreamKind("component", Component, apply, lambda state: state.order_id)


def _told(state: Component, data: dict[str, Any]) -> dict[str, Any]:
    """Fields that events tell under their own names."""
    changes: dict[str, Any] = {name: data[name] for name in PLAIN_FIELDS if name in data}
    if "place" in data or "slot" in data:
        changes["location"] = Location(place=str(data.get("place", "")), slot=str(data.get("slot", "")))
    for name in ("batches", "photos"):
        if data.get(name):
            changes[name] = _joined(getattr(state, name), *data[name])
    if data.get("strength"):
        changes["strength"] = StrengthRecord.model_validate(data["strength"])
    return changes


def _judged(state: Component, type_: str, data: dict[str, Any], by: str) -> dict[str, Any]:
    """What an event says about quality, hold, makers and inspectors."""
    changes: dict[str, Any] = {}
    if type_ in QUALITY_AFTER:
        changes["quality"] = QUALITY_AFTER[type_]
    if data.get("concession"):
        changes["quality"] = Quality.CONCESSION
    if type_ == "component_held":
        changes |= {"hold": True, "hold_reason": str(data.get("reason", ""))}
    if type_ == "hold_lifted":
        changes |= {"hold": False, "hold_reason": ""}
    if type_ in PRODUCING and by:
        changes["made_by"] = _joined(state.made_by, by)
    if type_ in INSPECTING and by and not data.get("inferred"):
        changes["inspected_by"] = _joined(state.inspected_by, by)
    return changes


def _joined(old: tuple[str, ...], *new: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def _scan(state: Component, data: dict[str, Any], at: datetime, by: str) -> LastScan:
    return LastScan(
        event_id=str(data["event_id"]),
        action=str(data.get("action", "")),
        by=by,
        at=at,
        lifecycle=L(data.get("before", state.lifecycle)),
        step_count=int(data.get("before_steps", len(state.steps))),
        quality=state.quality,
        hold=state.hold,
        hold_reason=state.hold_reason,
        location=state.location,
    )


def _undone(state: Component) -> Component:
    """The state before the last scan; the steps it added are taken back, the log keeps everything."""
    scan = state.last_scan
    if scan is None:
        return state
    restored = scan.model_dump(include={"lifecycle", "quality", "hold", "hold_reason"})
    return state.model_copy(
        update={**restored, "location": scan.location, "steps": state.steps[: scan.step_count], "last_scan": None}
    )


def _confirmed(state: Component, lifecycle: Lifecycle, at: datetime, by: str) -> tuple[Step, ...]:
    """A step that was inferred is now known."""
    return tuple(
        Step(lifecycle=lifecycle, at=at, by=by) if s.lifecycle == lifecycle and s.inferred else s for s in state.steps
    )


def _moment(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value))
