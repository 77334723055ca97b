"""Models of a slab factory, of Tekla and of architects give the pieces that are known to be in them."""

from pathlib import Path

import pytest

from mes.orders.intake import ImportResult
from mes.orders.intake.ifc import read_ifc
from mes.orders.intake.worker import read_file

HALF_SLABS = """
1: 0.1716 60 1290 2540 3; 2: 0.1514 60 624 4050 1; 3: 1.1857 60 2397 8250 9; 4: 1.1857 60 2397 8250 14;
5: 1.1605 60 2397 8250 19; 6: 1.1555 60 2397 8250 22; 7: 0.8292 60 2397 8030 12; 8: 0.4899 60 2397 4661 7;
9: 0.9657 60 2397 7650 6; 10: 1.0995 60 2397 7650 10; 11: 1.0995 60 2397 7650 12; 12: 1.0616 60 2397 7650 21;
13: 1.0679 60 2397 7430 15; 14: 1.0679 60 2397 7430 13; 15: 0.3075 60 718 7430 2; 16: 0.1716 60 1290 2540 3;
17: 0.8299 60 2397 5774 8; 18: 0.8299 60 2397 5774 12; 19: 0.8102 60 2397 5774 23; 20: 0.8557 60 2397 5954 15;
21: 0.8114 60 2397 5954 5; 22: 0.8026 60 2397 5584 6; 23: 0.4681 60 1398 5584 4; 24: 0.1125 60 329 5714 2;
25: 0.8212 60 2397 5714 10"""


def read(path: Path, profile: str | None = None) -> ImportResult:
    return read_ifc(path, profile, lambda done, total, stage: None)


def test_half_slabs_equal_the_known_table(shared_ifc: Path) -> None:
    steps: list[tuple[int, int, str]] = []
    result = read_file(
        shared_ifc / "schependomlaan" / "GEELEN-Breedplaat_V1_newer.ifc",
        progress=lambda done, total, stage: steps.append((done, total, stage)),
    )
    table = {row.split(":")[0].strip(): [float(v) for v in row.split(":")[1].split()] for row in HALF_SLABS.split(";")}
    drafts = {draft.mark: draft for draft in result.components}
    assert set(drafts) == set(table)
    assert result.pieces == 25
    assert (25, 25, "bodies") in steps
    for mark, (volume, thickness, width, length, embeds) in table.items():
        draft = drafts[mark]
        assert draft.volume_m3 == pytest.approx(volume, rel=0.01), mark
        assert (draft.thickness_mm, draft.width_mm, draft.length_mm) == pytest.approx((thickness, width, length), abs=2)
        assert draft.embed_count == len(draft.embeds) == embeds, mark
        assert (draft.family, draft.concrete_class, draft.quantity) == ("half_slab", "C30/37", 1)
        assert draft.outline is not None
        assert (draft.outline.length, draft.outline.width) == pytest.approx((draft.length_mm, draft.width_mm), abs=1)
        assert all(0 <= e.x <= draft.length_mm and 0 <= e.y <= draft.width_mm for e in draft.embeds)
    assert result.source == "slab_cad"
    assert "global_id_malformed" in [f.code for f in result.findings]
    assert len(drafts["19"].outline.openings) == 1  # type: ignore[union-attr]


def test_older_export_keeps_its_values_on_the_body(shared_ifc: Path) -> None:
    result = read(shared_ifc / "schependomlaan" / "GEELEN-Breedplaat_V1_projectdata.ifc")
    assert result.pieces == 25
    assert {d.concrete_class for d in result.components} == {"C30/37"}
    assert result.project == "10 Appartementen te NIJMEGEN"


@pytest.mark.parametrize(
    ("name", "table"),
    [
        (
            "MULTICOM-trappen_bordessen.ifc",
            {
                "TR-02-01": (1, 1164, "stair"), "TR-02-02": (3, 1170, "stair"), "TR-02-03": (2, 1166, "stair"),
                "BO-03-01": (1, 2068, "landing"), "BO-03-02": (2, 2145, "landing"),
            },
        ),
        (
            "MULTICOM-balkons.ifc",
            {"BP-01-01": (1, 3576, "balcony"), "BP-01-02": (1, 2003, "balcony"), "BP-01-03": (1, 2002, "balcony")},
        ),
    ],
)  # fmt: skip
def test_cast_units_equal_the_known_table(
    shared_ifc: Path, name: str, table: dict[str, tuple[int, float, str]]
) -> None:
    result = read(shared_ifc / "schependomlaan" / name)
    drafts = {draft.mark: draft for draft in result.components}
    assert {mark: (d.quantity, d.family) for mark, d in drafts.items()} == {m: (q, f) for m, (q, _, f) in table.items()}
    for mark, (_, mass, _) in table.items():
        assert drafts[mark].mass_kg == pytest.approx(mass, rel=0.01)
        assert drafts[mark].concrete_class == "C45/55"
        assert drafts[mark].embed_count > 0
    assert not [d for d in result.components if d.name == "Steel Assembly"]


@pytest.mark.parametrize(
    ("name", "pieces"),
    [("bimwhale/TallBuilding.ifc", 29), ("webifc/AC20-FZK-Haus.ifc", 22), ("webifc/IfcOpenHouse_IFC4.ifc", 7)],
)
def test_design_models_give_pieces_only_on_request(shared_ifc: Path, name: str, pieces: int) -> None:
    usual, design = read(shared_ifc / name), read(shared_ifc / name, "design")
    assert usual.components == []
    assert {e.reason for e in usual.excluded} == {"not_marked_precast"}
    assert [f.code for f in usual.findings] == ["no_precast_part"]
    assert design.pieces == pieces
    assert len({d.mark for d in design.components}) == len(design.components)
    assert not [e for e in design.excluded if e.source_class in ("IfcWallStandardCase", "IfcSlab", "IfcBeam")]
