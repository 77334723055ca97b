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
        xs, ys = [x for x, _ in placed.contour], [y for _, y in placed.contour]
        pieces.append(
            {
                "code": piece.component,
                "mark": piece.mark,
                "path": svg_path(placed, width),
                "x": round((min(xs) + max(xs)) / 2),
                "y": round(width - (min(ys) + max(ys)) / 2),
            }
        )
    return {"run": run.id, "pallet": run.pallet, "length_mm": length, "width_mm": width, "pieces": pieces}


@lru_cache(maxsize=4096)
def svg_path(outline: Outline, height: float) -> str:
    """The contour and its openings as one path (fill rule evenodd), mirrored so that y = 0 lies below."""
    return "".join(_ring(ring, height) for ring in (outline.contour, *outline.openings))


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
