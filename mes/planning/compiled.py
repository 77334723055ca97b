"""The same decoder on flat integer arrays, compiled with numba: only the objective, for the search loop."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mes.planning.decode import Busy, Shop

INFEASIBLE = 1 << 60
Ints = NDArray[np.int64]


def compiled_evaluator(shop: Shop) -> Callable[[Sequence[int]], int] | None:
    """Objective of an order, INFEASIBLE where the calendar ends; None when numba is not installed."""
    run = _compiled()
    if run is None:
        return None
    arrays = _arrays(shop)
    return lambda order: int(run(np.array(order, dtype=np.int64), *arrays))


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., int] | None:
    try:
        from numba import njit
    except ImportError:
        return None
    for name in ("_work", "_end", "_gap", "_book", "_least", "_start", "_cast", "_leave"):
        globals()[name] = njit(cache=True)(globals()[name])
    compiled: Callable[..., int] = njit(cache=True)(_objective)
    return compiled


def _arrays(shop: Shop) -> tuple[Any, ...]:
    n, b, f = shop.n, len(shop.after_busy), len(shop.beside_busy)
    axis = shop.axis
    per_job = np.array(
        [shop.cure, shop.kind, shop.mould, shop.concrete, shop.release, shop.due, shop.weight], dtype=np.int64
    )
    scalars = np.array(
        [
            shop.wet_station,
            shop.mould_station,
            int(shop.wet_same_day),
            shop.last_concrete,
            axis.total,
            shop.w_late,
            shop.w_span,
            shop.w_setup,
            b,
        ],
        dtype=np.int64,
    )
    return (
        (_a(axis.start), _a(axis.end), _a(axis.work), _a(axis.day_hi)),
        _table(shop.times, shop.m),
        _table(shop.lead, shop.m),
        np.hstack([_table(shop.after, b), _table(shop.beside, f)]),
        per_job,
        _table(shop.setup, len(shop.setup)),
        _ragged(shop.pallet_free),
        _ragged(shop.mould_free),
        _a(shop.slot_free),
        _a(shop.station_free),
        _a(shop.lead_free),
        _busy([*shop.after_busy, *shop.beside_busy], n),
        scalars,
    )


def _a(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _table(rows: Sequence[Sequence[int]], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(len(rows), width)


def _ragged(rows: Sequence[Sequence[int]]) -> Ints:
    """Rows of unequal length, filled up with places that are never free."""
    out = np.full((max(1, len(rows)), max([1, *(len(r) for r in rows)])), INFEASIBLE, dtype=np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def _busy(rows: Sequence[Busy], n: int) -> tuple[Ints, Ints]:
    """Booked intervals [station, place, start or end] with room for n more, and how many there are."""
    room = n + max([0, *(len(r) for r in rows)])
    table = np.zeros((max(1, len(rows)), room, 2), dtype=np.int64)
    counts = np.zeros(max(1, len(rows)), dtype=np.int64)
    for k, row in enumerate(rows):
        counts[k] = len(row)
        for i, (a, z) in enumerate(sorted(row)):
            table[k, i, 0], table[k, i, 1] = a, z
    return table, counts


def _work(starts: Any, ends: Any, work: Any, t: int) -> int:
    i = np.searchsorted(starts, t, side="right") - 1
    if i < 0:
        return 0
    return work[i] + min(t, ends[i]) - starts[i]  # type: ignore[no-any-return]


def _end(starts: Any, work: Any, w: int) -> int:
    if w <= 0:
        return starts[0]  # type: ignore[no-any-return]
    i = np.searchsorted(work, w, side="left") - 1
    return starts[i] + w - work[i]  # type: ignore[no-any-return]


def _gap(busy: Any, count: int, t: int, d: int) -> int:
    if d == 0:
        return t
    i = count
    while i > 0 and busy[i - 1, 1] > t:
        i -= 1
    while i < count and busy[i, 0] < t + d:
        t = busy[i, 1]
        i += 1
    return t


def _book(busy: Any, counts: Any, k: int, t: int, d: int) -> None:
    if d == 0:
        return
    i = counts[k]
    while i > 0 and busy[k, i - 1, 0] > t:
        busy[k, i, 0] = busy[k, i - 1, 0]
        busy[k, i, 1] = busy[k, i - 1, 1]
        i -= 1
    busy[k, i, 0], busy[k, i, 1] = t, t + d
    counts[k] += 1


def _least(free: Any) -> int:
    best = 0
    for i in range(1, free.shape[0]):
        if free[i] < free[best]:
            best = i
    return best


def _start(
    t: int, k: int, last: int, lead: int, free: int, lead_free: int, mould_station: int, mould_at: int, slot_at: int
) -> int:
    start = max(t + lead, free)
    if lead > 0:
        start = max(start, lead_free + lead)
    if k == mould_station:
        start = max(start, mould_at)
    if k == last:
        start = max(start, slot_at)
    return start


def _cast(
    row: Any,
    j: int,
    t: int,
    change: int,
    mould_at: int,
    slot_at: int,
    times: Any,
    leads: Any,
    free: Any,
    lead_free: Any,
    day_hi: Any,
    scalars: Any,
) -> int:
    """Fills the starts of job j up to the chamber; its entry, or −1 where the calendar ends."""
    q, ms, same_day, total, m = scalars[0], scalars[1], scalars[2], scalars[4], times.shape[1]
    for k in range(q):
        row[k] = _start(t, k, m - 1, leads[j, k], free[k], lead_free[k], ms, mould_at, slot_at)
        t = row[k] + times[j, k]
    first = _start(t, q, m - 1, leads[j, q], free[q], lead_free[q], ms, mould_at, slot_at)
    first = max(first, free[q] + change)
    while True:
        row[q] = first
        t = first + times[j, q]
        for k in range(q + 1, m):
            row[k] = _start(t, k, m - 1, leads[j, k], free[k], lead_free[k], ms, mould_at, slot_at)
            t = row[k] + times[j, k]
        if t >= total:
            return -1
        hi = day_hi[np.searchsorted(day_hi, first - leads[j, q], side="right")]
        if t <= hi or same_day == 0:
            return t
        first = hi + leads[j, q]


def _leave(busy: Any, counts: Any, minutes: Any, b: int, t: int) -> tuple[int, int, int]:
    """Books the stations behind (first b, without waiting) and beside the line: exit, return of the pallet, finish."""
    moved = True
    while moved:
        moved, at = False, t
        for k in range(b):
            gap = _gap(busy[k], counts[k], at, minutes[k])
            if gap > at:
                t += gap - at
                moved = True
                break
            at += minutes[k]
    out, returned = t, t
    for k in range(minutes.shape[0]):
        if k >= b:
            t = _gap(busy[k], counts[k], t, minutes[k])
        _book(busy, counts, k, t, minutes[k])
        t += minutes[k]
        if k == b - 1:
            returned = t
    return out, returned, t


def _objective(
    order: Any,
    axis: Any,
    times: Any,
    leads: Any,
    behind: Any,
    per_job: Any,
    setup: Any,
    pallets0: Any,
    moulds0: Any,
    slots0: Any,
    free0: Any,
    lead0: Any,
    busy0: Any,
    scalars: Any,
) -> int:
    """One pass over the order; what `decode.py` does."""
    concrete, w_late, w_span, w_setup, b = scalars[3], scalars[5], scalars[6], scalars[7], scalars[8]
    pallets, moulds, slots, free, lead_free = pallets0.copy(), moulds0.copy(), slots0.copy(), free0.copy(), lead0.copy()
    busy, counts, m = busy0[0].copy(), busy0[1].copy(), times.shape[1]
    row = np.zeros(m, dtype=np.int64)
    late, span, setups = 0, 0, 0
    for j in order:
        cure, kind, mould, new, release, due, weight = per_job[:, j]
        pallet, slot, place, mould_at = _least(pallets[kind]), _least(slots), 0, 0
        if mould >= 0:
            place = _least(moulds[mould])
            mould_at = moulds[mould, place]
        t = max(free[0], release, pallets[kind, pallet])
        change = setup[concrete, new] if concrete >= 0 else 0
        t = _cast(row, j, t, change, mould_at, slots[slot], times, leads, free, lead_free, axis[3], scalars)
        if t < 0:
            return INFEASIBLE
        for k in range(m):
            free[k] = row[k + 1] if k + 1 < m else t
            if leads[j, k] > 0:
                lead_free[k] = row[k]
        concrete, setups = new, setups + change
        t = _work(axis[0], axis[1], axis[2], _end(axis[0], axis[2], t) + cure)
        out, returned, t = _leave(busy, counts, behind[j], b, t)
        if t >= scalars[4]:
            return INFEASIBLE
        pallets[kind, pallet], slots[slot] = returned, out + 1
        if mould >= 0:
            moulds[mould, place] = returned
        late += weight * max(0, t - due)
        span = max(span, t)
    return w_late * late + w_span * span + w_setup * setups  # type: ignore[no-any-return]
