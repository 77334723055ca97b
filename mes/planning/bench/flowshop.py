"""Permutation flow shop instances: `{machines, jobs, times: [[job][machine]]}`, shortest makespan by NEH and iterated greedy."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from mes.planning.bench.budget import Timer, planned_evaluations, read_instance, real_time
from mes.planning.sequencing import TABLE


def bench_flowshop(
    path: Path,
    time_limit: float = 1.0,
    seed: int = 1,
    evaluations: int | None = None,
    *,
    timer: Timer = real_time,
) -> dict[str, Any]:
    """`{makespan, sequence, lower_bound, solve_s, evaluations, seed}`; an evaluation is one destruction and construction."""
    doc = read_instance(path, "times")
    times = np.array(doc["times"], dtype=np.int64)
    best_place = _placer()
    best_place(times, np.zeros(0, dtype=np.int64), 0)
    began = timer()
    budget = evaluations
    if budget is None:
        budget = planned_evaluations(lambda count: iterated_greedy(times, count, seed, best_place), time_limit, timer)
    order, makespan = iterated_greedy(times, budget, seed, best_place)
    return {
        "makespan": makespan,
        "sequence": order,
        "lower_bound": flowshop_bound(doc["times"]),
        "solve_s": round(timer() - began, 3),
        "evaluations": budget,
        "seed": seed,
    }


Placer = Callable[[Any, Any, int], tuple[int, int]]


def iterated_greedy(times: Any, budget: int, seed: int, place: Placer, removed: int = 4) -> tuple[list[int], int]:
    """NEH start, then remove and reinsert jobs (Ruiz and Stützle 2007, d = 4, T = 0.4); integers only."""
    random = Random(seed)
    n, m = times.shape
    now: list[int] = []
    value = 0
    for job in sorted(range(n), key=lambda j: (-int(times[j].sum()), j)):
        value = _insert(times, now, job, place)
    best, best_value = list(now), value
    heat = int(times.sum()) * 65536 * 4 // (n * m * 100)
    for _ in range(budget if n > 2 else 0):
        trial = list(now)
        gone = [trial.pop(random.randrange(len(trial))) for _ in range(min(removed, n - 1))]
        new = value
        for job in gone:
            new = _insert(times, trial, job, place)
        if new <= value or (new - value) << 32 <= heat * TABLE[random.randrange(1024)]:
            now, value = trial, new
            if value < best_value:
                best, best_value = list(now), value
    return best, best_value


def _insert(times: Any, order: list[int], job: int, place: Placer) -> int:
    at, makespan = place(times, np.array(order, dtype=np.int64), job)
    order.insert(int(at), job)
    return int(makespan)


def flowshop_bound(times: Sequence[Sequence[int]]) -> int:
    """Longest machine with its least head and tail, or the longest job."""
    if not times:
        return 0
    m = len(times[0])
    machines = [
        min(sum(row[:k]) for row in times) + sum(row[k] for row in times) + min(sum(row[k + 1 :]) for row in times)
        for k in range(m)
    ]
    return max(*machines, *(sum(row) for row in times), 0)


@lru_cache(maxsize=1)
def _placer() -> Placer:
    try:
        from numba import njit
    except ImportError:
        return _best_place
    compiled: Placer = njit(cache=True)(_best_place)
    return compiled


def _best_place(times: Any, order: Any, job: int) -> tuple[int, int]:
    """Best place of `job` in `order` and the makespan then, all places in O(n·m) (Taillard 1990)."""
    n, m = order.shape[0], times.shape[1]
    tails = np.zeros((n + 1, m + 1), dtype=np.int64)
    for i in range(n - 1, -1, -1):
        for k in range(m - 1, -1, -1):
            tails[i, k] = max(tails[i + 1, k], tails[i, k + 1]) + times[order[i], k]
    heads = np.zeros(m + 1, dtype=np.int64)
    best_at, best = 0, -1
    for i in range(n + 1):
        done, longest = 0, 0
        for k in range(m):
            done = max(done, heads[k]) + times[job, k]
            longest = max(longest, done + tails[i, k])
        if best < 0 or longest < best:
            best_at, best = i, longest
        if i < n:
            done = 0
            for k in range(m):
                done = max(done, heads[k]) + times[order[i], k]
                heads[k] = done
    return best_at, best
