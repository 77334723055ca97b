"""Whole plans: feasible by the independent checker, repeatable, quick, and honest about what cannot be made."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mes.core.errors import NoFeasiblePlan
from mes.planning import Plan, plan, planned_pallet_from_dict
from mes.planning.check import check_plan
from tests.planning.factory import CALENDAR, START, line, pieces, problem


@pytest.fixture(scope="module")
def made() -> Plan:
    return plan(problem(evaluations=300))


def test_the_plan_of_an_order_is_feasible_and_complete(made: Plan) -> None:
    asked = problem(evaluations=300)
    assert check_plan(asked, made) == []
    assert made.status == "feasible"
    assert made.lower_bound <= made.objective
    assert made.pallet_bound <= len(made.pallets)
    assert {p for run in made.pallets for p, _ in run.pieces} == {p.id for p in asked.pieces}
    assert all(len(run.ops) == len(asked.line.stations) for run in made.pallets)


def test_the_same_problem_gives_the_same_bytes(made: Plan) -> None:
    again = plan(problem(evaluations=300))
    assert again.to_json() == made.to_json()
    assert again.id == made.id
    assert plan(problem(evaluations=300, seed=2)).id != made.id


@pytest.mark.parametrize("seed", [2, 3, 4])
@pytest.mark.parametrize(
    "scarce", [{}, {"pallets": 5}, {"slots": 3}, {"stairs": 1}, {"pallets": 6, "slots": 4, "stairs": 1}]
)
def test_plans_with_scarce_resources_are_feasible(seed: int, scarce: dict[str, int]) -> None:
    asked = problem(40, seed, 40, line=line(**scarce))
    assert check_plan(asked, plan(asked)) == []


def test_without_due_dates_the_plan_says_so() -> None:
    made = plan(problem(pieces=pieces(12, dated=False), evaluations=20))
    assert "no_due_dates" in {f.code for f in made.findings}
    assert made.late == ()


def test_a_late_piece_has_causes() -> None:
    hurried = tuple(replace(p, due=START + timedelta(hours=13)) for p in pieces(30))
    asked = problem(pieces=hurried, evaluations=50, line=line(pallets=4))
    made = plan(asked)
    assert check_plan(asked, made) == []
    assert made.late
    assert all(one.because and one.finish > one.due for one in made.late)
    assert "pallet_return" in {why.reason for one in made.late for why in one.because}


def test_new_pallets_queue_behind_locked_ones() -> None:
    first = plan(problem(20, evaluations=50))
    locked = tuple(planned_pallet_from_dict(doc) for doc in first.to_dict()["pallets"])
    assert locked == first.pallets
    more = tuple(replace(p, id="x" + p.id) for p in pieces(20, seed=5))
    for start in (START, START + timedelta(hours=3)):
        asked = problem(pieces=more, locked=locked, evaluations=50, start=start)
        made = plan(asked)
        faults = check_plan(asked, made)
        assert faults == []
        assert min(run.start for run in made.pallets) > max(run.start for run in locked) or start == START


def test_nothing_to_plan_is_an_empty_plan() -> None:
    made = plan(problem(pieces=()))
    assert (made.status, made.pallets, [f.code for f in made.findings]) == ("empty", (), ["nothing_to_plan"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"length_mm": 12000}, "piece_too_large"),
        ({"length_mm": 3450, "width_mm": 8000, "rotate": False}, "piece_too_large"),
        ({"mass_kg": 30000.0}, "piece_too_heavy"),
        ({"thickness_mm": 900}, "piece_too_high"),
        ({"mould": "column_mould"}, "mould_unknown"),
        ({"program": "winter"}, "program_unknown"),
    ],
)
def test_an_impossible_piece_is_named(change: dict[str, object], code: str) -> None:
    bad = replace(pieces(1)[0], **change)  # type: ignore[arg-type]
    with pytest.raises(NoFeasiblePlan) as caught:
        plan(problem(pieces=(*pieces(3, seed=2)[1:], bad)))
    assert caught.value.code == code
    assert bad.mark in str(caught.value)
    assert caught.value.data["pieces"] == [bad.id]


def test_a_piece_planned_twice_and_a_line_without_chamber_are_refused() -> None:
    with pytest.raises(NoFeasiblePlan, match="planned twice"):
        plan(problem(pieces=(*pieces(2), pieces(1)[0])))
    open_line = replace(line(), stations=tuple(s for s in line().stations if s.operation != "cure"))
    with pytest.raises(NoFeasiblePlan) as caught:
        plan(problem(3, line=open_line))
    assert caught.value.code == "line_without_chamber"


def test_wet_work_that_fits_no_day_is_refused() -> None:
    short = replace(CALENDAR, week=(((480, 500),),) * 7)
    with pytest.raises(NoFeasiblePlan) as caught:
        plan(problem(2, calendar=short))
    assert caught.value.code == "wet_work_too_long"


def test_a_routing_leaves_stations_out() -> None:
    ops = tuple(s.operation for s in line().stations if s.operation not in ("place_embeds", "level"))
    asked = problem(pieces=tuple(replace(p, operations=ops) for p in pieces(5)), evaluations=20)
    made = plan(asked)
    assert check_plan(asked, made) == []
    assert all(run.op("place_embeds") is None and run.op("label") is not None for run in made.pallets)


@pytest.mark.slow
def test_five_hundred_pieces_within_the_default_budget() -> None:
    asked = problem(500)
    made = plan(asked)
    assert check_plan(asked, made) == []
    assert made.solve_s < 60
