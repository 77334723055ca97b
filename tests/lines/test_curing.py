"""Curing: the published anchors, strength from histories with and without gaps, programs against the rule pack."""

from datetime import UTC, datetime, timedelta
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes.core.rules import load_rules
from mes.lines import curing
from mes.lines.plant import CuringProgram, Mix, StrengthCurve, Text

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
NAME = Text(zh="试", en="test")


def _history(hours: float, c: float, step_min: float = 5) -> list[curing.Reading]:
    return [(START + timedelta(minutes=n * step_min), c) for n in range(int(hours * 60 / step_min) + 1)]


def _mix(**curve: object) -> Mix:
    values: dict[str, object] = {"su_mpa": 47, "k": 0.0028, "m0": 10, "calibrated": "2026-09", **curve}
    return Mix(id="M", name=NAME, concrete_class="C30", recipe_kg_m3={}, strength=StrengthCurve.model_validate(values))


def _program(**changed: float) -> CuringProgram:
    values = {"rest_h": 2, "heat_c_per_h": 15, "hold_c": 50, "hold_h": 5, "cool_c_per_h": 15, "exit_c": 35, **changed}
    return CuringProgram.model_validate({"id": "p", "name": NAME, **values})


def test_anchor_equivalent_age_at_the_reference_temperature_is_the_age() -> None:
    assert curing.equivalent_age(_history(24, 23), 5000, 23) == pytest.approx(24)


def test_anchor_sixty_degrees_age_six_and_a_half_times_as_fast() -> None:
    factor = curing.equivalent_age(_history(1, 60), 5000, 23)
    assert factor == pytest.approx(exp(5000 * (1 / 296.15 - 1 / 333.15)))
    assert factor == pytest.approx(6.52, abs=0.01)


def test_anchor_nurse_saul_eight_hours_at_sixty_degrees() -> None:
    assert curing.nurse_saul(_history(8, 60), 0) == pytest.approx(480)
    assert curing.nurse_saul(_history(8, 60), -10) == pytest.approx(560)
    assert curing.nurse_saul(_history(8, -5), 0) == 0


@given(st.lists(st.floats(-10, 80), min_size=3, max_size=40), st.data())
def test_maturity_of_a_whole_is_the_sum_of_its_parts(values: list[float], data: st.DataObject) -> None:
    history = [(START + timedelta(minutes=5 * n), c) for n, c in enumerate(values)]
    cut = data.draw(st.integers(1, len(history) - 2))
    for model in (lambda h: curing.nurse_saul(h, 0), lambda h: curing.equivalent_age(h)):
        assert model(history) == pytest.approx(model(history[: cut + 1]) + model(history[cut:]))


def test_strength_curve_and_its_inverse() -> None:
    curve = _mix().strength
    assert curing.strength_at(curve, 5) == 0
    wanted = curing.maturity_for(curve, 20)
    assert wanted is not None
    assert curing.strength_at(curve, wanted) == pytest.approx(20)
    assert curing.maturity_for(curve, 47) is None
    assert curing.maturity_for(curve, 0) == 10


def test_a_whole_history_gives_a_strength() -> None:
    result = curing.estimate(_history(9, 45), _mix(), start=START, end=START + timedelta(hours=9))
    assert not result.needs_cube_test
    assert result.maturity == pytest.approx(405)
    assert result.strength_mpa == pytest.approx(47 * 0.0028 * 395 / (1 + 0.0028 * 395), abs=0.01)
    assert result.maturity_unit == "degC*h"
    assert result.max_c == 45


def test_the_model_is_the_mixs_own() -> None:
    mix = _mix(model="equivalent_age", reference_c=20, k=0.05, m0=2)
    result = curing.estimate(_history(10, 20), mix)
    assert (result.maturity, result.maturity_unit) == (10, "h")


