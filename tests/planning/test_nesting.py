"""Pieces on pallets and rectangles in bins."""

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from mes.planning.nesting import nest
from mes.planning.nesting.maxrects import Bin, Rect
from mes.planning.nesting.packing import greedy, lower_bound, pack
from tests.planning.factory import line, pieces


@pytest.mark.parametrize("seed", range(8))
def test_packing_lays_everything_apart_and_above_the_bound(seed: int) -> None:
    r = Random(seed)
    size = Bin(100, 60, 50.0)
    rects = [Rect(n, r.randint(1, 60), r.randint(1, 60), r.uniform(0, 20), r.random() < 0.5) for n in range(40)]
    bins = pack(rects, size, 150, seed)
    assert sorted(one.rect.id for laid in bins for one in laid) == list(range(40))
    assert lower_bound(rects, size) <= len(bins) <= len(greedy(rects, size))
    for laid in bins:
        assert sum(one.rect.mass for one in laid) <= 50
        assert all(one.x + one.width <= 100 and one.y + one.height <= 60 for one in laid)
        assert all(one.rect.rotate or not one.turned for one in laid)
        for a, b in combinations(laid, 2):
            assert a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y


def test_turning_saves_a_bin_and_the_bound_knows_it() -> None:
    size = Bin(10, 4)
    stiff = [Rect(0, 4, 10), Rect(1, 10, 2)]
    turned = [replace(rect, rotate=True) for rect in [Rect(0, 2, 4), Rect(1, 4, 8), Rect(2, 4, 8)]]
    assert len(pack(turned, size, 50)) == 2
    assert lower_bound(turned, size) <= 2
    assert lower_bound(stiff[1:] * 3, size) == 2


def test_floors_classes_and_moulds_are_kept_apart() -> None:
    made = nest(pieces(60), line())
    assert made.lower_bound <= len(made.nests)
    for load in made.nests:
        assert len({(p.family, p.floor, p.concrete_class, p.thickness_mm, p.mould) for p in load.pieces}) == 1
        assert len(load.pieces) == 1 or load.pieces[0].mould is None


def test_a_larger_pallet_takes_what_the_usual_one_cannot() -> None:
    usual = line()
    big = replace(usual.pallets[0], id="B1", length_mm=12000)
    long = replace(pieces(1)[0], length_mm=11000, width_mm=1000, mould=None, thickness_mm=200)
    made = nest([long], replace(usual, pallets=(*usual.pallets, big)))
    assert made.nests[0].pallet_type[0] == 12000
