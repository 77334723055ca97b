"""Why a pallet starts when it starts: the binding reason of every start, and the causes of lateness in minutes."""

from collections.abc import Sequence

from mes.planning.decode import JobTimes, Shop
from mes.planning.problem import Because

PROCESS = "process"


def waits(shop: Shop, runs: Sequence[JobTimes], at: int) -> list[tuple[int, str, int, int]]:
    """Waiting of run `at` as (station index, reason, minutes, index of the other run or −1), in order of the flow.

    Reasons: queue (its turn on the line came late), pallet_return, mould_return, blocked_ahead, class_change, chamber_full, batching,
    wet_rule, demould_busy, beside_busy.
    """
    run, previous = runs[at], runs[at - 1] if at else None
    j, out, t = run.job, [], 0
    for k, start in enumerate(run.starts):
        lead = shop.lead[j][k]
        if start > t + lead:
            reason, other = _reason(shop, runs, at, k, start)
            out.append((k, reason, start - t - lead, other))
        t = start + shop.times[j][k]
    ready = shop.axis.W(shop.axis.E(run.entry) + shop.cure[j])
    if run.exit > ready:
        out.append((shop.m, "demould_busy", run.exit - ready, -1 if previous is None else at - 1))
    t = run.returned
    for k, start in enumerate(run.beside):
        if start > t:
            out.append((shop.m + 1 + k, "beside_busy", start - t, -1))
        t = start + shop.beside[j][k]
    return out


def because(shop: Shop, runs: Sequence[JobTimes], at: int, names: Sequence[str]) -> tuple[Because, ...]:
    """The three largest causes of the time until the finish of run `at`, working time at the stations included."""
    found: dict[tuple[str, str], int] = {}
    for _, reason, spent, other in waits(shop, runs, at):
        key = (reason, names[other] if other >= 0 else "")
        found[key] = found.get(key, 0) + spent
    run = runs[at]
    curing = shop.axis.W(shop.axis.E(run.entry) + shop.cure[run.job]) - run.entry
    found[("curing", "")] = curing
    found[(PROCESS, "")] = run.finish - sum(found.values())
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Because(reason, spent, other) for (reason, other), spent in ranked if spent > 0)[:3]


def _reason(shop: Shop, runs: Sequence[JobTimes], at: int, k: int, start: int) -> tuple[str, int]:
    run, before = runs[at], runs[at - 1] if at else None
    j = run.job
    left = shop.station_free[k]
    if before is not None:
        left = before.starts[k + 1] if k + 1 < shop.m else before.entry
    if left == start:
        done = before is None or before.starts[k] + shop.times[before.job][k] == left
        return ("queue" if k == 0 or done else "blocked_ahead"), at - 1
    same = [n for n in range(at) if runs[n].pallet == run.pallet and shop.kind[runs[n].job] == shop.kind[j]]
    if k == 0:
        return "pallet_return", same[-1] if same else -1
    if k == shop.mould_station and shop.mould[j] >= 0:
        backs = [n for n in range(at) if shop.mould[runs[n].job] == shop.mould[j] and runs[n].returned == start]
        return "mould_return", backs[0] if backs else -1
    if k == shop.m - 1:
        freed = [n for n in range(at) if runs[n].exit + 1 == start]
        return "chamber_full", freed[0] if freed else -1
    if k == shop.wet_station:
        change = before is not None and start == left + shop.setup[shop.concrete[before.job]][shop.concrete[j]]
        if change:
            return "class_change", at - 1
        return ("wet_rule" if start - shop.lead[j][k] in set(shop.axis.day_lo) else "batching"), -1
    return "batching", at - 1
