"""Mould robot (布模机械手): sets side forms and switches their magnets on.

Every edge of a contour or opening is covered by side forms of stock lengths, longest first; the last form of an edge may overhang it.
Payload: `side_forms` {type, length, x, y, angle} and `magnets` {x, y}, pallet coordinates in mm, angle in degrees.
"""

from math import atan2, cos, degrees, radians, sin
from typing import Any

from mes.core.geometry import Point
from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work

STOCK_MM = (3000, 2000, 1500, 1000, 500, 250)
MAGNET_OFFSET_MM = 60


def job(work: Work, operation: str) -> MachineJob:
    forms: list[dict[str, Any]] = []
    for piece in work.pieces:
        height = round(piece.thickness_mm)
        for ring in (piece.outline.contour, *piece.outline.openings):
            for start, end in zip(ring, (*ring[1:], ring[0]), strict=True):
                forms += _forms(start, end, height)
    magnets = [_magnet(form, share) for form in forms for share in (0.25, 0.75)]
    return MachineJob(
        {"side_forms": len(forms), "magnets": len(magnets)},
        {"pallet": work.pallet, "mould": work.mould, "side_forms": forms, "magnets": magnets},
    )


def _forms(start: Point, end: Point, height: int) -> list[dict[str, Any]]:
    dx, dy = end[0] - start[0], end[1] - start[1]
    left = (dx * dx + dy * dy) ** 0.5
    angle = degrees(atan2(dy, dx))
    at, forms = 0.0, []
    while left > 1:
        length = next((stock for stock in STOCK_MM if stock <= left), STOCK_MM[-1])
        x, y = start[0] + at * cos(radians(angle)), start[1] + at * sin(radians(angle))
        forms.append({"type": f"S{height}", "length": length, "x": round(x), "y": round(y), "angle": round(angle, 2)})
        at, left = at + length, left - length
    return forms


def _magnet(form: dict[str, Any], share: float) -> dict[str, int]:
    """A magnet stands outside the concrete: to the right of a counter-clockwise contour."""
    angle = radians(form["angle"])
    x = form["x"] + share * form["length"] * cos(angle) + MAGNET_OFFSET_MM * sin(angle)
    y = form["y"] + share * form["length"] * sin(angle) - MAGNET_OFFSET_MM * cos(angle)
    return {"x": round(x), "y": round(y)}


MACHINE = MachineType(
    "mould_robot",
    Text(zh="布模机械手", en="Mould robot"),
    ("place_moulds",),
    job,
    (Gauge("forms-in-store", "1", 20, 400, Text(zh="库存边模", en="Side forms in store")),),
)
