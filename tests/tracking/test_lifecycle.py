"""The life cycle: the table is whole, the hard gates hold from every state, missed steps are concluded and marked."""

from typing import get_args

import pytest

from mes.core.errors import RuleBroken
from mes.core.event import Event
from mes.tracking import component, lifecycle
from mes.tracking.component import STATE_AFTER, Component, Lifecycle, Quality
from mes.tracking.lifecycle import Decision, decide
from mes.tracking.lifecycle_table import ACTIONS, FINAL, STATE_NAMES, may_follow
from mes.tracking.scan import Action
from tests.tracking.pieces import CODE, MADE, NOW, made_until

L = Lifecycle
ALL_ROLES = ("operator", "shift_lead", "quality", "site")
SAID = {"reason": "crack", "passed": True}


def _after(state: Component, decision: Decision) -> Component:
    for event in decision.events:
        state = component.apply(state, Event("component", CODE, event.type, NOW, "site", event.data))
    return state


def _rule(state: Component, action: str, roles: tuple[str, ...] = ALL_ROLES, actor: str = "site") -> str:
    broken = decide(state, action, actor, roles, SAID).broken
    return broken.code if broken else ""


def test_the_table_names_every_state_and_the_contracts_actions() -> None:
    assert set(STATE_NAMES) == set(L)
    assert {*ACTIONS, "void"} == set(get_args(Action))
    for action, rule in ACTIONS.items():
        assert STATE_AFTER[rule.event] == rule.target, action
        assert all(may_follow(source, rule.target) for source in rule.sources if rule.target), action
    assert not may_follow(L.CURING, L.INSTALLED)
    assert may_follow(L.RELEASED, L.DESIGNED)


def test_every_event_of_the_making_follows_the_table() -> None:
    state = made_until("component_ordered")
    for type_, data in MADE:
        target = STATE_AFTER[type_]
        assert target is None or may_follow(state.lifecycle, target), type_
        state = component.apply(state, Event("component", CODE, type_, NOW, "line", data))
    assert (state.lifecycle, state.quality, state.label_no) == (L.STORED, Quality.CONFORMANT, 1)
    assert (state.pallet, state.batches, state.made_by) == ("P07", ("B1",), ("operator",))
    assert state.inspected_by == ("quality",)
    assert (state.location.place, state.location.slot) == ("A1", "3")
    assert state.strength is not None
    assert state.strength.strength_mpa == 21.5
    assert state.photos == ("a", "b", "c")
    assert component.KIND.group(state) == "O1"
    assert Component.model_validate_json(state.model_dump_json()) == state


@pytest.mark.parametrize("action", ["loaded", "departed", "arrived", "received"])
@pytest.mark.parametrize("last", ["component_ordered", *(type_ for type_, _ in MADE)])
def test_nothing_leaves_the_plant_without_label_and_inspection(last: str, action: str) -> None:
    state = made_until(last)
    without_label = state.model_copy(update={"label_no": 0})
    assert _rule(without_label, action) == "label_missing"
    uninspected = state.model_copy(update={"label_no": 1, "quality": Quality.PENDING})
    assert _rule(uninspected, action) == "outgoing_inspection_missing"


@pytest.mark.parametrize("action", ["placed", "hoisted", "installed", "grouted"])
@pytest.mark.parametrize("lifecycle_", [s for s in L if s not in FINAL])
def test_nothing_is_used_without_site_acceptance(lifecycle_: L, action: str) -> None:
    state = made_until("component_stored").model_copy(update={"lifecycle": lifecycle_})
    assert _rule(state, action) == "site_acceptance_missing"


def test_received_from_the_yard_concludes_the_missed_steps_and_marks_them() -> None:
    stored = made_until("component_stored")
    decision = decide(stored, "received", "site", ["site"])
    assert decision.inferred == (L.LOADED, L.IN_TRANSIT, L.ARRIVED)
    after = _after(stored, decision)
    assert after.lifecycle == L.SITE_ACCEPTED
    assert [(s.lifecycle, s.inferred) for s in after.steps[-4:]] == [
        (L.LOADED, True),
        (L.IN_TRANSIT, True),
        (L.ARRIVED, True),
        (L.SITE_ACCEPTED, False),
    ]


def test_a_late_scan_confirms_a_concluded_step_and_moves_nothing() -> None:
    stored = made_until("component_stored")
    received = _after(stored, decide(stored, "received", "site", ["site"]))
    late = _after(received, decide(received, "loaded", "operator", ["operator"]))
    assert late.lifecycle == L.SITE_ACCEPTED
    step = late.step(L.LOADED)
    assert step is not None
    assert not step.inferred
    assert _rule(late, "loaded") == "transition_not_allowed"


