"""Marking plotter (划线机): draws contours, openings and embed crosses on the pallet.

Payload, all in pallet coordinates in mm: `polylines` {layer, closed, points}, `crosses` {x, y, size}, `texts` {x, y, height, text}.
Layers: contour, opening.
"""

from math import hypot
from typing import Any

from mes.core.geometry import Ring
from mes.lines.plant import Text
from mes.lines.work import Gauge, MachineJob, MachineType, Work

CROSS_MM = 100
TEXT_HEIGHT_MM = 80


def job(work: Work, operation: str) -> MachineJob:
    polylines: list[dict[str, Any]] = []
    for piece in work.pieces:
        polylines.append(_polyline("contour", piece.outline.contour))
        polylines += [_polyline("opening", ring) for ring in piece.outline.openings]
    crosses = [{"x": round(x), "y": round(y), "size": CROSS_MM} for piece in work.pieces for x, y in piece.embeds]
    texts = [
        {
            "x": round(min(x for x, _ in piece.outline.contour)) + TEXT_HEIGHT_MM,
            "y": round(min(y for _, y in piece.outline.contour)) + TEXT_HEIGHT_MM,
            "height": TEXT_HEIGHT_MM,
            "text": piece.mark,
        }
        for piece in work.pieces
    ]
    path_mm = sum(_length(line["points"]) for line in polylines)
    payload = {"pallet": work.pallet, "polylines": polylines, "crosses": crosses, "texts": texts}
    return MachineJob({"path_mm": round(path_mm), "crosses": len(crosses)}, payload)


def _polyline(layer: str, ring: Ring) -> dict[str, Any]:
    return {"layer": layer, "closed": True, "points": [[round(x), round(y)] for x, y in ring]}


def _length(points: list[list[int]]) -> float:
    closed = zip(points, [*points[1:], points[0]], strict=True)
    return sum(hypot(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in closed)


MACHINE = MachineType(
    "marking_plotter",
    Text(zh="划线机", en="Marking plotter"),
    ("mark_out",),
    job,
    (Gauge("paint-level", "%", 10, 100, Text(zh="墨量", en="Paint level")),),
)
