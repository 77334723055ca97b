"""Concrete: mix by class, volume of a pallet, batches, moisture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes.core.errors import RuleBroken
from mes.lines import concrete
from mes.lines.plant import Mix, StrengthCurve, Text


def _mix(id: str, concrete_class: str) -> Mix:
    return Mix(
        id=id,
        name=Text(zh=id, en=id),
        concrete_class=concrete_class,
        recipe_kg_m3={"cement": 350, "sand": 750, "stone": 1070, "water": 163},
        strength=StrengthCurve(su_mpa=47, k=0.0028),
    )


MIXES = [_mix("C30-PC", "C30"), _mix("C30-37-PC", "C30/37")]


def test_a_class_finds_its_mix_whatever_its_spelling() -> None:
    assert concrete.mix_for("C30/37", MIXES).id == "C30-37-PC"
    assert concrete.mix_for("c30 ", MIXES).id == "C30-PC"
    assert concrete.mix_number("C30-37-PC", MIXES) == 2


def test_an_unknown_class_names_itself_and_the_mixes_that_exist() -> None:
    with pytest.raises(RuleBroken, match=r"C60/75; the plant has: C30-PC \(C30\), C30-37-PC \(C30/37\)") as caught:
        concrete.mix_for("C60/75", MIXES)
    assert caught.value.code == "mix_unknown"
    with pytest.raises(RuleBroken, match="class \\(none\\); the plant has: none"):
        concrete.mix_for("", [])
    with pytest.raises(RuleBroken, match="C99"):
        concrete.mix_number("C99", MIXES)


def test_pallet_volume_is_rounded_up_to_litres() -> None:
    assert concrete.pallet_volume_m3([0.5001, 0.25]) == 0.751
    assert concrete.pallet_volume_m3([0.1, 0.2]) == 0.3
    assert concrete.pallet_volume_m3([1.0], waste_share=0.02) == 1.02


@given(st.integers(1, 20_000), st.integers(100, 3000))
def test_batches_are_few_equal_and_complete(litres: int, largest: int) -> None:
    batches = concrete.split_batches(litres / 1000, largest / 1000)
    assert round(sum(batches) * 1000) == litres
    assert max(batches) <= largest / 1000
    assert len(batches) == -(-litres // largest)
    assert max(batches) - min(batches) <= 0.0011


def test_batches_of_nothing_and_of_a_broken_mixer() -> None:
    assert concrete.split_batches(0, 1) == []
    with pytest.raises(RuleBroken, match="largest batch"):
        concrete.split_batches(1, 0)


def test_total_water_stays_when_the_sand_is_wet() -> None:
    dry, wet = concrete.batch_recipe(MIXES[0], 2), concrete.batch_recipe(MIXES[0], 2, {"sand": 0.05})
    assert wet["sand"] == 1575
    assert wet["water"] == dry["water"] - 75
    assert sum(wet.values()) == pytest.approx(sum(dry.values()))
    with pytest.raises(RuleBroken, match="more water"):
        concrete.batch_recipe(MIXES[0], 1, {"sand": 0.5})
