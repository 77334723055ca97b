"""Scans: what a phone, a scanner or a station sends, what it gets back, and the exceptions that people settle later.

A scan is a fact and is never dropped: when it breaks a rule it is kept as a `ScanException` and the component stays as it was.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from mes.core.errors import RuleBroken
from mes.core.event import Event, State, StreamKind
from mes.core.rules import RuleSet
from mes.tracking.component import Component, Lifecycle, Location, Quality
from mes.tracking.lifecycle import Broken, NewEvent, decide, state_name

Action = Literal[
    "stored", "staged", "loaded", "departed", "arrived", "received", "placed", "hoisted",
    "installed", "grouted", "inspected", "held", "released", "defect", "returned", "void",
]  # fmt: skip
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
SUPERVISORS = frozenset({"shift_lead", "quality", "admin"})
PASSED_ON = ("reason", "passed", "accepted", "concession", "slot", "note")


class ScanCommand(BaseModel):
    """One scan: `code` as read (address or symbols), `at` when it happened, `evidence` SHA-256 of photos, `data` free."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
    code: Annotated[str, Field(min_length=1, max_length=300)]
    action: Action
    place: Annotated[str, Field(max_length=100)] = ""
    at: AwareDatetime
    device: Annotated[str, Field(max_length=100)] = ""
    evidence: Annotated[list[Sha256], Field(max_length=50)] = []
    data: dict[str, Any] = {}


class ScanAnswer(State):
    """What the scanner is told. `status` 201: done; 409: `rule` was broken and the scan is kept as `exception_id`."""

    status: int
    event_id: str
    code: str
    lifecycle: Lifecycle | None = None
    lifecycle_zh: str = ""
    lifecycle_en: str = ""
    quality: Quality | None = None
    hold: bool = False
    location: Location = Location()
    inferred: tuple[Lifecycle, ...] = ()
    warnings: tuple[str, ...] = ()
    rule: str = ""
    message_zh: str = ""
    message_en: str = ""
    stored: bool = True
    exception_id: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The HTTP body: the new state, or an RFC 9457 problem whose `code` is the broken rule."""
        told = self.model_dump(mode="json")
        if not self.rule:
            return told
        problem = {
            "type": "about:blank",
            "title": "The scan breaks a rule.",
            "code": self.rule,
            "detail": self.message_en,
            "component": self.code,
        }
        return {**told, **problem}


class ScanException(State):
    """A scan that broke a rule, until somebody settles it (confirmed late, fixed or void, with a reason)."""

    exception_id: str
    code: str
    action: str
    place: str = ""
    at: datetime
    received_at: datetime
    actor: str = ""
    device: str = ""
    evidence: tuple[str, ...] = ()
    data: dict[str, Any] = {}
    rule: str
    message_zh: str
    message_en: str
    status: Literal["open", "confirmed", "fixed", "void"] = "open"
    settled_by: str = ""
    settled_at: datetime | None = None
    settle_reason: str = ""


@dataclass(frozen=True)
class ScanPolicy:
    """The values of rule pack `scan` that a scan is judged by; the defaults are the product's own pack."""

    undo_within: timedelta = timedelta(minutes=10)
    future_max: timedelta = timedelta(minutes=5)
    photos_min: Mapping[str, int] = field(default_factory=lambda: {"installed": 3, "received": 2})

    @classmethod
    def of(cls, rules: RuleSet) -> "ScanPolicy":
        prefix = "scan.photos_min."
        photos = {r.id.removeprefix(prefix): int(rules.number(r.id)) for r in rules.rules if r.id.startswith(prefix)}
        return cls(
            undo_within=timedelta(minutes=rules.number("scan.undo_within")),
            future_max=timedelta(minutes=rules.number("scan.future_clamp")),
            photos_min=photos,
        )


DEFAULT_POLICY = ScanPolicy()


