"""A demo building of precast parts, as an IFC4 model that a detailing office could have written.

Every piece fits a pallet of 9 × 3.5 m and a chamber slot of 700 mm. The same sizes and seed give the same file, byte for byte.
`design_building` says what is in it, `write_building` writes it.
"""

import argparse
import random
import sys
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Point = tuple[float, float]
BAY, DEPTH, STOREY = 6000.0, 5400.0, 3000.0
MPA = 1e6
_SPACE = uuid.UUID("6f1d2f0e-6a53-4b0e-9c43-2f4a2c1c7d10")


@dataclass(frozen=True)
class Embed:
    """An embed at x, y, z (mm) of the piece's own axes."""

    name: str
    article: str
    x: float
    y: float
    z: float


@dataclass(frozen=True)
class PieceType:
    """One mark: `profile` is extruded by `depth` mm along the piece's z; `holes` are cut through the profile,
    `windows` (x, z, length, height) through a wall."""

    mark: str
    name: str
    family: str
    ifc_class: str
    predefined: str | None
    concrete: str
    profile: tuple[Point, ...]
    depth: float
    holes: tuple[tuple[Point, ...], ...] = ()
    windows: tuple[tuple[float, float, float, float], ...] = ()
    embeds: tuple[Embed, ...] = ()
    strip_mpa: float = 15.0
    lift_mpa: float = 18.0


@dataclass
class Floor:
    """A storey: its types and where each piece stands (type, x, y, z above the storey, turned about x by 90° or not)."""

    name: str
    elevation: float
    pieces: list[tuple[PieceType, tuple[float, float, float], str]] = field(default_factory=list)


def design_building(*, floors: int = 3, bays: int = 4, seed: int = 7) -> list[Floor]:
    """Storeys 1层, 2层 … of one building; `bays` of 6 m in a row, a staircase at its end. About 14 × bays + 7 pieces a floor."""
    if floors < 1 or bays < 1:
        raise ValueError("a building needs at least one floor and one bay")
    chooser = random.Random(seed)
    windows = [chooser.choice((1200.0, 1500.0, 1800.0, 2100.0)) for _ in range(bays)]
    boxes = [chooser.randint(1, 3) for _ in range(bays)]
    return [_floor(number, bays, windows, boxes) for number in range(1, floors + 1)]


def write_building(
    path: Path,
    *,
    floors: int = 3,
    bays: int = 4,
    seed: int = 7,
    building: str = "1号楼",
    project: str = "桐乡示范住宅项目",
    most: int | None = None,
) -> Path:
    """Writes the building and returns its path; of each floor the first `most` pieces only."""
    writer = _Writer(project, building)
    for floor in design_building(floors=floors, bays=bays, seed=seed):
        floor.pieces = floor.pieces[:most]
        writer.floor(floor)
    writer.model.write(str(path))
    return path


def _floor(number: int, bays: int, windows: list[float], boxes: list[int]) -> Floor:
    floor = Floor(f"{number}层", (number - 1) * STOREY)
    concrete = "C40" if number == 1 else "C35"
    for bay in range(bays):
        x, tag = bay * BAY, f"{number}F-{bay + 1:02d}"
        floor.pieces.append((_outer_wall(f"YWQ-{tag}A", windows[bay], concrete), (x + 10, 0, 0), ""))
        floor.pieces.append((_door_wall(f"YWQ-{tag}B", "预制外墙板", concrete, boxes[bay]), (x + 10, DEPTH, 0), ""))
        floor.pieces.append((_door_wall(f"YNQ-{tag}", "预制内墙板", concrete, boxes[bay]), (x + 10, DEPTH / 2, 0), ""))
        slab = _half_slab(f"DBS-{tag}", 2970.0, 2400.0, boxes[bay])
        floor.pieces += [(slab, (x + i * 3000, 150 + j * 2500, 2740), "") for i in range(2) for j in range(2)]
        floor.pieces.append((_slab(f"YB-{tag}"), (x, DEPTH + 250, 2870), ""))
        floor.pieces.append((_beam(f"YL-{tag}", concrete), (x + 200, DEPTH / 2, 2500), "along_x"))
        floor.pieces.append((_column(f"YZ-{tag}", concrete), (x, DEPTH + 2000, 0), ""))
        if bay % 2 == 0:
            floor.pieces.append((_balcony(f"YYT-{tag}"), (x + 1200, -1500, 2880), ""))
    stairs, end = _stair(f"YLT-{number}F"), bays * BAY + 300
    floor.pieces += [(stairs, (end, 0, 0), "on_side"), (stairs, (end + 1300, 0, STOREY / 2), "on_side")]
    floor.pieces.append((_landing(f"YTB-{number}F"), (end, 2800, 1350), ""))
    floor.pieces.append((_end_wall(f"YSQ-{number}F", concrete), (end + 2700, 0, 0), ""))
    return floor


