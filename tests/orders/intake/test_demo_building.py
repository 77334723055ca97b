"""The own demo building reads back as designed; hand-made models in other units and with other marks too."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mes.orders.intake import ImportResult
from mes.orders.intake.ifc import read_ifc
from simulators.building import all_pieces, design_building, write_building


def read(path: Path, profile: str | None = None) -> ImportResult:
    return read_ifc(path, profile, lambda done, total, stage: None)


def test_reads_back_as_designed(demo_ifc: Path) -> None:
    result = read(demo_ifc)
    designed = list(all_pieces(design_building(floors=2, bays=2)))
    assert {d.mark: d.quantity for d in result.components} == Counter(p.mark for p in designed)
    by_mark = {p.mark: p for p in designed}
    for draft in result.components:
        kind = by_mark[draft.mark]
        assert (draft.family, draft.concrete_class, draft.name) == (kind.family, kind.concrete, kind.name)
        assert (draft.form_stripping_strength_mpa, draft.lifting_strength_mpa) == (kind.strip_mpa, kind.lift_mpa)
        assert draft.embed_count == len(draft.embeds) == len(kind.embeds)
        assert max(draft.length_mm, draft.width_mm) <= 8900
        assert draft.width_mm <= 3400
        assert draft.thickness_mm <= 700
    assert result.findings == []
    assert {d.storey for d in result.components} == {"1层", "2层"}
    assert result.source == "precast"


def test_outline_of_walls_and_positions_of_their_embeds(demo_ifc: Path) -> None:
    drafts = {d.mark: d for d in read(demo_ifc).components}
    wall = drafts["YWQ-1F-01A"]
    assert (wall.length_mm, wall.width_mm, wall.thickness_mm) == (5980, 2800, 200)
    assert wall.outline is not None
    (window,) = wall.outline.openings
    xs, ys = [x for x, _ in window], [y for _, y in window]
    assert (min(ys), max(ys)) == (900, 2400)
    assert min(xs) == pytest.approx(5980 - max(xs), abs=0.2)
    lifting = [e for e in wall.embeds if e.article == "DMJ-25"]
    assert [e.y for e in lifting] == [2800, 2800]
    door = drafts["YNQ-1F-01"]
    assert door.outline is not None
    assert len(door.outline.contour) == 8  # a door is a notch in the lower edge, not an opening
    slab = drafts["DBS-1F-01"]
    assert slab.quantity == 4
    assert slab.outline is not None
    assert len(slab.outline.openings) == 1


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    one, two = (write_building(tmp_path / name, floors=1, bays=2, seed=3) for name in ("a.ifc", "b.ifc"))
    assert one.read_bytes() == two.read_bytes()
    assert write_building(tmp_path / "c.ifc", floors=1, bays=2, seed=4).read_bytes() != one.read_bytes()


def test_json_has_the_promised_shape(demo_ifc: Path) -> None:
    document = read(demo_ifc).to_json()
    promised = {"file", "format", "schema", "source", "project", "components", "excluded", "findings", "order_id"}
    assert promised <= set(document)
    assert document["order_id"] is None
    assert document["schema"] == "IFC4"
    piece = document["components"][0]
    assert isinstance(piece["embeds"], int)
    assert len(piece["embed_positions"]) == piece["embeds"]
    assert {"mark", "family", "storey", "quantity", "length_mm", "volume_m3", "mass_kg", "global_ids"} <= set(piece)


@pytest.mark.parametrize(("unit", "scale"), [("METRE", 1000.0), ("FOOT", 304.8), ("INCH", 25.4)])
def test_units_of_length(tmp_path: Path, unit: str, scale: float) -> None:
    model = _slab_model(
        unit, scale, "Pset_ConcreteElementGeneral", {"CastingMethod": "PRECAST", "StrengthClass": "C30"}
    )
    model.write(str(tmp_path / "unit.ifc"))
    (draft,) = read(tmp_path / "unit.ifc").components
    assert (draft.length_mm, draft.width_mm, draft.thickness_mm) == pytest.approx((3000, 1200, 150), abs=0.2)
    assert draft.volume_m3 == pytest.approx(0.54, rel=1e-4)
    assert (draft.family, draft.concrete_class) == ("slab", "C30")


def test_cast_in_place_is_no_piece(tmp_path: Path) -> None:
    values = {"ConstructionMethod": "In-Situ", "StrengthClass": "C30"}
    _slab_model("METRE", 1000.0, "Pset_ConcreteElementGeneral", values).write(str(tmp_path / "site.ifc"))
    result = read(tmp_path / "site.ifc")
    assert result.components == []
    assert [e.reason for e in result.excluded] == ["not_marked_precast"]
    assert [f.code for f in result.findings] == ["no_precast_part"]


def _slab_model(unit: str, scale: float, pset: str, values: dict[str, str]) -> Any:
    """One slab of 3000 × 1200 × 150 mm in a file whose length unit is `scale` mm."""
    ifcopenshell = pytest.importorskip("ifcopenshell")
    model = ifcopenshell.file(schema="IFC4")
    new, guid = model.create_entity, ifcopenshell.guid.new
    length = metre = new("IfcSIUnit", None, "LENGTHUNIT", None, "METRE")
    if unit != "METRE":
        exponents = new("IfcDimensionalExponents", 1, 0, 0, 0, 0, 0, 0)
        factor = new("IfcMeasureWithUnit", new("IfcLengthMeasure", scale / 1000.0), metre)
        length = new("IfcConversionBasedUnit", exponents, "LENGTHUNIT", unit, factor)
    axes = new("IfcAxis2Placement3D", new("IfcCartesianPoint", (0.0, 0.0, 0.0)))
    context = new("IfcGeometricRepresentationContext", None, "Model", 3, 1e-5, axes, None)
    new("IfcProject", guid(), None, "P", None, None, None, None, [context], new("IfcUnitAssignment", [length]))
    centre = new("IfcAxis2Placement2D", new("IfcCartesianPoint", (0.0, 0.0)))
    profile = new("IfcRectangleProfileDef", "AREA", None, centre, 3000 / scale, 1200 / scale)
    solid = new("IfcExtrudedAreaSolid", profile, axes, new("IfcDirection", (0.0, 0.0, 1.0)), 150 / scale)
    shape = new(
        "IfcProductDefinitionShape", None, None, [new("IfcShapeRepresentation", context, "Body", "SweptSolid", [solid])]
    )
    place = new("IfcLocalPlacement", None, axes)
    slab = new("IfcSlab", guid(), None, "Plate", None, None, place, shape, "S1", "FLOOR")
    lines = [new("IfcPropertySingleValue", k, None, new("IfcLabel", v), None) for k, v in values.items()]
    new(
        "IfcRelDefinesByProperties",
        guid(),
        None,
        None,
        None,
        [slab],
        new("IfcPropertySet", guid(), None, pset, None, lines),
    )
    return model
