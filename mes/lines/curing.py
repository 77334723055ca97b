"""Curing and strength: maturity from a measured temperature history, the strength it gives, and curing programs in numbers.

Formulas: ASTM C1074 (Nurse-Saul maturity, equivalent age) and the hyperbolic strength curve calibrated per mix.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp, isfinite

from mes.core.errors import Finding
from mes.core.rules import RuleSet
from mes.lines.plant import CuringProgram, Mix, StrengthCurve

Reading = tuple[datetime, float]

KELVIN = 273.15
BELIEVABLE_C = (-40.0, 110.0)
GAP_MAX_MIN = 10.0
LIFT_MIN_MPA = 15.0


@dataclass(frozen=True)
class StrengthEstimate:
    """What the temperature history says about a piece. Without a strength `reason` says why cubes must be tested.

    `maturity` is in `maturity_unit`: degC*h (Nurse-Saul) or h (equivalent age); gaps count as nothing.
    """

    strength_mpa: float | None
    maturity: float
    maturity_unit: str
    needs_cube_test: bool
    reason: str = ""
    longest_gap_min: float = 0.0
    max_c: float | None = None


def nurse_saul(history: Sequence[Reading], datum_c: float = 0.0) -> float:
    """Maturity M = Σ max(0, Ta − T0)·Δt in °C·h; Ta is the mean of neighbouring samples (ASTM C1074)."""
    return sum(max(0.0, mean_c - datum_c) * hours for mean_c, hours in _steps(history))


def equivalent_age(history: Sequence[Reading], q_k: float = 5000.0, reference_c: float = 23.0) -> float:
    """Equivalent age te = Σ exp(−Q(1/Ta − 1/Ts))·Δt in hours at the reference temperature; Q = E/R in K (ASTM C1074)."""
    cold = 1 / (reference_c + KELVIN)
    return sum(exp(-q_k * (1 / (mean_c + KELVIN) - cold)) * hours for mean_c, hours in _steps(history))


def maturity(history: Sequence[Reading], curve: StrengthCurve) -> float:
    """Maturity by the model that the mix was calibrated with."""
    if curve.model == "nurse_saul":
        return nurse_saul(history, curve.datum_c)
    return equivalent_age(history, curve.q_k, curve.reference_c)


def strength_at(curve: StrengthCurve, at_maturity: float) -> float:
    """S = Su·k(M − M0)/(1 + k(M − M0)) in MPa; nothing below M0."""
    grown = curve.k * max(0.0, at_maturity - curve.m0)
    return curve.su_mpa * grown / (1 + grown)


def maturity_for(curve: StrengthCurve, strength_mpa: float) -> float | None:
    """The maturity that gives a strength, or None when the mix never reaches it."""
    if strength_mpa <= 0:
        return curve.m0
    if strength_mpa >= curve.su_mpa:
        return None
    return curve.m0 + strength_mpa / (curve.k * (curve.su_mpa - strength_mpa))


def required_strength(design_mpa: float | None, gate_min_mpa: float = LIFT_MIN_MPA) -> float:
    """What a piece must have before it is lifted off its pallet: the design value, never below the gate (15 MPa)."""
    return max(design_mpa or 0.0, gate_min_mpa)


def estimate(
    history: Sequence[Reading],
    mix: Mix,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    gap_max_min: float = GAP_MAX_MIN,
) -> StrengthEstimate:
    """Strength of a piece from its temperature history between `start` (cast) and `end` (now).

    A history with a gap longer than `gap_max_min` (plant minutes, also at its two ends), with fewer than two
    believable samples, or a mix without a calibration gives no strength but `needs_cube_test`.
    """
    good = believable(history, start, end)
    unit = "degC*h" if mix.strength.model == "nurse_saul" else "h"
    reached = maturity(_without_gaps(good, gap_max_min), mix.strength) if len(good) > 1 else 0.0
    gap = longest_gap_min([at for at, _ in good], start, end)
    reason = _why_cubes(len(good), gap, gap_max_min, mix)
    return StrengthEstimate(
        strength_mpa=None if reason else round(strength_at(mix.strength, reached), 2),
        maturity=round(reached, 2),
        maturity_unit=unit,
        needs_cube_test=bool(reason),
        reason=reason,
        longest_gap_min=round(gap, 2),
        max_c=max((c for _, c in good), default=None),
    )


def believable(history: Iterable[Reading], start: datetime | None = None, end: datetime | None = None) -> list[Reading]:
    """The samples inside [start, end] that a sensor in concrete can give, in time order, one per moment."""
    low, high = BELIEVABLE_C
    kept = {
        at: c
        for at, c in history
        if isfinite(c) and low <= c <= high and (start is None or at >= start) and (end is None or at <= end)
    }
    return sorted(kept.items())


def longest_gap_min(moments: Sequence[datetime], start: datetime | None = None, end: datetime | None = None) -> float:
    """The longest time without a sample in minutes, counting the way from `start` and to `end`."""
    marks = [*([start] if start else []), *moments, *([end] if end else [])]
    return max(((b - a).total_seconds() / 60 for a, b in pairwise(marks)), default=0.0)


def profile(program: CuringProgram, start_c: float = 20.0) -> list[tuple[float, float]]:
    """The target temperatures of a program as corners (hours since start, °C): rest, heat, hold, cool to `exit_c`."""
    hours = program.rest_h
    corners = [(0.0, start_c), (hours, start_c)]
    hours += max(0.0, program.hold_c - start_c) / program.heat_c_per_h
    corners.append((hours, max(program.hold_c, start_c)))
    hours += program.hold_h
    corners.append((hours, max(program.hold_c, start_c)))
    hours += max(0.0, program.hold_c - program.exit_c) / program.cool_c_per_h
    corners.append((hours, min(program.exit_c, max(program.hold_c, start_c))))
    return [(round(h, 6), c) for h, c in corners]


def target_c(program: CuringProgram, hours: float, start_c: float = 20.0) -> float:
    """The target temperature after some hours of a program; before and after it its first and last value."""
    corners = profile(program, start_c)
    for (h1, c1), (h2, c2) in pairwise(corners):
        if h1 <= hours < h2:
            return c1 + (c2 - c1) * (hours - h1) / (h2 - h1)
    return corners[0][1] if hours < 0 else corners[-1][1]


def duration_h(program: CuringProgram, start_c: float = 20.0) -> float:
    """How long a program takes from its start to its exit temperature, in hours."""
    return profile(program, start_c)[-1][0]


def expected_strength(program: CuringProgram, mix: Mix, start_c: float = 20.0) -> float:
    """The strength in MPa a mix has at the end of a program that runs as planned."""
    start = datetime(2000, 1, 1)  # noqa: DTZ001 - only differences count
    hours = duration_h(program, start_c)
    moments = [min(hours, minute / 60) for minute in range(0, int(hours * 60) + 2)]
    history = [(start + timedelta(hours=h), target_c(program, h, start_c)) for h in moments]
    return strength_at(mix.strength, maturity(history, mix.strength))


def check_program(program: CuringProgram, rules: RuleSet, *, family: str = "", set: str | None = None) -> list[Finding]:
    """Every limit of the rule pack `curing` that a program breaks, as findings."""
    rest = rules.value("curing.rest_time", set)
    rest_min = float(rest[0]) if isinstance(rest, list) else 0.0
    hottest = hottest_allowed(rules, family=family, set=set)
    heat, cool = rules.number("curing.heat_rate_max", set), rules.number("curing.cool_rate_max", set)
    checks = [
        (program.rest_h < rest_min, "rest_short", f"rests {program.rest_h:g} h, at least {rest_min:g} h are required"),
        (program.heat_c_per_h > heat, "heat_fast", f"heats by {program.heat_c_per_h:g} °C/h, at most {heat:g}"),
        (program.cool_c_per_h > cool, "cool_fast", f"cools by {program.cool_c_per_h:g} °C/h, at most {cool:g}"),
        (program.hold_c > hottest, "too_hot", f"holds {program.hold_c:g} °C, at most {hottest:g}"),
    ]
    return [
        Finding("error", code, f"Curing program {program.id} {text}.", program.id) for bad, code, text in checks if bad
    ]


def check_history(
    history: Sequence[Reading], rules: RuleSet, *, family: str = "", set: str | None = None
) -> list[Finding]:
    """What a measured history broke: temperature, and rates over the sliding window of the rule pack (30 min)."""
    good = believable(history)
    window = timedelta(minutes=rules.number("curing.alarm.rate_window"))
    up, down = rates(good, window)
    hottest = hottest_allowed(rules, family=family, set=set)
    limits = rules.number("curing.heat_rate_max", set), rules.number("curing.cool_rate_max", set)
    top = max((c for _, c in good), default=hottest)
    checks = [
        (top > hottest, "too_hot", f"Curing reached {top:.1f} °C, at most {hottest:g} °C are allowed."),
        (up > limits[0], "heat_fast", f"Curing heated by {up:.1f} °C/h, at most {limits[0]:g} are allowed."),
        (down > limits[1], "cool_fast", f"Curing cooled by {down:.1f} °C/h, at most {limits[1]:g} are allowed."),
    ]
    return [Finding("warning", code, text) for bad, code, text in checks if bad]


def hottest_allowed(rules: RuleSet, *, family: str = "", set: str | None = None) -> float:
    """The highest curing temperature of a family in °C; sandwich walls have a limit of their own."""
    if family == "sandwich_wall" and rules.has("curing.temp_max_sandwich_wall", set):
        return rules.number("curing.temp_max_sandwich_wall", set)
    return rules.number("curing.temp_max", set)


def rates(history: Sequence[Reading], window: timedelta) -> tuple[float, float]:
    """The fastest heating and cooling in °C/h between samples that lie at least a window apart."""
    up = down = 0.0
    first = 0
    for at, c in history:
        while first + 1 < len(history) and at - history[first + 1][0] >= window:
            first += 1
        span = at - history[first][0]
        if span >= window:
            rate = (c - history[first][1]) / (span.total_seconds() / 3600)
            up, down = max(up, rate), max(down, -rate)
    return up, down


def _steps(history: Sequence[Reading]) -> Iterable[tuple[float, float]]:
    """Mean temperature and hours between neighbouring samples; a marked gap (NaN) counts as nothing."""
    for (at1, c1), (at2, c2) in pairwise(history):
        if isfinite(c1) and isfinite(c2):
            yield (c1 + c2) / 2, (at2 - at1).total_seconds() / 3600


def _without_gaps(history: Sequence[Reading], gap_max_min: float) -> list[Reading]:
    """The history with each gap marked by a NaN, so that nothing is counted over it."""
    marked: list[Reading] = []
    for at, c in history:
        if marked and at - marked[-1][0] > timedelta(minutes=gap_max_min):
            marked.append((at, float("nan")))
        marked.append((at, c))
    return marked


def _why_cubes(samples: int, gap_min: float, gap_max_min: float, mix: Mix) -> str:
    if samples < 2:
        return "The temperature history has fewer than two samples."
    if gap_min > gap_max_min:
        return f"The temperature history has a gap of {gap_min:.0f} min, at most {gap_max_min:g} min are allowed."
    if not mix.strength.calibrated:
        return f"The strength curve of mix {mix.id} is not calibrated."
    return ""
