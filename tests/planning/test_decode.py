"""The reference decoder against a known optimum, and the compiled decoder against the reference."""

from itertools import permutations
from random import Random

import pytest

from mes.core.errors import NoFeasiblePlan
from mes.planning.bounds import objective_bound
from mes.planning.calendar import WorkAxis
from mes.planning.decode import Shop, decode
from mes.planning.sequencing import INFEASIBLE, evaluator, sequence

DAYS = [
    [(360, 600), (630, 840)],
    [(1800, 2040), (2070, 2280)],
    [(3240, 3480), (3510, 3720)],
    [(4680, 4920), (4950, 5160)],
]


def tiny() -> Shop:
    """Four jobs, three stations and a chamber without put-away time; the optimum 1090 is proven."""
    axis = WorkAxis(DAYS)
    return Shop(
        axis=axis,
        times=[[60, 40, 30, 0], [50, 40, 30, 0], [90, 50, 40, 0], [70, 50, 40, 0]],
        lead=[[0] * 4] * 4,
        cure=[480, 480, 720, 720],
        after=[[20], [20], [30], [30]],
        beside=[[]] * 4,
        kind=[0] * 4,
        mould=[-1, -1, 0, 0],
        concrete=[0, 1, 0, 0],
        setup=[[0, 10], [10, 0]],
        release=[0] * 4,
        due=[axis.W(2160), axis.W(2160), axis.W(2280), axis.W(3300)],
        weight=[1, 2, 1, 1],
        wet_station=1,
        mould_station=0,
        wet_same_day=True,
        pallet_free=[[0, 0, 0]],
        mould_free=[[0]],
        slot_free=[0, 0],
        station_free=[0] * 4,
        lead_free=[0] * 4,
        after_busy=[[]],
    )


def random_shop(seed: int) -> Shop:
    r = Random(seed)
    n, m, b, f = r.randint(1, 12), r.randint(2, 5), r.randint(0, 2), r.randint(0, 2)
    axis = WorkAxis([[(a, a + 240), (a + 270, a + 480)] for a in range(360, 1440 * r.choice([3, 60]), 1440)])

    def busy() -> list[tuple[int, int]]:
        return [(40 * k, 40 * k + r.randint(1, 30)) for k in range(r.randint(0, 3))]

    return Shop(
        axis=axis,
        times=[[r.randint(0, 40) for _ in range(m)] for _ in range(n)],
        lead=[[r.choice([0, 0, 5]) for _ in range(m)] for _ in range(n)],
        cure=[r.choice([480, 600]) for _ in range(n)],
        after=[[r.randint(0, 20) for _ in range(b)] for _ in range(n)],
        beside=[[r.randint(0, 20) for _ in range(f)] for _ in range(n)],
        kind=[r.randint(0, 1) for _ in range(n)],
        mould=[r.randint(-1, 1) for _ in range(n)],
        concrete=[r.randint(0, 2) for _ in range(n)],
        setup=[[0, 8, 9], [8, 0, 7], [9, 6, 0]],
        release=[r.choice([0, 0, 90]) for _ in range(n)],
        due=[r.randint(0, 2000) for _ in range(n)],
        weight=[r.randint(0, 3) for _ in range(n)],
        wet_station=r.randint(0, m - 1),
        mould_station=r.randint(0, m - 1),
        wet_same_day=r.random() < 0.8,
        pallet_free=[[0, 30, 0], [0]],
        mould_free=[[0], [15, 0]],
        slot_free=[0, 0, r.randint(0, 60)],
        station_free=[r.randint(0, 30) for _ in range(m)],
        lead_free=[0] * m,
        last_concrete=r.randint(-1, 2),
        after_busy=[busy() for _ in range(b)],
        beside_busy=[busy() for _ in range(f)],
        w_setup=1,
    )


def test_the_known_example_gives_its_known_values() -> None:
    shop = tiny()
    values = {order: decode(shop, order).objective for order in permutations(range(4))}
    assert values[0, 1, 2, 3] == 1830
    assert min(values.values()) == values[1, 2, 0, 3] == values[2, 1, 0, 3] == 1090
    assert objective_bound(shop) <= 1090
    assert sequence(shop, 200, 1).objective == 1090


@pytest.mark.parametrize("seed", range(60))
def test_compiled_and_reference_decoder_agree(seed: int) -> None:
    pytest.importorskip("numba", reason="numba is not installed")
    shop = random_shop(seed)
    fast, slow = evaluator(shop, 1, True), evaluator(shop, 1, False)
    random = Random(seed)
    for _ in range(6):
        order = random.sample(range(shop.n), shop.n)
        assert fast(order) == slow(order)


def test_without_the_compiler_the_same_order_is_found_by_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = tiny()
    usual = sequence(shop, 60, 3, compiled=False)
    monkeypatch.setattr("mes.planning.compiled._compiled", lambda: None)
    assert sequence(shop, 60, 3, compiled=True) == usual


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_is_never_above_a_plan(seed: int) -> None:
    shop = random_shop(seed)
    value = evaluator(shop, 1, False)(range(shop.n))
    assert value == INFEASIBLE or objective_bound(shop) <= value


def test_a_calendar_that_ends_is_no_plan() -> None:
    shop = tiny()
    short = Shop(**{**shop.__dict__, "axis": WorkAxis(DAYS[:1])})
    with pytest.raises(NoFeasiblePlan) as caught:
        sequence(short, 10, 1)
    assert caught.value.code == "calendar_ends"