def test_acceptance_and_inspection_are_never_concluded() -> None:
    stored = made_until("component_stored")
    assert _rule(stored, "installed") == "site_acceptance_missing"
    assert _rule(made_until("component_labelled"), "stored") == "transition_not_allowed"
    accepted = _after(stored, decide(stored, "received", "site", ["site"]))
    assert _rule(accepted, "grouted") == "transition_not_allowed", "installation needs its own evidence"
    installed = decide(accepted, "installed", "site", ["site"])
    assert installed.inferred == (L.HOISTING,)
    assert _rule(_after(accepted, installed), "grouted") == ""


def test_the_whole_way_with_reverses() -> None:
    state = made_until("component_stored")
    way = [
        "staged", "stored", "loaded", "stored", "loaded", "departed", "arrived", "received",
        "placed", "hoisted", "placed", "installed", "placed", "hoisted", "installed", "grouted",
    ]  # fmt: skip
    for action in way:
        decision = decide(state, action, "someone", ALL_ROLES)
        assert decision.broken is None, (action, decision.broken)
        state = _after(state, decision)
    assert state.lifecycle == L.CONNECTED


def test_a_returned_piece_must_be_accepted_again() -> None:
    stored = made_until("component_stored")
    accepted = _after(stored, decide(stored, "received", "site", ["site"]))
    returned = _after(accepted, decide(accepted, "returned", "site", ["site"], SAID))
    back = _after(returned, decide(returned, "stored", "operator", ["operator"]))
    assert back.lifecycle == L.STORED
    assert _rule(back, "installed") == "site_acceptance_missing"


def test_a_hold_stops_everything_but_its_settling() -> None:
    stored = made_until("component_stored")
    held = _after(stored, decide(stored, "held", "quality", ["quality"], {"reason": "recall of batch B1"}))
    assert held.lifecycle == L.STORED, "a hold is no state of the life cycle"
    for action in set(ACTIONS) - lifecycle.UNHELD_ACTIONS:
        assert _rule(held, action) == "on_hold", action
    assert _rule(held, "released", ("operator",)) == "role_missing"
    freed = _after(held, decide(held, "released", "quality", ["quality"]))
    assert not freed.hold
    assert _rule(freed, "loaded") == ""
    assert _rule(freed, "released") == "not_on_hold"


def test_nobody_inspects_what_they_made() -> None:
    demoulded = made_until("component_labelled")
    assert _rule(demoulded, "inspected", ("quality",), "operator") == "inspector_is_producer"
    passed = _after(demoulded, decide(demoulded, "inspected", "quality", ["quality"], {"passed": True}))
    assert (passed.lifecycle, passed.quality) == (L.FINISHED_OK, Quality.CONFORMANT)
    failed = _after(demoulded, decide(demoulded, "inspected", "quality", ["quality"], {"passed": False}))
    assert (failed.lifecycle, failed.quality) == (L.NONCONFORMING, Quality.NON_CONFORMANT)
    missing = decide(demoulded, "inspected", "quality", ["quality"])
    assert missing.broken is not None
    assert missing.broken.code == "result_missing"


def test_a_rejected_delivery_and_a_defect_make_a_piece_nonconforming() -> None:
    stored = made_until("component_stored")
    rejected = _after(stored, decide(stored, "received", "site", ["site"], {"accepted": False}))
    assert rejected.lifecycle == L.NONCONFORMING
    assert _rule(rejected, "installed") == "site_acceptance_missing"
    assert _rule(rejected, "loaded") == "outgoing_inspection_missing"
    broken = decide(stored, "defect", "operator", ["operator"]).broken
    assert broken is not None
    assert broken.code == "reason_missing"


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_final_piece_stays_what_it_is(final: L) -> None:
    state = made_until("component_stored").model_copy(update={"lifecycle": final})
    assert {_rule(state, action) for action in ACTIONS} == {"component_final"}


def test_sentences_stand_in_both_languages() -> None:
    broken = decide(made_until("component_cast"), "stored", "x", ["operator"]).broken
    assert broken is not None
    assert "已浇筑" in broken.zh
    assert "cast" in broken.en
    unknown = decide(made_until("component_cast"), "burnt", "x", ALL_ROLES).broken
    assert unknown is not None
    assert unknown.code == "action_unknown"


def test_the_fold_refuses_events_it_does_not_know() -> None:
    with pytest.raises(RuleBroken, match="no event component_painted"):
        component.apply(made_until("component_cast"), Event("component", CODE, "component_painted", NOW))
    with pytest.raises(RuleBroken, match="never ordered"):
        component.apply(None, Event("component", CODE, "component_cast", NOW))
