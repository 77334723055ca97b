"""Working time as one axis: nights, breaks and days off vanish, so that station times can simply be added.

Real minutes count from an origin (the plan's start); work minutes count only the minutes inside shift segments. `W(t)` = work minutes in
[0, t), `R(w)` = real start of work minute w, `E(w)` = real end of work minute w−1. Starts are written with R, ends with E.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mes.core.errors import NoFeasiblePlan
from mes.planning.problem import WEEKDAYS, Calendar, Segment

MINUTE = timedelta(minutes=1)


class WorkAxis:
    """Segments in real minutes, grouped in working days; `day_lo[d] ≤ w < day_hi[d]` on the work axis.

    `days`: for each working day its segments [from, to), ascending and disjoint over all days.
    """

    def __init__(self, days: Sequence[Sequence[Segment]], origin: datetime | None = None) -> None:
        self.origin = origin or datetime(2000, 1, 3, tzinfo=UTC)
        self.start: list[int] = []
        self.end: list[int] = []
        self.work: list[int] = [0]
        self.day_hi: list[int] = []
        for day in _joined(days):
            for a, b in day:
                self.start.append(a)
                self.end.append(b)
                self.work.append(self.work[-1] + b - a)
            self.day_hi.append(self.work[-1])
        self.day_lo = [0, *self.day_hi[:-1]]
        self.total = self.work[-1]

    def W(self, t: int) -> int:
        """Working minutes before real minute t = the first work minute at or after it."""
        i = bisect_right(self.start, t) - 1
        if i < 0:
            return 0
        return self.work[i] + min(t, self.end[i]) - self.start[i]

    def R(self, w: int) -> int:
        """Real minute at which work minute w starts. Raises NoFeasiblePlan(code="calendar_ends") beyond the last one."""
        if w >= self.total:
            raise calendar_ends()
        i = bisect_right(self.work, w) - 1
        return self.start[i] + w - self.work[i]

    def E(self, w: int) -> int:
        """Real minute at which the work minute before w ends."""
        if w <= 0:
            return self.start[0]
        i = bisect_left(self.work, w) - 1
        if i >= len(self.start):
            raise calendar_ends()
        return self.start[i] + w - self.work[i]

    def day(self, w: int) -> int:
        """The working day that holds the start of work minute w."""
        return bisect_right(self.day_hi, w)

    @property
    def longest_day(self) -> int:
        return max((hi - lo for lo, hi in zip(self.day_lo, self.day_hi, strict=True)), default=0)

    def work_minute(self, at: datetime) -> int:
        """W of a datetime (rounded down to the minute)."""
        return self.W((at - self.origin) // MINUTE)

    def starts_at(self, w: int) -> datetime:
        return self.origin + MINUTE * self.R(w)

    def ends_at(self, w: int) -> datetime:
        return self.origin + MINUTE * self.E(w)


def calendar_ends() -> NoFeasiblePlan:
    return NoFeasiblePlan(
        "The work does not fit into the working calendar.",
        code="calendar_ends",
        hint="Give the calendar more working time, or plan fewer pieces at once.",
    )


def work_axis(calendar: Calendar, start: datetime, horizon_days: int) -> WorkAxis:
    """The calendar from `start` (rounded up to the minute) over so many days; work before `start` is cut off."""
    origin = start.astimezone(UTC)
    if origin.second or origin.microsecond:
        origin = origin.replace(second=0, microsecond=0) + MINUTE
    zone = ZoneInfo(calendar.timezone)
    first = origin.astimezone(zone).date() - timedelta(days=1)
    days: list[list[Segment]] = []
    for n in range(horizon_days + 2):
        date = first + timedelta(days=n)
        segments = calendar.exceptions.get(date.isoformat(), calendar.week[date.weekday()])
        midnight = datetime(date.year, date.month, date.day, tzinfo=zone)
        days.append([_real(midnight, segment, origin, zone) for segment in segments])
    axis = WorkAxis([[(max(a, 0), b) for a, b in day if b > 0] for day in days], origin)
    if not axis.total:
        raise NoFeasiblePlan(
            "The calendar has no working time.",
            code="calendar_empty",
            hint=f"Give at least one of {', '.join(WEEKDAYS)} a shift.",
        )
    return axis


def _real(midnight: datetime, segment: Segment, origin: datetime, zone: ZoneInfo) -> Segment:
    """Local wall-clock minutes of a day as minutes after the origin (exact over a change of daylight saving)."""
    a, b = (
        ((midnight.replace(tzinfo=None) + MINUTE * m).replace(tzinfo=zone).astimezone(UTC) - origin) // MINUTE
        for m in segment
    )
    return a, b


def _joined(days: Sequence[Sequence[Segment]]) -> list[list[Segment]]:
    """Overlaps cut off; days that follow one another without a gap are one working day (round-the-clock work)."""
    out: list[list[Segment]] = []
    last = None
    for day in days:
        kept: list[Segment] = []
        for a, b in sorted(day):
            a = a if last is None else max(a, last)
            if b <= a:
                continue
            if a == last and not kept and out:
                kept = out.pop()
            if kept and kept[-1][1] == a:
                kept[-1] = (kept[-1][0], b)
            else:
                kept.append((a, b))
            last = b
        if kept:
            out.append(kept)
    return out
