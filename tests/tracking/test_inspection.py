"""Inspections: tolerances by family and standard, defects, the hidden-works list, four eyes."""

import pytest

from mes.core.errors import RuleBroken
from mes.core.rules import load_rules
from mes.tracking import component, inspection
from mes.tracking.component import Lifecycle
from mes.tracking.inspection import Measured
from tests.tracking.pieces import CODE, FakeTx, made_until

RULES = load_rules("tolerances")


def _judge(
    family: str, item: str, nominal: float, measured: float, standard: str = inspection.DEFAULT_STANDARD
) -> bool:
    found = inspection.tolerance_set(family, standard)
    one = Measured(item=item, nominal_mm=nominal, measured_mm=measured)
    return inspection.judge_measured(one, RULES, found, length_mm=13_000).ok


@pytest.mark.parametrize(
    ("family", "item", "nominal", "measured", "ok"),
    [
        ("slab", "length", 13_000, 13_010, True),
        ("slab", "length", 13_000, 12_989, False),
        ("wall", "length", 2900, 2904, True),
        ("wall", "length", 2900, 2905, False),
        ("wall", "thickness", 200, 196, False),
        ("wall", "embed_plate_level", 0, -5, True),
        ("wall", "embed_plate_level", 0, 1, False),
        ("wall", "embed_plate_centre", 0, 5, True),
        ("wall", "embed_plate_centre", 0, -6, False),
        ("half_slab", "diagonal_diff_max", 0, 7, False),
        ("stair", "width", 1200, 1205, True),
        ("column", "lateral_bow_max", 0, 17, True),
        ("column", "lateral_bow_max", 0, 18, False),
    ],
)
def test_measurements_against_the_standard(family: str, item: str, nominal: float, measured: float, ok: bool) -> None:
    assert _judge(family, item, nominal, measured) is ok


def test_the_standard_is_selectable() -> None:
    assert not _judge("slab", "diagonal_diff_max", 0, 9)
    assert _judge("slab", "diagonal_diff_max", 0, 9, "cn-jgj1-2014")


def test_an_outgoing_inspection_becomes_an_event_of_the_component() -> None:
    piece = made_until("component_labelled")
    good = [Measured(item="length", nominal_mm=4200, measured_mm=4203)]
    bad = [*good, Measured(item="thickness", nominal_mm=200, measured_mm=195)]
    for measurements, defects, passed in ((good, [], True), (bad, [], False), (good, ["crack"], False)):
        result = inspection.inspect_outgoing(piece, "quality", measurements, RULES, photos=["f1"], defects=defects)
        assert result.passed is passed
        tx = FakeTx()
        made_until("component_labelled", tx)
        tx.append(component.Component, CODE, result.event_type, result.event_data())
        after = tx.get(component.Component, CODE)
        assert (after.lifecycle == Lifecycle.FINISHED_OK) is passed
        assert "f1" in after.photos
    with pytest.raises(RuleBroken, match="operator made this"):
        inspection.inspect_outgoing(piece, "operator", good, RULES)


def test_the_hidden_works_list_must_be_whole_photographed_and_independent() -> None:
    answers = {item.id: True for item in inspection.prepour_items("wall")}
    photos = ["a", "b", "c"]
    assert inspection.check_prepour("wall", answers, photos, "quality", ["operator"]) == []
    failed = inspection.check_prepour("wall", {**answers, "cover": False}, photos, "quality", [])
    assert failed == ["cover"]
    with pytest.raises(RuleBroken, match="Not answered yet: openings, sleeves"):
        inspection.check_prepour("wall", {i.id: True for i in inspection.prepour_items("stair")}, photos, "quality", [])
    with pytest.raises(RuleBroken, match="3 photos, there are 1"):
        inspection.check_prepour("wall", answers, ["a", "a"], "quality", [])
    with pytest.raises(RuleBroken) as caught:
        inspection.check_prepour("wall", answers, photos, "quality", ["quality"])
    assert caught.value.code == "inspector_is_producer"


def test_every_family_has_a_list_in_both_languages() -> None:
    for family in ("wall", "sandwich_wall", "double_wall", "slab", "half_slab", "stair", "balcony", "beam", "column"):
        items = inspection.prepour_items(family)
        assert len({item.id for item in items}) == len(items) >= 7
        assert all(item.zh and item.en for item in items)
