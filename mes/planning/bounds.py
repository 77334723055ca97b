"""How good a plan can be at best: a bound on tardiness and makespan that ignores blocking, class changes and the wet rule."""

from mes.planning.decode import Shop


def objective_bound(shop: Shop) -> int:
    """Lower bound of the objective in work minutes, the better of all stations.

    For station k with sorted times p(1) ≤ p(2) ≤ …: the i-th pallet is finished at or after g(head + p(1)+…+p(i) + tail) + behind,
    with the least head, tail, cure and work behind of all pallets; g is the curing window, which is monotone.
    """
    if not shop.n:
        return 0
    behind = min(sum(a) + sum(b) for a, b in zip(shop.after, shop.beside, strict=True))
    cure = min(shop.cure)
    dues = sorted(shop.due)
    weight = min(shop.weight)
    best = 0
    for k in range(shop.m):
        head = min(sum(row[:k]) for row in shop.times)
        tail = min(sum(row[k + 1 :]) for row in shop.times)
        busy, ends = max(head, shop.station_free[k]), []
        for p in sorted(row[k] for row in shop.times):
            busy += p
            ends.append(_finish(shop, min(busy + tail, shop.axis.total), cure) + behind)
        late = sum(max(0, end - due) for end, due in zip(ends, dues, strict=True))
        best = max(best, shop.w_late * weight * late + shop.w_span * ends[-1])
    return best


def _finish(shop: Shop, entry: int, cure: int) -> int:
    return shop.axis.W(shop.axis.E(entry) + cure)