def _rectangle(length: float, width: float, x: float = 0.0, y: float = 0.0) -> tuple[Point, ...]:
    return ((x, y), (x + length, y), (x + length, y + width), (x, y + width))


def _wall_embeds(length: float, height: float, boxes: int) -> tuple[Embed, ...]:
    lifting = [Embed("吊钉 DMJ-25", "DMJ-25", length * part, 100.0, height) for part in (0.2, 0.8)]
    sleeves = [Embed("灌浆套筒 GT16", "GT16", length * part, 100.0, 0.0) for part in (0.1, 0.5, 0.9)]
    electric = [Embed("86型接线盒", "XH86", 300.0 + 250.0 * i, 0.0, 1300.0) for i in range(boxes)]
    return (*lifting, *sleeves, *electric)


def _outer_wall(mark: str, window: float, concrete: str) -> PieceType:
    length, height = 5980.0, 2800.0
    hole = ((length - window) / 2, 900.0, window, 1500.0)
    return PieceType(
        mark, "预制外墙板", "wall", "IfcWall", "SOLIDWALL", concrete, _rectangle(length, 200.0), height,
        windows=(hole,), embeds=_wall_embeds(length, height, 1), strip_mpa=16.0, lift_mpa=20.0,
    )  # fmt: skip


def _door_wall(mark: str, name: str, concrete: str, boxes: int) -> PieceType:
    length, height = 5380.0, 2800.0
    return PieceType(
        mark, name, "wall", "IfcWall", "SOLIDWALL", concrete, _rectangle(length, 200.0), height,
        windows=((3200.0, 0.0, 900.0, 2100.0),), embeds=_wall_embeds(length, height, boxes), strip_mpa=16.0, lift_mpa=20.0,
    )  # fmt: skip


def _end_wall(mark: str, concrete: str) -> PieceType:
    embeds = _wall_embeds(2600.0, 2800.0, 1)
    return PieceType(
        mark,
        "预制楼梯间墙板",
        "wall",
        "IfcWall",
        "SOLIDWALL",
        concrete,
        _rectangle(2600.0, 200.0),
        2800.0,
        embeds=embeds,
    )


def _half_slab(mark: str, length: float, width: float, boxes: int) -> PieceType:
    hole = _rectangle(300.0, 250.0, length - 600.0, 400.0)
    girders = [Embed("桁架筋 A80", "A80", length / 2, width * part, 60.0) for part in (0.2, 0.5, 0.8)]
    electric = [Embed("预埋线盒 XH-75", "XH-75", 900.0 + 500.0 * i, width / 2 + 150.0, 60.0) for i in range(boxes)]
    return PieceType(
        mark, "叠合板 DBS", "half_slab", "IfcSlab", "FLOOR", "C30", _rectangle(length, width), 60.0,
        holes=(hole,), embeds=(*girders, *electric),
    )  # fmt: skip


