"""Filling as few equal bins as possible: a portfolio of greedy packers, then repacking of badly filled bins, and lower bounds."""

from collections.abc import Callable, Iterable, Sequence
from random import Random

from mes.planning.nesting.maxrects import SCORES, Bin, Laid, OpenBin, Rect, Score, left_bottom, short_side

Key = Callable[[Rect], tuple[int, ...]]
KEYS: tuple[Key, ...] = (
    lambda r: (-r.width * r.height, -max(r.width, r.height)),
    lambda r: (-max(r.width, r.height), -min(r.width, r.height)),
    lambda r: (-min(r.width, r.height), -max(r.width, r.height)),
    lambda r: (-r.width - r.height, -r.width),
    lambda r: (-r.width, -r.height),
    lambda r: (-r.height, -r.width),
)
Packed = list[list[Laid]]


def pack(rects: Sequence[Rect], size: Bin, evaluations: int, seed: int = 1) -> Packed:
    """Bins with their rectangles; every rectangle must fit an empty bin. Deterministic for the same input, budget and seed.

    `evaluations` counts greedy packings; the search ends early when the lower bound is reached.
    """
    ordered = sorted(rects, key=lambda r: r.id)
    bound = lower_bound(ordered, size)
    best: Packed | None = None
    used = 0
    for key in KEYS:
        for score in SCORES:
            for first in (False, True):
                found = greedy(sorted(ordered, key=lambda r, k=key: (*k(r), r.id)), size, score, first)  # type: ignore[misc]
                used += 1
                if best is None or _worth(found) < _worth(best):
                    best = found
                if len(best) <= bound or used >= evaluations:
                    return best
    assert best is not None
    return _repacked(best, size, bound, evaluations - used, Random(seed))


def greedy(rects: Iterable[Rect], size: Bin, score: Score = short_side, first_fit: bool = False) -> Packed:
    """One pass in the given order: into the first or the best open bin, else into a new one."""
    bins: list[OpenBin] = []
    for rect in rects:
        chosen, at = None, None
        for bin_ in bins:
            found = bin_.best(rect, score)
            if found is not None and (at is None or found[0] < at[0]):
                chosen, at = bin_, found
                if first_fit:
                    break
        if chosen is None or at is None:
            chosen = OpenBin(size)
            bins.append(chosen)
            at = chosen.best(rect, score)
            assert at is not None, f"rectangle {rect.id} does not fit an empty bin"
        chosen.lay(rect, at[1], at[2])
    return [bin_.laid for bin_ in bins]


def _repacked(bins: Packed, size: Bin, bound: int, budget: int, random: Random) -> Packed:
    """Takes the emptiest bins and a few others apart and packs them anew; keeps what is not worse (bins, then uneven filling)."""
    for _ in range(budget):
        if len(bins) <= bound:
            break
        order = sorted(range(len(bins)), key=lambda n: (_filled(bins[n]), n))
        weak = order[min(int(random.expovariate(1.0)), len(order) - 1)]
        others = [n for n in range(len(bins)) if n != weak]
        chosen = {weak, *random.sample(others, min(len(others), random.randint(1, 4)))}
        rects = [laid.rect for n in sorted(chosen) for laid in bins[n]]
        key = random.choice(KEYS)
        rects.sort(key=lambda r, k=key: (*k(r), r.id))  # type: ignore[misc]
        _stir(rects, random)
        fresh = greedy(rects, size, random.choice(SCORES), random.random() < 0.5)
        if _worth(fresh) <= _worth([bins[n] for n in sorted(chosen)]):
            bins = [bins[n] for n in range(len(bins)) if n not in chosen] + fresh
    return bins


def _stir(rects: list[Rect], random: Random) -> None:
    """Moves a few rectangles to other places of the order."""
    for _ in range(random.randint(0, 1 + len(rects) // 4)):
        rects.insert(random.randrange(len(rects)), rects.pop(random.randrange(len(rects))))


def _filled(laid: list[Laid]) -> int:
    return sum(one.rect.width * one.rect.height for one in laid)


def _worth(bins: Packed) -> tuple[int, int]:
    return len(bins), -sum(_filled(laid) ** 2 for laid in bins)


def compact(rects: Sequence[Rect], size: Bin) -> list[Laid] | None:
    """The same rectangles on one bin, pushed towards its left end; None when this order does not fit."""
    for key in KEYS:
        found = greedy(sorted(rects, key=lambda r, k=key: (*k(r), r.id)), size, left_bottom)  # type: ignore[misc]
        if len(found) == 1:
            return found[0]
    return None


def lower_bound(rects: Sequence[Rect], size: Bin) -> int:
    """Bins that are needed at least: dual feasible functions on both sides (Fekete and Schepers 2004), and the mass.

    A rectangle that may be turned counts with the smaller of its two values, so the bound holds for rotation too.
    """
    if not rects:
        return 0
    best = 1
    if size.max_mass < float("inf"):
        best = max(best, -(-round(sum(r.mass for r in rects) * 1000) // round(size.max_mass * 1000)))
    for f, f_one in _functions(size.width, {r.width for r in rects} | {r.height for r in rects if r.rotate}):
        for g, g_one in _functions(size.height, {r.height for r in rects} | {r.width for r in rects if r.rotate}):
            total = sum(
                min(f(r.width) * g(r.height), f(r.height) * g(r.width))
                if _both(r, size)
                else f(r.width) * g(r.height)
                if r.width <= size.width and r.height <= size.height
                else f(r.height) * g(r.width)
                for r in rects
            )
            best = max(best, -(-total // (f_one * g_one)))
    return best


def _both(rect: Rect, size: Bin) -> bool:
    return (
        rect.rotate
        and rect.width <= size.width
        and rect.height <= size.height
        and rect.height <= size.width
        and rect.width <= size.height
    )


def _functions(full: int, sides: set[int]) -> list[tuple[Callable[[int], int], int]]:
    """Dual feasible functions of one side, as (function, its value of the full side)."""
    out: list[tuple[Callable[[int], int], int]] = [(lambda x: x, full)]
    steps = sorted(s for s in sides if 2 * s <= full)
    for eps in steps[:: max(1, len(steps) // 12)]:
        out.append((lambda x, e=eps: full if x > full - e else 0 if x < e else x, full))  # type: ignore[misc]
    for k in range(1, 6):
        out.append(
            (lambda x, k=k: x * k if (k + 1) * x % full == 0 else (k + 1) * x // full * full, full * k)  # type: ignore[misc]
        )
    return out
