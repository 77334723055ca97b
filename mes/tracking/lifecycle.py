"""The life cycle of a component as a table, and the pure rule that decides what a scan does to it.

Hard gates: without label and passed outgoing inspection nothing leaves the plant; without site acceptance nothing is
placed, hoisted or installed; a hold stops everything but its own settling; nobody inspects what they made.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mes.tracking.component import Component, Lifecycle, Quality
from mes.tracking.lifecycle_table import (
    ACTIONS,
    CHAIN,
    FINAL,
    INFERABLE,
    OPTIONAL,
    STATE_NAMES,
    UNHELD_ACTIONS,
    ActionRule,
)

LEAVING = frozenset({"loaded", "departed", "arrived", "received"})
USING = frozenset({"placed", "hoisted", "installed", "grouted"})
GOOD = (Quality.CONFORMANT, Quality.CONCESSION)
EVENT_OF_STATE = {
    Lifecycle.STORED: "component_stored",
    Lifecycle.LOADED: "component_loaded",
    Lifecycle.IN_TRANSIT: "component_departed",
    Lifecycle.ARRIVED: "component_arrived",
    Lifecycle.HOISTING: "component_hoisted",
}


@dataclass(frozen=True)
class Broken:
    """The rule that a scan broke: stable code and one sentence in each language."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class NewEvent:
    """An event to append to the component's stream."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """Either events to append, or the rule that forbids them; never both."""

    events: tuple[NewEvent, ...] = ()
    broken: Broken | None = None
    inferred: tuple[Lifecycle, ...] = ()


def decide(
    component: Component, action: str, actor: str, roles: Collection[str], data: Mapping[str, Any] | None = None
) -> Decision:
    """What an action does to a component. `data` may hold passed, accepted, reason; it is kept in the events."""
    told = dict(data or {})
    rule = ACTIONS.get(action)
    if rule is None:
        return Decision(broken=Broken("action_unknown", f"没有操作“{action}”。", f"There is no action {action}."))
    broken = (
        _role(rule, action, roles)
        or _final(component)
        or _held(component, action)
        or _gates(component, action)
        or _four_eyes(component, action, actor)
        or _incomplete(action, told)
    )
    if broken is not None:
        return Decision(broken=broken)
    if rule.target is None:
        return _marked(component, action, told)
    return _moved(component, action, rule, told)


def state_name(lifecycle: Lifecycle, language: str) -> str:
    return STATE_NAMES[lifecycle][0 if language == "zh" else 1]


def _role(rule: ActionRule, action: str, roles: Collection[str]) -> Broken | None:
    if set(rule.roles) & set(roles):
        return None
    needed = ", ".join(rule.roles)
    return Broken(
        "role_missing", f"操作“{rule.zh}”需要角色：{needed}。", f"Action {action} needs one of the roles {needed}."
    )


def _final(component: Component) -> Broken | None:
    if component.lifecycle not in FINAL:
        return None
    zh, en = STATE_NAMES[component.lifecycle]
    return Broken("component_final", f"构件{zh}，不能再操作。", f"The component is {en}; nothing more happens to it.")


def _held(component: Component, action: str) -> Broken | None:
    if not component.hold or action in UNHELD_ACTIONS:
        return None
    why = component.hold_reason or "—"
    return Broken("on_hold", f"构件已锁定：{why}。", f"The component is on hold: {why}.")


def _gates(component: Component, action: str) -> Broken | None:
    if action in LEAVING:
        if component.label_no < 1:
            return Broken(
                "label_missing", "构件没有标识，不得出厂。", "The component has no label; it must not leave the plant."
            )
        if component.quality not in GOOD or component.step(Lifecycle.FINISHED_OK) is None:
            return Broken(
                "outgoing_inspection_missing",
                "构件未通过成品检验，不得出厂。",
                "The component has not passed its outgoing inspection; it must not leave the plant.",
            )
    if action in USING and not _accepted(component):
        return Broken(
            "site_acceptance_missing",
            "构件未经进场验收，不得使用。",
            "The component has not been accepted on site; it must not be used.",
        )
    return None


def _accepted(component: Component) -> bool:
    """Accepted on site since it last left the plant's stock, and still good."""
    accepted = component.step(Lifecycle.SITE_ACCEPTED)
    if accepted is None or component.quality not in GOOD:
        return False
    later = component.steps[component.steps.index(accepted) :]
    return not any(step.lifecycle in (Lifecycle.RETURNED, Lifecycle.STORED) for step in later)


def _four_eyes(component: Component, action: str, actor: str) -> Broken | None:
    if action != "inspected" or actor not in component.made_by:
        return None
    return Broken(
        "inspector_is_producer",
        f"{actor}是生产人，不能检验本构件。",
        f"{actor} made this component and can't inspect it.",
    )


def _incomplete(action: str, data: Mapping[str, Any]) -> Broken | None:
    if action in ("held", "defect", "returned") and not str(data.get("reason", "")).strip():
        return Broken("reason_missing", "请写明原因。", f"Action {action} needs a reason.")
    if action == "inspected" and not isinstance(data.get("passed"), bool):
        return Broken("result_missing", "请填写检验结果。", "An inspection needs its result: passed true or false.")
    return None


def _marked(component: Component, action: str, data: dict[str, Any]) -> Decision:
    """Actions that leave the life cycle alone: hold and its end."""
    if action == "held":
        return Decision((NewEvent("component_held", data),))
    if not component.hold:
        return Decision(broken=Broken("not_on_hold", "构件未锁定。", "The component is not on hold."))
    return Decision((NewEvent("hold_lifted", data),))


def _moved(component: Component, action: str, rule: ActionRule, data: dict[str, Any]) -> Decision:
    """The way from the present state to the action's target, with the steps that were missed."""
    here = component.lifecycle
    assert rule.target is not None
    if here in rule.sources:
        return Decision((NewEvent(_event(action, rule, data), data),))
    missed = _missed(here, rule.target)
    if missed:
        steps = [NewEvent(EVENT_OF_STATE[state], {"inferred": True}) for state in missed]
        return Decision((*steps, NewEvent(_event(action, rule, data), data)), inferred=tuple(missed))
    late = component.step(rule.target)
    if late is not None and late.inferred:
        return Decision((NewEvent("step_confirmed", {**data, "lifecycle": rule.target.value}),))
    return Decision(broken=_not_allowed(component, action, rule))


def _event(action: str, rule: ActionRule, data: Mapping[str, Any]) -> str:
    failed = data.get("passed") is False or data.get("accepted") is False
    return rule.failed if failed and rule.failed else rule.event


def _missed(here: Lifecycle, target: Lifecycle) -> list[Lifecycle]:
    """The states between here and the target when each of them may be concluded, else nothing."""
    if here not in CHAIN or target not in CHAIN or CHAIN.index(here) >= CHAIN.index(target):
        return []
    between = [s for s in CHAIN[CHAIN.index(here) + 1 : CHAIN.index(target)] if s not in OPTIONAL]
    return between if all(state in INFERABLE for state in between) else []


def _not_allowed(component: Component, action: str, rule: ActionRule) -> Broken:
    zh, en = STATE_NAMES[component.lifecycle]
    if component.lifecycle == rule.target:
        return Broken("already_done", f"构件已是“{zh}”。", f"The component is already {en}.")
    return Broken(
        "transition_not_allowed",
        f"构件处于“{zh}”，不能进行“{rule.zh}”。",
        f"The component is {en}; action {action} is not possible now.",
    )
