"""Working time on one axis."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes.core.errors import NoFeasiblePlan
from mes.planning.calendar import WorkAxis, work_axis
from mes.planning.problem import Calendar
from tests.planning.factory import CALENDAR


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(1, 60)), min_size=1, max_size=8), st.data())
def test_starts_and_ends_lead_back_to_the_work_minute(parts: list[tuple[int, int]], data: st.DataObject) -> None:
    at, day = 0, []
    for pause, length in parts:
        day.append((at + pause, at + pause + length))
        at += pause + length
    axis = WorkAxis([day])
    w = data.draw(st.integers(0, axis.total - 1))
    assert axis.W(axis.R(w)) == w
    assert axis.W(axis.E(w)) == w
    assert axis.E(w) <= axis.R(w)


def test_curing_runs_over_the_weekend() -> None:
    week = {day: [("06:00", "22:00")] for day in ("mon", "tue", "wed", "thu", "fri")}
    friday = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
    axis = work_axis(Calendar.from_shifts("UTC", week), friday, 10)
    ready = axis.W(axis.E(15 * 60) + 10 * 60)
    assert axis.starts_at(ready) == datetime(2026, 3, 9, 6, 0, tzinfo=UTC)


def test_a_day_off_has_no_work_and_a_night_shift_is_one_day() -> None:
    calendar = Calendar.from_shifts(
        "UTC", {"mon": [("22:00", "06:00")], "tue": [("22:00", "06:00")]}, {"2026-03-03": []}
    )
    axis = work_axis(calendar, datetime(2026, 3, 2, 12, 0, tzinfo=UTC), 5)
    assert axis.total == axis.longest_day == 8 * 60
    assert axis.starts_at(0) == datetime(2026, 3, 2, 22, 0, tzinfo=UTC)


def test_work_before_the_start_is_cut_off() -> None:
    axis = work_axis(CALENDAR, datetime(2026, 3, 2, 2, 0, 30, tzinfo=UTC), 1)
    assert axis.starts_at(0) == datetime(2026, 3, 2, 2, 1, tzinfo=UTC)


def test_a_calendar_without_work_is_refused() -> None:
    with pytest.raises(NoFeasiblePlan) as caught:
        work_axis(Calendar.from_shifts("UTC", {}), datetime(2026, 3, 2, tzinfo=UTC), 5)
    assert caught.value.code == "calendar_empty"
