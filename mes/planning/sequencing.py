"""In which order pallets go on the line: a portfolio of rules, the best of them improved by annealing on the decoder.

Repeatable: the budget counts decoded orders, arithmetic is on integers, and the acceptance table of −ln u is rounded to integers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from random import Random

from mes.core.errors import NoFeasiblePlan
from mes.planning.decode import NO_DUE, Shop, decode

INFEASIBLE = 1 << 60
TABLE = tuple(round(-log((i + 0.5) / 1024) * 65536) for i in range(1024))
COMPILED_PAYS_FROM = 400_000
Evaluate = Callable[[Sequence[int]], int]


@dataclass(frozen=True)
class Sequenced:
    """The best order found; `rule` gave the start."""

    order: tuple[int, ...]
    objective: int
    rule: str
    evaluations: int


def sequence(shop: Shop, evaluations: int, seed: int, *, compiled: bool | None = None) -> Sequenced:
    """The best order within the budget. `compiled` None: the compiled decoder when it is installed and the work is large."""
    evaluate = evaluator(shop, evaluations, compiled)
    best, rule, used = _best_rule(shop, evaluate, evaluations)
    order, objective = improve(best, evaluate, max(0, evaluations - used), seed)
    if objective >= INFEASIBLE:
        decode(shop, order)
    return Sequenced(tuple(order), objective, rule, evaluations if len(order) > 1 else used)


def evaluator(shop: Shop, evaluations: int, compiled: bool | None = None) -> Evaluate:
    """Objective of an order; INFEASIBLE where the calendar ends."""
    large = shop.n * evaluations >= COMPILED_PAYS_FROM
    if compiled or (compiled is None and large):
        from mes.planning.compiled import compiled_evaluator

        fast = compiled_evaluator(shop)
        if fast is not None:
            return fast
    return lambda order: _objective(shop, order)


def rules(shop: Shop) -> dict[str, list[int]]:
    """Orders by simple rules; the loads come in order of need, so ties fall by erection sequence and id."""
    n, day = shop.n, max(1, shop.axis.longest_day)
    work = [sum(row) for row in shop.times]
    jobs = list(range(n))

    def bucket(j: int, size: int) -> int:
        return min(shop.due[j], NO_DUE) // size

    return {
        "edd": sorted(jobs, key=lambda j: (shop.due[j], j)),
        "edd_day_class": sorted(jobs, key=lambda j: (bucket(j, day), shop.concrete[j], j)),
        "edd_half_day_class": sorted(jobs, key=lambda j: (bucket(j, max(1, day // 2)), shop.concrete[j], j)),
        "edd_two_days_class": sorted(jobs, key=lambda j: (bucket(j, 2 * day), shop.concrete[j], j)),
        "slack": sorted(jobs, key=lambda j: (shop.due[j] - work[j] - sum(shop.after[j]), j)),
        "mould_first": sorted(jobs, key=lambda j: (bucket(j, day), shop.mould[j] < 0, shop.concrete[j], j)),
        "long_cure_first": sorted(jobs, key=lambda j: (bucket(j, day), -shop.cure[j], shop.concrete[j], j)),
        "as_needed": jobs,
    }


def improve(order: Sequence[int], evaluate: Evaluate, budget: int, seed: int) -> tuple[list[int], int]:
    """Annealing: block insertion (2 of 3 moves) and swaps; from 0.4 % of the objective down to a thousandth of that."""
    random = Random(seed)
    now = list(order)
    value = evaluate(now)
    best, best_value = now, value
    n = len(now)
    if n < 2 or value >= INFEASIBLE:
        return best, best_value
    hot = max(1, value * 4 // 1000) << 16
    for i in range(budget):
        trial = _inserted(now, random) if random.randrange(3) else _swapped(now, random)
        new = evaluate(trial)
        if new <= value or (new - value) << 32 <= _cooled(hot, i, budget) * TABLE[random.randrange(1024)]:
            now, value = trial, new
            if value < best_value:
                best, best_value = now, value
    return best, best_value


def _objective(shop: Shop, order: Sequence[int]) -> int:
    try:
        return decode(shop, order).objective
    except NoFeasiblePlan:
        return INFEASIBLE


def _best_rule(shop: Shop, evaluate: Evaluate, budget: int) -> tuple[list[int], str, int]:
    tried: list[tuple[int, str, list[int]]] = []
    for name, order in rules(shop).items():
        if tried and len(tried) >= budget:
            break
        tried.append((evaluate(order), name, order))
    _, name, order = min(tried, key=lambda t: t[0])
    return order, name, len(tried)


def _cooled(hot: int, step: int, steps: int) -> int:
    """Ten halvings over the budget, straight lines between them."""
    whole, rest = divmod(10 * step, steps)
    level = hot >> whole
    return level - level * rest // (2 * steps)


def _inserted(order: list[int], random: Random) -> list[int]:
    n = len(order)
    size = random.randint(1, min(6, n - 1))
    a = random.randrange(n - size + 1)
    reach = max(1, n // 4)
    block, rest = order[a : a + size], order[:a] + order[a + size :]
    at = min(max(0, a + random.randint(-reach, reach)), len(rest))
    return rest[:at] + block + rest[at:]


def _swapped(order: list[int], random: Random) -> list[int]:
    a, b = random.sample(range(len(order)), 2)
    out = list(order)
    out[a], out[b] = out[b], out[a]
    return out
