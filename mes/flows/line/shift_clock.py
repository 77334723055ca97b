"""When a line works: shifts of the plant as a question to the clock."""

from datetime import datetime, timedelta

from mes.lines.plant import Shifts
from mes.planning.calendar import WorkAxis, work_axis
from mes.planning.problem import Calendar


def calendar_of(timezone: str, shifts: Shifts) -> Calendar:
    week = {str(day): [(s.start, s.end) for s in segments] for day, segments in shifts.week.items()}
    exceptions = {day: [(s.start, s.end) for s in segments] for day, segments in shifts.exceptions.items()}
    return Calendar.from_shifts(timezone, week, exceptions)


class ShiftClock:
    """Answers for any moment; looks ahead 60 days at a time."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._axis: WorkAxis | None = None

    def working(self, now: datetime) -> bool:
        return self.minutes_left_today(now) > 0

    def minutes_left_today(self, now: datetime) -> int:
        """Working minutes from now to the end of this working day; 0 outside of shifts."""
        axis = self._at(now)
        minute = int((now - axis.origin) / timedelta(minutes=1))
        work = axis.W(minute)
        if axis.W(minute + 1) == work or work >= axis.total:
            return 0
        return axis.day_hi[axis.day(work)] - work

    def _at(self, now: datetime) -> WorkAxis:
        if self._axis is None or not timedelta(0) <= now - self._axis.origin < timedelta(days=50):
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            self._axis = work_axis(self._calendar, midnight, 60)
        return self._axis