def _slab(mark: str) -> PieceType:
    embeds = tuple(Embed("吊环 φ14", "DH14", x, y, 130.0) for x in (700.0, 5270.0) for y in (300.0, 1300.0))
    return PieceType(
        mark, "预制走廊楼板", "slab", "IfcSlab", "FLOOR", "C30", _rectangle(5970.0, 1600.0), 130.0, embeds=embeds
    )


def _beam(mark: str, concrete: str) -> PieceType:
    embeds = tuple(Embed("吊环 φ16", "DH16", 150.0, 500.0, z) for z in (1100.0, 4500.0))
    return PieceType(
        mark,
        "预制梁",
        "beam",
        "IfcBeam",
        "BEAM",
        concrete,
        _rectangle(300.0, 500.0),
        5600.0,
        embeds=embeds,
        lift_mpa=22.0,
    )


def _column(mark: str, concrete: str) -> PieceType:
    sleeves = [Embed("灌浆套筒 GT20", "GT20", x, y, 0.0) for x in (80.0, 320.0) for y in (80.0, 320.0)]
    lifting = [Embed("吊钉 DMJ-40", "DMJ-40", 200.0, 200.0, 2480.0)]
    return PieceType(
        mark, "预制柱", "column", "IfcColumn", "COLUMN", concrete, _rectangle(400.0, 400.0), 2480.0,
        embeds=(*sleeves, *lifting), strip_mpa=20.0, lift_mpa=24.0,
    )  # fmt: skip


def _balcony(mark: str) -> PieceType:
    drain = _rectangle(110.0, 110.0, 200.0, 200.0)
    embeds = (
        Embed("吊环 φ14", "DH14", 500.0, 350.0, 120.0),
        Embed("吊环 φ14", "DH14", 2900.0, 350.0, 120.0),
        Embed("栏杆预埋件 M-1", "M-1", 1700.0, 60.0, 120.0),
    )
    return PieceType(
        mark, "预制阳台板", "balcony", "IfcSlab", "FLOOR", "C30", _rectangle(3400.0, 1500.0), 120.0,
        holes=(drain,), embeds=embeds,
    )  # fmt: skip


def _stair(mark: str) -> PieceType:
    """A flight of nine steps 260 × 166.7 mm with a waist of 120 mm, drawn from the side and extruded by its width."""
    run, rise, steps, drop = 260.0, STOREY / 18, 9, 142.5
    top = [(run * (i + d), rise * (i + 1)) for i in range(steps) for d in (0, 1)]
    profile = (
        (0.0, 0.0),
        *top,
        (run * steps, rise * steps - drop - 20.0),
        (run * 0.35, -drop + rise * 0.35),
        (0.0, -80.0),
    )
    embeds = tuple(Embed("吊装螺母 M24", "M24", run * s, rise * s, z) for s in (2, 7) for z in (250.0, 950.0))
    return PieceType(mark, "预制楼梯", "stair", "IfcStairFlight", "STRAIGHT", "C30", profile, 1200.0, embeds=embeds)


def _landing(mark: str) -> PieceType:
    embeds = tuple(Embed("吊环 φ14", "DH14", x, 700.0, 150.0) for x in (500.0, 2100.0))
    return PieceType(
        mark, "预制休息平台板", "landing", "IfcSlab", "LANDING", "C30", _rectangle(2600.0, 1400.0), 150.0, embeds=embeds
    )