@pytest.mark.parametrize(
    ("history", "says"),
    [
        ([], "fewer than two"),
        (_history(2, 45)[:10] + _history(2, 45)[13:], "gap of 20 min"),
        ([(at, float("nan") if 10 <= n < 14 else 45) for n, (at, _) in enumerate(_history(2, 45))], "gap of 25 min"),
        ([(at, 850.0 if n > 20 else 45) for n, (at, _) in enumerate(_history(2, 45))], "gap of 20 min"),
        (_history(2, 45)[5:], "gap of 25 min"),
    ],
)
def test_a_history_that_lacks_something_needs_cubes(history: list[curing.Reading], says: str) -> None:
    result = curing.estimate(history, _mix(), start=START, end=START + timedelta(hours=2))
    assert result.needs_cube_test
    assert result.strength_mpa is None
    assert says in result.reason


def test_a_gap_of_ten_minutes_is_allowed_and_nothing_is_counted_over_a_longer_one() -> None:
    whole = _history(2, 45)
    assert not curing.estimate(whole[:10] + whole[11:], _mix()).needs_cube_test
    broken = curing.estimate(whole[:10] + whole[13:], _mix())
    assert broken.maturity == pytest.approx(90 - 45 * 20 / 60, abs=0.01)


def test_a_mix_without_calibration_needs_cubes() -> None:
    assert "not calibrated" in curing.estimate(_history(9, 45), _mix(calibrated="")).reason


def test_order_and_repeats_of_samples_do_not_matter() -> None:
    history = _history(3, 40)
    assert curing.estimate(history[::-1] + history, _mix()) == curing.estimate(history, _mix())


def test_required_strength_is_the_design_value_but_never_below_the_gate() -> None:
    gate = load_rules("gates").number("gate.demould_lift_min")
    assert curing.required_strength(None, gate) == 15
    assert curing.required_strength(10, gate) == 15
    assert curing.required_strength(22.5, gate) == 22.5


def test_a_program_as_target_profile() -> None:
    program = _program()
    assert curing.profile(program, 20) == [(0, 20), (2, 20), (4, 50), (9, 50), (10, 35)]
    assert curing.duration_h(program, 20) == 10
    assert [curing.target_c(program, h, 20) for h in (-1, 1, 3, 6, 9.5, 12)] == [20, 20, 35, 50, 42.5, 35]
    assert curing.duration_h(_program(hold_c=20, exit_c=30), 25) == 7
    assert curing.expected_strength(program, _mix(), 20) == pytest.approx(
        curing.strength_at(_mix().strength, 40 + 70 + 250 + 42.5), abs=0.05
    )


def test_programs_are_checked_against_the_rule_pack() -> None:
    rules = load_rules("curing")
    assert curing.check_program(_program(), rules) == []
    broken = curing.check_program(_program(rest_h=1, heat_c_per_h=25, hold_c=75, cool_c_per_h=30), rules)
    assert [f.code for f in broken] == ["rest_short", "heat_fast", "cool_fast", "too_hot"]
    assert [f.code for f in curing.check_program(_program(hold_c=65), rules, family="sandwich_wall")] == ["too_hot"]
    page = curing.check_program(_program(), rules, set="cn-plant-page")
    assert [f.code for f in page] == ["heat_fast", "too_hot"]


def test_a_measured_history_is_checked_over_a_sliding_window() -> None:
    rules = load_rules("curing")
    ramp = [(START + timedelta(minutes=5 * n), 20 + 2.5 * n) for n in range(21)]
    assert [f.code for f in curing.check_history(ramp, rules)] == ["heat_fast"]
    down = [(START + timedelta(minutes=5 * n), 75 - 2.5 * n) for n in range(21)]
    assert [f.code for f in curing.check_history(down, rules)] == ["too_hot", "cool_fast"]
    assert curing.check_history(_history(2, 45), rules) == []
    spike = [(at, 47 if n == 6 else 45) for n, (at, _) in enumerate(_history(2, 45))]
    assert curing.check_history(spike, rules) == []
