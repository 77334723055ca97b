"""Twin of the marking plotter: it draws the payload's polylines, so its time comes from the path and not from the parameters."""

from collections.abc import Mapping
from math import hypot
from typing import Any

from simulators.twin import Parameters, Twin

DRAW_MM_S = 360.0
CROSS_S = 4.0
TEXT_S = 6.0
PAINT_PER_M = 0.0035


class MarkingPlotter(Twin):
    paint = 92.0

    def check(self, parameters: Parameters, payload: Mapping[str, Any] | None) -> str | None:
        if payload is None or not payload.get("polylines"):
            return "there is nothing to draw"
        drawn = path_mm(payload)
        if abs(drawn - float(parameters.get("path_mm", 0))) > 2 + 0.001 * drawn:
            return f"the path is {drawn:.0f} mm long, path_mm says {parameters.get('path_mm')}"
        if len(payload.get("crosses", [])) != int(parameters.get("crosses", 0)):
            return f"{len(payload.get('crosses', []))} crosses came, crosses says {parameters.get('crosses')}"
        return None

    def duration(self) -> float:
        texts = len((self.payload or {}).get("texts", []))
        return 110 + path_mm(self.payload or {}) / DRAW_MM_S + CROSS_S * self.number("crosses") + TEXT_S * texts

    def work(self, seconds: float) -> bool:
        used = PAINT_PER_M * self.number("path_mm") / 1000 * seconds / self.duration_s
        self.paint = max(0.0, self.paint - used)
        return True

    def effect(self) -> None:
        self.result = {"drawn_mm": round(self.number("path_mm")), "crosses": int(self.number("crosses"))}

    def always(self, seconds: float) -> None:
        if not self.running and self.paint < 15:
            self.paint = 100.0

    def gauges(self) -> dict[str, float]:
        return {"paint-level": round(self.paint, 1)}

    def keep(self) -> dict[str, Any]:
        return {"paint": round(self.paint, 2)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        self.paint = float(kept.get("paint", self.paint))


def path_mm(payload: Mapping[str, Any]) -> float:
    """Length of all polylines of a drawing, closed ones with their last edge."""
    total = 0.0
    for line in payload.get("polylines", []):
        points = line["points"]
        ends = [*points[1:], points[0]] if line.get("closed") else points[1:]
        total += sum(hypot(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in zip(points, ends, strict=False))
    return total
