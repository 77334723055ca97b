"""Flat geometry in millimetres: outlines with openings, polylines, and the pose of a piece on a pallet.

Pallet coordinates: origin at the lower left corner, x along the pallet's length, y across it, angles counter-clockwise.
"""

from dataclasses import dataclass
from math import cos, radians, sin

Point = tuple[float, float]
Ring = tuple[Point, ...]


@dataclass(frozen=True)
class Pose:
    """Where a piece lies on its pallet: its outline is turned by `angle_deg` (0, 90, 180, 270), then moved so that its bounding box starts at x, y (mm)."""

    x: float
    y: float
    angle_deg: int = 0


@dataclass(frozen=True)
class Outline:
    """A closed contour with openings, both without the repeated last point; mm; bounding box starts at 0, 0."""

    contour: Ring
    openings: tuple[Ring, ...] = ()

    @property
    def length(self) -> float:
        return max(x for x, _ in self.contour) - min(x for x, _ in self.contour)

    @property
    def width(self) -> float:
        return max(y for _, y in self.contour) - min(y for _, y in self.contour)

    def placed(self, pose: Pose) -> "Outline":
        """The same outline in pallet coordinates."""
        turned = [_turn(ring, pose.angle_deg) for ring in (self.contour, *self.openings)]
        dx = pose.x - min(x for x, _ in turned[0])
        dy = pose.y - min(y for _, y in turned[0])
        moved = [tuple((round(x + dx, 3), round(y + dy, 3)) for x, y in ring) for ring in turned]
        return Outline(moved[0], tuple(moved[1:]))


def rectangle(length: float, width: float) -> Outline:
    return Outline(((0.0, 0.0), (length, 0.0), (length, width), (0.0, width)))


def ring_area(ring: Ring) -> float:
    """Area of a closed ring in mm², positive (shoelace formula)."""
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True))) / 2


def _turn(ring: Ring, angle_deg: int) -> Ring:
    if angle_deg % 360 == 0:
        return ring
    c, s = round(cos(radians(angle_deg)), 12), round(sin(radians(angle_deg)), 12)
    return tuple((c * x - s * y, s * x + c * y) for x, y in ring)
