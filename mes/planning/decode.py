"""The reference decoder: an order of pallets becomes exact times on a blocking line with a curing chamber.

All times are work minutes (see `calendar.py`). A pallet leaves a station only when the next one is free; it needs a free pallet, perhaps a
mould, a chamber place, and enters the chamber on the day on which its concreting began. Curing runs on the real clock. Behind the chamber
pallets are emptied in the order in which they are ready, without waiting between those stations; work beside the line follows.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heapreplace

from mes.planning.calendar import WorkAxis, calendar_ends

NO_DUE = 1 << 40
Busy = list[tuple[int, int]]


@dataclass(frozen=True)
class Shop:
    """The sequencing problem in whole work minutes; n jobs, m stations up to and including the chamber, b behind it, f beside the line.

    `times[j][k]` (n × m), `lead[j][k]` minutes of work beside the line that must be done right before a start (batching),
    `cure[j]` real minutes, `after[j]` (n × b), `beside[j]` (n × f), `kind[j]` pallet type, `mould[j]` mould type or −1, `setup[a][b]` by class.
    `*_free` and `*_busy` are the state at the start: when each place is free again, and what the later stations are already booked for.
    """

    axis: WorkAxis
    times: list[list[int]]
    lead: list[list[int]]
    cure: list[int]
    after: list[list[int]]
    beside: list[list[int]]
    kind: list[int]
    mould: list[int]
    concrete: list[int]
    setup: list[list[int]]
    release: list[int]
    due: list[int]
    weight: list[int]
    wet_station: int
    mould_station: int
    wet_same_day: bool
    pallet_free: list[list[int]]
    mould_free: list[list[int]]
    slot_free: list[int]
    station_free: list[int]
    lead_free: list[int]
    last_concrete: int = -1
    after_busy: list[Busy] = field(default_factory=list)
    beside_busy: list[Busy] = field(default_factory=list)
    w_late: int = 1
    w_span: int = 1
    w_setup: int = 0

    @property
    def n(self) -> int:
        return len(self.times)

    @property
    def m(self) -> int:
        return len(self.station_free)


@dataclass(frozen=True)
class JobTimes:
    """One pallet run: starts at the stations up to the chamber, entry, exit, starts behind and beside, and the pallet (index in its type)."""

    job: int
    pallet: int
    starts: tuple[int, ...]
    entry: int
    exit: int
    after: tuple[int, ...]
    beside: tuple[int, ...]
    returned: int
    finish: int


@dataclass(frozen=True)
class Timetable:
    runs: tuple[JobTimes, ...]
    objective: int


class _State:
    """What is booked while the pallets are decoded one after the other."""

    def __init__(self, shop: Shop) -> None:
        self.pallets = [_heap(free) for free in shop.pallet_free]
        self.moulds = [_heap(free) for free in shop.mould_free]
        self.slots = _heap(shop.slot_free)
        self.free = list(shop.station_free)
        self.lead = list(shop.lead_free)
        self.concrete = shop.last_concrete
        self.after = [sorted(busy) for busy in shop.after_busy]
        self.beside = [sorted(busy) for busy in shop.beside_busy]
        self.late = self.span = self.setup = 0


def decode(shop: Shop, order: Sequence[int]) -> Timetable:
    """Times of the pallets in this order. Raises NoFeasiblePlan(code="calendar_ends") when the calendar is too short."""
    state = _State(shop)
    runs = tuple(_place(shop, state, job) for job in order)
    objective = shop.w_late * state.late + shop.w_span * state.span + shop.w_setup * state.setup
    return Timetable(runs, objective)


def _place(shop: Shop, state: _State, j: int) -> JobTimes:
    pallet_at, pallet = state.pallets[shop.kind[j]][0]
    starts, t = _to_casting(shop, state, j, max(state.free[0], shop.release[j], pallet_at))
    change = 0 if state.concrete < 0 else shop.setup[state.concrete][shop.concrete[j]]
    starts = _through_wet(shop, state, j, starts, t, change)
    entry = starts[-1] + shop.times[j][-1]
    for k in range(shop.m):
        state.free[k] = starts[k + 1] if k + 1 < shop.m else entry
        state.lead[k] = starts[k] if shop.lead[j][k] else state.lead[k]
    state.concrete, state.setup = shop.concrete[j], state.setup + change
    ready = shop.axis.W(shop.axis.E(entry) + shop.cure[j])
    after, exit_, returned = _empty(state.after, shop.after[j], ready)
    beside, finish = _beside(state.beside, shop.beside[j], returned)
    if finish >= shop.axis.total:
        raise calendar_ends()
    heapreplace(state.pallets[shop.kind[j]], (returned, pallet))
    if shop.mould[j] >= 0:
        heap = state.moulds[shop.mould[j]]
        heapreplace(heap, (returned, heap[0][1]))
    heapreplace(state.slots, (exit_ + 1, state.slots[0][1]))
    state.late += shop.weight[j] * max(0, finish - shop.due[j])
    state.span = max(state.span, finish)
    return JobTimes(j, pallet, tuple(starts), entry, exit_, after, beside, returned, finish)


def _to_casting(shop: Shop, state: _State, j: int, t: int) -> tuple[list[int], int]:
    """Starts at the stations before casting, and when the pallet is done there."""
    starts = []
    for k in range(shop.wet_station):
        t = _earliest(shop, state, j, k, t)
        starts.append(t)
        t += shop.times[j][k]
    return starts, t


def _earliest(shop: Shop, state: _State, j: int, k: int, t: int) -> int:
    """Earliest start at station k for a pallet that is done before it at t."""
    lead = shop.lead[j][k]
    start = max(t + lead, state.free[k])
    if lead:
        start = max(start, state.lead[k] + lead)
    if k == shop.mould_station and shop.mould[j] >= 0:
        start = max(start, state.moulds[shop.mould[j]][0][0])
    if k == shop.m - 1:
        start = max(start, state.slots[0][0])
    return start


def _through_wet(shop: Shop, state: _State, j: int, starts: list[int], t: int, change: int) -> list[int]:
    """Casting to chamber; casting moves to the next day until the pallet enters on the day on which its concrete was begun."""
    q, axis = shop.wet_station, shop.axis
    lead = shop.lead[j][q]
    first = max(_earliest(shop, state, j, q, t), state.free[q] + change)
    while True:
        row, t = [first], first + shop.times[j][q]
        for k in range(q + 1, shop.m):
            row.append(_earliest(shop, state, j, k, t))
            t = row[-1] + shop.times[j][k]
        if t >= axis.total:
            raise calendar_ends()
        hi = axis.day_hi[axis.day(first - lead)]
        if t <= hi or not shop.wet_same_day:
            return starts + row
        first = hi + lead


def _empty(busy: list[Busy], minutes: Sequence[int], ready: int) -> tuple[tuple[int, ...], int, int]:
    """First time from `ready` at which all stations behind the chamber are free one after the other: (starts, exit, end)."""
    t = ready
    moved = True
    while moved:
        moved, at = False, t
        for k, d in enumerate(minutes):
            free = earliest_gap(busy[k], at, d)
            if free > at:
                t, moved = t + free - at, True
                break
            at += d
    starts, at = [], t
    for k, d in enumerate(minutes):
        starts.append(at)
        if d:
            insort(busy[k], (at, at + d))
        at += d
    return tuple(starts), t, at


def _beside(busy: list[Busy], minutes: Sequence[int], t: int) -> tuple[tuple[int, ...], int]:
    starts = []
    for k, d in enumerate(minutes):
        t = earliest_gap(busy[k], t, d)
        starts.append(t)
        if d:
            insort(busy[k], (t, t + d))
        t += d
    return tuple(starts), t


def earliest_gap(busy: Busy, t: int, d: int) -> int:
    """First start ≥ t of a free interval of length d between sorted disjoint intervals."""
    if d == 0:
        return t
    i = len(busy)
    while i > 0 and busy[i - 1][1] > t:
        i -= 1
    while i < len(busy) and busy[i][0] < t + d:
        t = busy[i][1]
        i += 1
    return t


def _heap(free: Sequence[int]) -> list[tuple[int, int]]:
    heap = [(t, n) for n, t in enumerate(free)]
    heapify(heap)
    return heap
