"""Drawings of pallets: what lies where, as SVG paths in pallet coordinates (mm, y upwards turned to y downwards)."""

from functools import lru_cache
from typing import Any

from mes.core.geometry import Outline, Pose, Ring, rectangle
from mes.core.ports import Store
from mes.lines.plant import Plant
from mes.lines.run import PalletRun
from mes.orders.order import OrderLine, line_key
from mes.tracking.component import Component


def pallet_drawing(store: Store, plant: Plant, run: PalletRun) -> dict[str, Any]:
    """`{run, pallet, length_mm, width_mm, pieces: [{code, mark, path, x, y}]}`; x, y is where the mark is written."""
    fleet = plant.line(run.line).pallets
    length, width = (fleet.length_mm, fleet.width_mm) if fleet else (9000.0, 3500.0)
    pieces = []
    for piece in run.pieces:
        outline = _outline(store, piece.component)
        placed = outline.placed(Pose(piece.x, piece.y, piece.angle_deg))
        x, y = label_point(placed)
        pieces.append(
            {
                "code": piece.component,
                "mark": piece.mark,
                "path": svg_path(placed, width),
                "x": round(x),
                "y": round(width - y),
            }
        )
    return {"run": run.id, "pallet": run.pallet, "length_mm": length, "width_mm": width, "pieces": pieces}


@lru_cache(maxsize=4096)
def svg_path(outline: Outline, height: float) -> str:
    """The contour and its openings as one path (fill rule evenodd), mirrored so that y = 0 lies below."""
    return "".join(_ring(ring, height) for ring in (outline.contour, *outline.openings))


@lru_cache(maxsize=4096)
def label_point(outline: Outline) -> tuple[float, float]:
    """Where the mark is written: the middle, or above or below it where an opening lies there."""
    xs, ys = [x for x, _ in outline.contour], [y for _, y in outline.contour]
    middle, low, high = (min(xs) + max(xs)) / 2, min(ys), max(ys)
    reach = (max(xs) - min(xs)) / 4
    for share in (0.5, 0.85, 0.15, 0.7, 0.3):
        y = low + share * (high - low)
        if all(_solid(outline, x, y) for x in (middle - reach, middle, middle + reach)):
            return middle, y
    return middle, (low + high) / 2


def _solid(outline: Outline, x: float, y: float) -> bool:
    return _inside(outline.contour, x, y) and not any(_inside(ring, x, y) for ring in outline.openings)


def _inside(ring: Ring, x: float, y: float) -> bool:
    """Even-odd rule."""
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside


def outline_of(line: OrderLine | None) -> Outline:
    """The outline of a mark; a metre square where nothing is known."""
    if line is None:
        return rectangle(1000, 1000)
    return line.draft.outline or rectangle(line.draft.length_mm, line.draft.width_mm)


def _outline(store: Store, code: str) -> Outline:
    component = store.get(Component, code)
    return outline_of(store.get(OrderLine, line_key(component.order_id, component.mark)) if component else None)


def _ring(ring: Ring, height: float) -> str:
    return "M" + "L".join(f"{x:.0f} {height - y:.0f}" for x, y in ring) + "Z"
