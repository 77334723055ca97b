"""Scans as a story: the component moves or an exception is kept, undo, clocks, evidence."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from mes.core.errors import NotFound, RuleBroken
from mes.core.ports import Tx
from mes.core.rules import load_rules
from mes.flows.record_scan import record_scan, settle_exception
from mes.tracking.component import Component, Lifecycle
from mes.tracking.scan import ScanAnswer, ScanCommand, ScanException, ScanPolicy
from tests.tracking.pieces import CODE, NOW, FakeTx, made_until

PHOTOS = [f"{n:064x}" for n in range(3)]


def _tx(last: str = "component_stored", actor: str = "site") -> FakeTx:
    tx = FakeTx(actor)
    made_until(last, tx)
    return tx


def _scan(tx: FakeTx, action: str, number: int = 1, roles: tuple[str, ...] = ("site",), **more: Any) -> ScanAnswer:
    fields = {"event_id": f"event-{number:04d}", "code": CODE, "action": action, "at": tx.now, **more}
    story: Tx = tx
    return record_scan(story, ScanCommand.model_validate(fields), roles)


def test_received_then_installed() -> None:
    tx = _tx()
    first = _scan(tx, "received", 1, place="site-gate", evidence=PHOTOS[:2], code=f"https://host/c/{CODE.lower()}")
    assert (first.status, first.lifecycle, first.code) == (201, Lifecycle.SITE_ACCEPTED, CODE)
    assert first.inferred == (Lifecycle.LOADED, Lifecycle.IN_TRANSIT, Lifecycle.ARRIVED)
    assert first.warnings == ()
    second = _scan(tx, "installed", 2, place="3F", evidence=PHOTOS, data={"slot": "A-3"})
    assert (second.status, second.lifecycle, second.location.slot) == (201, Lifecycle.INSTALLED, "A-3")
    assert (second.lifecycle_zh, second.lifecycle_en) == ("已安装就位", "installed")
    assert tx.get(Component, CODE).photos[-3:] == tuple(PHOTOS)
    assert [name for _, name, _ in tx.published] == ["component_received", "component_installed"]
    assert (second.body["code"], second.body["lifecycle"]) == (CODE, "installed")
    assert ScanAnswer.model_validate_json(second.model_dump_json()) == second


def test_a_scan_that_breaks_a_rule_is_kept_and_moves_nothing() -> None:
    tx = _tx()
    before = tx.get(Component, CODE)
    refused = _scan(tx, "installed", 7, place="3F", evidence=PHOTOS, data={"note": "x"})
    assert (refused.status, refused.rule, refused.stored) == (409, "site_acceptance_missing", True)
    assert refused.exception_id == "event-0007"
    assert refused.message_zh
    assert refused.message_en
    told = refused.body
    assert (told["status"], told["code"], told["component"]) == (409, "site_acceptance_missing", CODE)
    assert told["detail"] == refused.message_en
    assert told["stored"] is True
    assert tx.get(Component, CODE) == before
    (kept,) = tx.find(ScanException, "open")
    assert (kept.code, kept.action, kept.place, kept.evidence, kept.data) == (
        CODE, "installed", "3F", tuple(PHOTOS), {"note": "x"},
    )  # fmt: skip
    assert ScanException.model_validate_json(kept.model_dump_json()) == kept


@pytest.mark.parametrize(
    ("text", "rule"),
    [("7K3M9QX2ABEE", "code_invalid"), ("hello", "code_invalid"), ("000000000132", "component_unknown")],
)
def test_wrong_and_unknown_codes_are_kept_too(text: str, rule: str) -> None:
    tx = _tx()
    refused = _scan(tx, "received", code=text)
    assert (refused.status, refused.rule, refused.lifecycle) == (409, rule, None)
    assert len(tx.find(ScanException, "open")) == 1


def test_every_scan_ends_as_event_or_exception() -> None:
    tx = _tx()
    actions = ["received", "received", "installed", "loaded", "grouted", "stored", "placed", "hoisted"]
    answers = [_scan(tx, action, number) for number, action in enumerate(actions)]
    kept = len(tx.find(ScanException))
    assert sum(a.status == 201 for a in answers) + kept == len(actions)
    assert kept == sum(a.status == 409 for a in answers) > 0


def test_missing_photos_and_a_clock_ahead_warn_but_do_not_stop() -> None:
    tx = _tx()
    late = _scan(tx, "received", at=tx.now + timedelta(minutes=6))
    assert (late.status, late.warnings) == (201, ("clock_ahead", "photos_missing"))
    step = tx.get(Component, CODE).step(Lifecycle.SITE_ACCEPTED)
    assert step.at == tx.now, "a scan from the future counts when it is received"
    earlier = _tx()
    _scan(earlier, "received", at=NOW - timedelta(hours=3))
    assert earlier.get(Component, CODE).step(Lifecycle.SITE_ACCEPTED).at == NOW - timedelta(hours=3)


def test_the_own_last_scan_is_taken_back_within_ten_minutes() -> None:
    tx = _tx()
    before = tx.get(Component, CODE)
    _scan(tx, "received", 1, place="site-gate")
    tx.now += timedelta(minutes=9)
    undone = _scan(tx, "void", 2)
    assert (undone.status, undone.lifecycle) == (201, Lifecycle.STORED)
    after = tx.get(Component, CODE)
    assert (after.steps, after.location, after.quality) == (before.steps, before.location, before.quality)
    assert _scan(tx, "void", 3).rule == "nothing_to_void"
    assert _scan(tx, "received", 4).status == 201, "and may be scanned anew"


def test_later_or_by_another_only_a_supervisor_takes_a_scan_back() -> None:
    tx = _tx()
    _scan(tx, "received", 1)
    tx.now += timedelta(minutes=11)
    assert _scan(tx, "void", 2).rule == "void_not_allowed"
    tx.actor = "lead"
    assert _scan(tx, "void", 3, roles=("shift_lead",), data={"event_id": "event-9999"}).rule == "nothing_to_void"
    assert _scan(tx, "void", 4, roles=("shift_lead",), data={"event_id": "event-0001"}).status == 201


def test_moving_within_the_yard_and_back() -> None:
    tx = _tx(actor="operator")
    _scan(tx, "stored", 1, roles=("operator",), place="B1")
    assert tx.get(Component, CODE).location.place == "B1"
    _scan(tx, "void", 2, roles=("operator",))
    component = tx.get(Component, CODE)
    assert (component.location.place, len(component.steps)) == ("A1", len(made_until("component_stored").steps))


def test_a_wrong_role_is_kept_as_an_exception() -> None:
    assert _scan(_tx(), "received", roles=("planner",)).rule == "role_missing"


def test_exceptions_are_settled_once_and_with_a_reason() -> None:
    tx = _tx()
    _scan(tx, "installed", 1)
    tx.actor = "quality"
    with pytest.raises(RuleBroken, match="with a reason"):
        settle_exception(tx, "event-0001", "fixed", " ")
    settled = settle_exception(tx, "event-0001", "fixed", "accepted on paper")
    assert (settled.status, settled.settled_by, settled.settle_reason) == ("fixed", "quality", "accepted on paper")
    assert tx.find(ScanException, "open") == []
    with pytest.raises(RuleBroken, match="settled as fixed by quality"):
        settle_exception(tx, "event-0001", "void", "again")
    with pytest.raises(NotFound):
        settle_exception(tx, "event-0002", "void", "none")


@pytest.mark.parametrize(
    "wrong", [{"action": "eaten"}, {"evidence": ["abc"]}, {"at": "2026-11-02T09:00:00"}, {"event_id": "x"}, {"spy": 1}]
)
def test_malformed_scans_are_no_scans(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _scan(_tx(), **{"action": "received", **wrong})


def test_the_default_policy_is_the_shipped_rule_pack() -> None:
    shipped, default = ScanPolicy.of(load_rules("scan")), ScanPolicy()
    assert (shipped.undo_within, shipped.future_max) == (default.undo_within, default.future_max)
    assert default.photos_min.items() <= shipped.photos_min.items()