class _Writer:
    """Writes entities directly: the library's high-level calls need minutes for thousands of pieces."""

    def __init__(self, project: str, building: str) -> None:
        import ifcopenshell

        self.model: Any = ifcopenshell.file(schema="IFC4")
        header = self.model.header
        header.file_name.name, header.file_name.time_stamp = "demo.ifc", "2026-01-01T00:00:00"
        self._compress = ifcopenshell.guid.compress
        self._ids = 0
        self._shared: dict[Any, Any] = {}
        new = self.new
        units = [new("IfcSIUnit", None, kind, prefix, name) for kind, prefix, name in _UNITS]
        self.context = new("IfcGeometricRepresentationContext", None, "Model", 3, 1e-5, self.axes((0, 0, 0)), None)
        new("IfcApplication", new("IfcOrganization", None, "precast-mes"), "1", "precast-mes demo building", "demo")
        root = self.rooted(
            "IfcProject", project, None, None, project, None, [self.context], new("IfcUnitAssignment", units)
        )
        site = self.rooted("IfcSite", "场地", None, None, self.place(None, (0, 0, 0)), None, None, "ELEMENT")
        self.building = self.rooted(
            "IfcBuilding", building, None, None, self.place(site, (0, 0, 0)), None, None, "ELEMENT"
        )
        self.relate("IfcRelAggregates", root, [site])
        self.relate("IfcRelAggregates", site, [self.building])

    def floor(self, floor: Floor) -> None:
        place = self.place(self.building, (0, 0, floor.elevation))
        storey = self.rooted("IfcBuildingStorey", floor.name, None, None, place, None, None, "ELEMENT", floor.elevation)
        self.relate("IfcRelAggregates", self.building, [storey])
        by_type: dict[PieceType, list[Any]] = {}
        for number, (kind, point, pose) in enumerate(floor.pieces, start=1):
            by_type.setdefault(kind, []).append(self.piece(kind, storey, point, pose, f"{floor.name}-{number:03d}"))
        products = [product for group in by_type.values() for product in group]
        self.rooted("IfcRelContainedInSpatialStructure", None, None, products, storey)
        for kind, group in by_type.items():
            self.describe(kind, group)

    def piece(self, kind: PieceType, storey: Any, point: tuple[float, float, float], pose: str, location: str) -> Any:
        place = self.place(storey, point, pose)
        shape = self.new("IfcProductDefinitionShape", None, None, [self.body(kind)])
        more = (None, None) if kind.ifc_class == "IfcStairFlight" else ()
        if kind.ifc_class == "IfcStairFlight":
            more = (9, 9, STOREY / 18, 260.0)  # type: ignore[assignment]
        product = self.rooted(
            kind.ifc_class, kind.name, None, location, place, shape, kind.mark, *more, kind.predefined
        )
        for x, z, length, height in kind.windows:
            self.opening(product, x, z, length, height)
        parts = [
            self.rooted(
                "IfcDiscreteAccessory",
                e.name,
                None,
                e.article,
                self.place(product, (e.x, e.y, e.z)),
                None,
                e.article,
                None,
            )
            for e in kind.embeds
        ]
        if parts:
            self.relate("IfcRelAggregates", product, parts)
        return product

    def opening(self, wall: Any, x: float, z: float, length: float, height: float) -> None:
        solid = self.solid(_rectangle(length, 400.0), (), height)
        shape = self.new("IfcProductDefinitionShape", None, None, [solid])
        place = self.place(wall, (x, -100.0, z))
        hole = self.rooted("IfcOpeningElement", "洞口", None, None, place, shape, None, "OPENING")
        self.rooted("IfcRelVoidsElement", None, None, wall, hole)

    def describe(self, kind: PieceType, products: list[Any]) -> None:
        """Property sets and material of all pieces of one mark."""
        general = {
            "PieceMark": ("IfcLabel", kind.mark),
            "TypeDesignator": ("IfcLabel", kind.name),
            "FormStrippingStrength": ("IfcPressureMeasure", kind.strip_mpa * MPA),
            "LiftingStrength": ("IfcPressureMeasure", kind.lift_mpa * MPA),
        }
        concrete = {"ConstructionMethod": ("IfcLabel", "Precast"), "StrengthClass": ("IfcLabel", kind.concrete)}
        for name, values in (("PrecastConcreteElementGeneral", general), ("ConcreteElementGeneral", concrete)):
            lines = [
                self.new("IfcPropertySingleValue", key, None, self.new(unit, value), None)
                for key, (unit, value) in values.items()
            ]
            pset = self.rooted("IfcPropertySet", f"Pset_{name}", None, lines)
            self.rooted("IfcRelDefinesByProperties", None, None, products, pset)
        material = self._once(("material", kind.concrete), lambda: self.new("IfcMaterial", f"混凝土 {kind.concrete}"))
        self.rooted("IfcRelAssociatesMaterial", None, None, products, material)

    def body(self, kind: PieceType) -> Any:
        return self._once(("body", kind), lambda: self.solid(kind.profile, kind.holes, kind.depth))

    def solid(self, outer: tuple[Point, ...], holes: Iterable[tuple[Point, ...]], depth: float) -> Any:
        curves = [self._ring(ring) for ring in (outer, *holes)]
        if len(curves) == 1:
            profile = self.new("IfcArbitraryClosedProfileDef", "AREA", None, curves[0])
        else:
            profile = self.new("IfcArbitraryProfileDefWithVoids", "AREA", None, curves[0], curves[1:])
        up = self.new("IfcDirection", (0.0, 0.0, 1.0))
        item = self.new("IfcExtrudedAreaSolid", profile, self.axes((0, 0, 0)), up, depth)
        return self.new("IfcShapeRepresentation", self.context, "Body", "SweptSolid", [item])

    def place(self, parent: Any, point: tuple[float, float, float], pose: str = "") -> Any:
        return self.new("IfcLocalPlacement", parent.ObjectPlacement if parent else None, self.axes(point, pose))

    def axes(self, point: tuple[float, float, float], pose: str = "") -> Any:
        z, x = _POSES[pose]
        location = self.new("IfcCartesianPoint", tuple(float(v) for v in point))
        return self.new("IfcAxis2Placement3D", location, self.new("IfcDirection", z), self.new("IfcDirection", x))

    def relate(self, kind: str, whole: Any, parts: list[Any]) -> None:
        self.rooted(kind, None, None, whole, parts)

    def rooted(self, kind: str, name: str | None, *values: Any) -> Any:
        self._ids += 1
        return self.new(kind, self._compress(uuid.uuid5(_SPACE, str(self._ids)).hex), None, name, *values)

    def new(self, kind: str, *values: Any) -> Any:
        return self.model.create_entity(kind, *values)

    def _ring(self, ring: tuple[Point, ...]) -> Any:
        points = [self.new("IfcCartesianPoint", point) for point in ring]
        return self.new("IfcPolyline", [*points, points[0]])

    def _once(self, key: Any, make: Any) -> Any:
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]


_POSES = {
    "": ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
    "along_x": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),  # the profile stands upright, the length runs along x
    "on_side": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),  # a side view that climbs along y
}
_UNITS = (
    ("LENGTHUNIT", "MILLI", "METRE"),
    ("AREAUNIT", None, "SQUARE_METRE"),
    ("VOLUMEUNIT", None, "CUBIC_METRE"),
    ("PLANEANGLEUNIT", None, "RADIAN"),
    ("MASSUNIT", "KILO", "GRAM"),
    ("PRESSUREUNIT", None, "PASCAL"),
)


def all_pieces(floors: Iterable[Floor]) -> Iterator[PieceType]:
    """Every physical piece of a designed building, as its type."""
    for floor in floors:
        for kind, _, _ in floor.pieces:
            yield kind


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m simulators.building", description=__doc__)
    parser.add_argument("out", type=Path)
    for name, value in (("--floors", 3), ("--bays", 4), ("--seed", 7)):
        parser.add_argument(name, type=int, default=value)
    given = vars(parser.parse_args(arguments))
    path = write_building(given.pop("out"), **given)
    sys.stdout.write(f"{path}: {sum(1 for _ in all_pieces(design_building(**given)))} pieces\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