@dataclass(frozen=True)
class Judgement:
    """Events for the component, or the rule the scan broke; warnings never stop a scan."""

    events: tuple[NewEvent, ...] = ()
    broken: Broken | None = None
    inferred: tuple[Lifecycle, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def judge(
    component: Component | None,
    command: ScanCommand,
    actor: str,
    roles: Collection[str],
    now: datetime,
    policy: ScanPolicy = DEFAULT_POLICY,
) -> Judgement:
    """What a scan does. `now` is when it is received; a clock too far ahead is set back to it and flagged."""
    if component is None:
        return Judgement(
            broken=Broken("component_unknown", "没有这个编码的构件。", "There is no component with this code.")
        )
    at, flags = scan_time(command.at, now, policy)
    warnings = (*flags, *_photo_warning(command, policy))
    if command.action == "void":
        return _void(component, command, actor, roles, at, warnings, policy)
    told = {name: command.data[name] for name in PASSED_ON if name in command.data}
    decision = decide(component, command.action, actor, roles, told)
    if decision.broken is not None:
        return Judgement(broken=decision.broken, warnings=warnings)
    facts = _facts(component, command, at, warnings)
    *missed, own = decision.events
    events = [NewEvent(event.type, {**event.data, "at": at.isoformat()}) for event in missed]
    events.append(NewEvent(own.type, {**own.data, **facts}))
    return Judgement(tuple(events), None, decision.inferred, warnings)


def unreadable(error: RuleBroken) -> Judgement:
    """The judgement on a scan whose code cannot be read; `error` is what `code.parse` raised."""
    return Judgement(broken=Broken(error.code, "编码不正确，请重新扫码或输入。", str(error)))


def scan_time(at: datetime, now: datetime, policy: ScanPolicy = DEFAULT_POLICY) -> tuple[datetime, tuple[str, ...]]:
    """When a scan counts as done, in UTC, and flags about the clock of the device."""
    if at > now + policy.future_max:
        return now, ("clock_ahead",)
    return at.astimezone(UTC), ()


def answer(command: ScanCommand, component: Component | None, judgement: Judgement, code: str) -> ScanAnswer:
    """The answer to a scan, with the component's state after it."""
    broken = judgement.broken
    state: dict[str, Any] = {}
    if component is not None:
        state = {
            "lifecycle": component.lifecycle,
            "lifecycle_zh": state_name(component.lifecycle, "zh"),
            "lifecycle_en": state_name(component.lifecycle, "en"),
            "quality": component.quality,
            "hold": component.hold,
            "location": component.location,
        }
    return ScanAnswer(
        status=409 if broken else 201,
        event_id=command.event_id,
        code=code,
        **state,
        inferred=judgement.inferred,
        warnings=judgement.warnings,
        rule=broken.code if broken else "",
        message_zh=broken.zh if broken else "",
        message_en=broken.en if broken else "",
        exception_id=command.event_id if broken else None,
    )


def refusal(command: ScanCommand, broken: Broken, code: str) -> dict[str, Any]:
    """The data of the event `scan_refused` that keeps a scan as an exception."""
    return {
        "code": code,
        "action": command.action,
        "place": command.place,
        "at": command.at.isoformat(),
        "device": command.device,
        "evidence": list(command.evidence),
        "data": dict(command.data),
        "rule": broken.code,
        "message_zh": broken.zh,
        "message_en": broken.en,
    }


def apply(state: ScanException | None, event: Event) -> ScanException:
    """The exception after `scan_refused` and `exception_settled` {status, reason}."""
    data = dict(event.data)
    if event.type == "scan_refused":
        fields = {**data, "exception_id": event.key, "received_at": event.at, "actor": event.actor}
        return ScanException.model_validate(fields)
    if state is None or event.type != "exception_settled":
        raise RuleBroken(f"A scan exception has no event {event.type} now.", code="event_unknown")
    settled = {
        "status": data["status"],
        "settle_reason": data["reason"],
        "settled_by": event.actor,
        "settled_at": event.at,
    }
    return ScanException.model_validate({**state.model_dump(), **settled})


KIND = StreamKind("scan_exception", ScanException, apply, lambda state: "open" if state.status == "open" else "settled")


def _facts(component: Component, command: ScanCommand, at: datetime, warnings: tuple[str, ...]) -> dict[str, Any]:
    """What every event of a scan carries."""
    facts: dict[str, Any] = {
        "event_id": command.event_id,
        "action": command.action,
        "at": at.isoformat(),
        "device": command.device,
        "before": component.lifecycle.value,
        "before_steps": len(component.steps),
    }
    if command.place:
        facts |= {"place": command.place, "slot": str(command.data.get("slot", ""))}
    if command.evidence:
        facts["photos"] = list(command.evidence)
    if warnings:
        facts["warnings"] = list(warnings)
    return facts


def _photo_warning(command: ScanCommand, policy: ScanPolicy) -> tuple[str, ...]:
    return ("photos_missing",) if len(command.evidence) < policy.photos_min.get(command.action, 0) else ()


def _void(
    component: Component,
    command: ScanCommand,
    actor: str,
    roles: Collection[str],
    at: datetime,
    warnings: tuple[str, ...],
    policy: ScanPolicy,
) -> Judgement:
    """Takes the last scan back: its own user within a few minutes, a supervisor later."""
    last = component.last_scan
    wanted = command.data.get("event_id")
    if last is None or (wanted and wanted != last.event_id):
        return Judgement(broken=Broken("nothing_to_void", "没有可撤销的扫码。", "There is no scan to take back."))
    own = last.by == actor and at - last.at <= policy.undo_within
    if not own and not SUPERVISORS & set(roles):
        minutes = int(policy.undo_within.total_seconds() // 60)
        en = f"Only the person who scanned takes a scan back within {minutes} minutes; later a supervisor does."
        return Judgement(broken=Broken("void_not_allowed", f"{minutes}分钟内由本人撤销，之后由主管撤销。", en))
    data = {"event_id": command.event_id, "voided": last.event_id, "reason": str(command.data.get("reason", ""))}
    return Judgement((NewEvent("scan_voided", {**data, "at": at.isoformat()}),), warnings=warnings)
