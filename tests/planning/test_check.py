"""The checker finds every planted fault."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from mes.core.geometry import Pose
from mes.planning import Plan, PlannedOp, PlannedPallet, Problem, plan
from mes.planning.check import check_plan
from tests.planning.factory import line, problem

ASKED = problem(30, evaluations=30)
Change = Callable[[PlannedPallet], PlannedPallet]


@pytest.fixture(scope="module")
def made() -> Plan:
    return plan(ASKED)


def _with(made: Plan, at: int, change: Change) -> Plan:
    pallets = list(made.pallets)
    pallets[at] = change(pallets[at])
    return replace(made, pallets=tuple(pallets))


def _op(run: PlannedPallet, operation: str, change: Callable[[PlannedOp], PlannedOp]) -> PlannedPallet:
    return replace(run, ops=tuple(change(op) if op.operation == operation else op for op in run.ops))


def _later(op: PlannedOp, minutes: int) -> PlannedOp:
    return replace(op, start=op.start + timedelta(minutes=minutes), end=op.end + timedelta(minutes=minutes))


def _shifted(run: PlannedPallet, delta: timedelta) -> PlannedPallet:
    ops = tuple(replace(op, start=op.start + delta, end=op.end + delta) for op in run.ops)
    return replace(run, ops=ops, start=run.start + delta, end=run.end + delta, returned=run.returned + delta)


CASES: list[tuple[str, Change]] = [
    ("over the edge", lambda r: replace(r, pieces=((r.pieces[0][0], Pose(8999, 50)), *r.pieces[1:]))),
    ("does not exist", lambda r: replace(r, pallet="P99")),
    ("instead of", lambda r: _op(r, "vibrate", lambda o: replace(o, end=o.end + timedelta(minutes=1)))),
    ("has operations", lambda r: replace(r, ops=r.ops[:-1])),
    ("before it is cured", lambda r: _op(r, "cure", lambda o: replace(o, end=o.start + timedelta(hours=6)))),
    ("outside working time", lambda r: _shifted(r, timedelta(days=-1))),
    ("starts before", lambda r: _op(r, "oil", lambda o: _later(o, -60))),
    ("over a night", lambda r: _op(r, "cure", lambda o: _later(o, 1440))),
    ("times", lambda r: replace(r, pieces=(*r.pieces, r.pieces[0]))),
    ("was not asked for", lambda r: replace(r, pieces=(("stranger", Pose(50, 50)),))),
    ("the objective is", lambda r: replace(r, end=r.end + timedelta(days=1))),
]


@pytest.mark.parametrize(("sentence", "change"), CASES, ids=[c[0] for c in CASES])
def test_a_planted_fault_of_one_pallet_is_found(made: Plan, sentence: str, change: Change) -> None:
    assert check_plan(ASKED, made) == []
    assert any(sentence in fault for fault in check_plan(ASKED, _with(made, len(made.pallets) - 1, change)))


def test_two_pieces_without_their_gap_are_found(made: Plan) -> None:
    at = next(n for n, run in enumerate(made.pallets) if len(run.pieces) > 1)
    near = _with(
        made, at, lambda r: replace(r, pieces=tuple((p, Pose(50, 50, pose.angle_deg)) for p, pose in r.pieces))
    )
    assert any("closer than 100 mm" in fault for fault in check_plan(ASKED, near))


def test_two_pallets_at_one_station_are_found(made: Plan) -> None:
    first = made.pallets[0]
    moved = _with(made, 1, lambda r: replace(r, ops=tuple(_at(op, first) for op in r.ops)))
    assert any(fault.startswith("station") for fault in check_plan(ASKED, moved))


def _at(op: PlannedOp, other: PlannedPallet) -> PlannedOp:
    twin = other.op(op.operation)
    return op if twin is None else replace(op, start=twin.start, end=twin.end)


@pytest.mark.parametrize(
    ("sentence", "scarce"),
    [("used twice", None), ("in use, there are", {"stairs": 1}), ("the chamber holds", {"slots": 2})],
)
def test_a_resource_used_too_often_is_found(made: Plan, sentence: str, scarce: dict[str, int] | None) -> None:
    if scarce is None:
        asked: Problem = ASKED
        plan_ = replace(made, pallets=tuple(replace(r, pallet="P01") for r in made.pallets))
    else:
        asked, plan_ = replace(ASKED, line=line(**scarce)), made
    assert any(sentence in fault for fault in check_plan(asked, plan_))


def test_a_missing_class_change_a_turned_piece_and_a_hidden_lateness_are_found(made: Plan) -> None:
    slow = replace(ASKED, line=replace(ASKED.line, class_change_s=36000))
    assert any("class change" in fault for fault in check_plan(slow, made))
    turned = {p for run in made.pallets for p, pose in run.pieces if pose.angle_deg}
    stiff = replace(ASKED, pieces=tuple(replace(p, rotate=False) for p in ASKED.pieces))
    assert any("may not be turned" in fault for fault in check_plan(stiff, made)) == bool(turned)
    hurried = replace(ASKED, pieces=tuple(replace(p, due=ASKED.start) for p in ASKED.pieces))
    assert any("not reported" in fault for fault in check_plan(hurried, made))


def test_an_overloaded_a_mixed_and_a_shared_mould_pallet_are_found(made: Plan) -> None:
    heavy = replace(ASKED, pieces=tuple(replace(p, mass_kg=26000) for p in ASKED.pieces))
    assert any("too heavy" in fault for fault in check_plan(heavy, made))
    mixed = replace(ASKED, pieces=tuple(replace(p, floor=p.id) for p in ASKED.pieces))
    assert any("mixes" in fault for fault in check_plan(mixed, made))
    moulded = replace(ASKED, pieces=tuple(replace(p, mould="stair_mould") for p in ASKED.pieces))
    assert any("stands alone" in fault for fault in check_plan(moulded, made))
