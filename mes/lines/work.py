"""The work of one pallet as machines see it: pieces in pallet coordinates, concrete, curing program, chamber slot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mes.core.geometry import Outline, Point, ring_area
from mes.lines.plant import CuringProgram, Mix, PalletFleet, Text


@dataclass(frozen=True)
class PlacedPiece:
    """One component on its pallet: outline with openings and embed positions in pallet coordinates (mm)."""

    component: str
    mark: str
    family: str
    outline: Outline
    embeds: tuple[Point, ...]
    thickness_mm: float
    volume_m3: float
    mass_kg: float


@dataclass(frozen=True)
class Work:
    """What is made on one pallet in one lap."""

    run: str
    pallet: str
    pallet_no: int
    fleet: PalletFleet
    pieces: tuple[PlacedPiece, ...]
    mix: Mix
    mix_no: int
    program: CuringProgram
    finish: str
    demould: str
    mould: str | None = None
    slot: str | None = None

    @property
    def volume_m3(self) -> float:
        return round(sum(piece.volume_m3 for piece in self.pieces), 4)

    @property
    def thickness_mm(self) -> float:
        return max(piece.thickness_mm for piece in self.pieces)

    @property
    def area_m2(self) -> float:
        return round(
            sum(ring_area(p.outline.contour) - sum(ring_area(o) for o in p.outline.openings) for p in self.pieces)
            / 1e6,
            4,
        )


@dataclass(frozen=True)
class MachineJob:
    """What goes to a PLC for one job: recipe values by name (units in the names) and bulk data, sent as canonical JSON."""

    parameters: Mapping[str, float | int | str]
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Gauge:
    """A measured value of a machine worth a place on the board: tag name after the link's name, UCUM unit, normal band."""

    tag: str
    unit: str
    low: float
    high: float
    name: Text


@dataclass(frozen=True)
class MachineType:
    """One type of machine: its operations and, for each, how the work of a pallet becomes a job of its PLC."""

    id: str
    name: Text
    operations: tuple[str, ...]
    job: Callable[[Work, str], MachineJob]
    gauges: tuple[Gauge, ...] = ()
