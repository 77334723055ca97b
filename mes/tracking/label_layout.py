"""What stands where on a component's label of 80 × 120 mm: one list of shapes that SVG, PNG and PDF are painted from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from mes.tracking.code import printed
from mes.tracking.fonts import text_width

WIDTH_MM, HEIGHT_MM = 80.0, 120.0
MARGIN_MM = 3.0
QUIET_MODULES = 4
ID_CAP_MM = 8.0
NARROWEST = 0.55

Matrix = Sequence[Sequence[bool]]


@dataclass(frozen=True)
class LabelData:
    """What a label says. `url` is what the QR code holds (capitals), `cast_on` may still be unknown."""

    code: str
    url: str
    mark: str
    project: str
    storey: str
    mass_kg: float
    concrete_class: str
    cast_on: date | None
    maker: str
    family_name: str
    language: Literal["zh", "en"] = "zh"


@dataclass(frozen=True)
class Line:
    """A line of text: left end and baseline in mm, height of its capitals, and how far it is squeezed (1 = not)."""

    x: float
    y: float
    cap_mm: float
    text: str
    bold: bool = False
    squeeze: float = 1.0
    width_mm: float = 0.0


@dataclass(frozen=True)
class Layout:
    """The shapes of one label: modules of the symbol (column, row, length of dark runs), texts, filled polygons."""

    module_mm: float
    origin_mm: tuple[float, float]
    runs: tuple[tuple[int, int, int], ...]
    lines: tuple[Line, ...]
    polygons: tuple[tuple[tuple[float, float], ...], ...]

    def run_boxes(self) -> list[tuple[float, float, float, float]]:
        """Each dark run as x, y, width, height in mm."""
        x0, y0 = self.origin_mm
        m = self.module_mm
        return [(x0 + column * m, y0 + row * m, length * m, m) for column, row, length in self.runs]


def layout(data: LabelData, matrix: Matrix) -> Layout:
    """Symbol with its quiet zone over the whole width, the code in large capitals below it, then the facts."""
    module = WIDTH_MM / (len(matrix) + 2 * QUIET_MODULES)
    quiet = QUIET_MODULES * module
    lines = [_fit(printed(data.code), MARGIN_MM, WIDTH_MM + ID_CAP_MM + 0.3, ID_CAP_MM, _inner(0), bold=True)]
    for text, y, cap, bold in _facts(data):
        lines.append(_fit(text, MARGIN_MM, y, cap, _inner(15), bold=bold))
    hoist = "吊装向上" if data.language == "zh" else "THIS SIDE UP"
    x = WIDTH_MM - MARGIN_MM - 12
    lines.append(_fit(hoist, x, HEIGHT_MM - MARGIN_MM, 2.2, 12))
    return Layout(module, (quiet, quiet), tuple(_runs(matrix)), tuple(lines), (_arrow(x + 6, 92.5),))


def _facts(data: LabelData) -> list[tuple[str, float, float, bool]]:
    """The lines below the code: text, baseline (mm), height of capitals (mm), bold."""
    zh = data.language == "zh"
    mass = f"{data.mass_kg:,.0f} kg"
    cast = data.cast_on.isoformat() if data.cast_on else "—"
    what = f"{data.family_name} · {data.concrete_class}"
    return [
        (data.mark, 96.3, 4.6, True),
        (f"重量 {mass}" if zh else f"Mass {mass}", 102.3, 3.6, True),
        (f"{what} · 生产 {cast}" if zh else f"{what} · cast {cast}", 107.4, 2.6, False),
        (f"{'工程' if zh else 'Project'} {data.project} · {data.storey}", 112.2, 2.6, False),
        (f"{'厂家' if zh else 'Maker'} {data.maker}", 117.0, 2.6, False),
    ]


def _inner(right_mm: float) -> float:
    return WIDTH_MM - 2 * MARGIN_MM - right_mm


def _fit(text: str, x: float, y: float, cap_mm: float, room_mm: float, *, bold: bool = False) -> Line:
    """Squeezes a line into its room; a line that would become unreadable is cut with an ellipsis."""
    width = text_width(text, cap_mm, bold)
    while width * NARROWEST > room_mm and len(text) > 2:
        text = text[:-2].rstrip() + "…"
        width = text_width(text, cap_mm, bold)
    squeeze = min(1.0, room_mm / width) if width else 1.0
    return Line(x, y, cap_mm, text, bold, round(squeeze, 4), round(width * squeeze, 3))


def _arrow(centre_x: float, top: float) -> tuple[tuple[float, float], ...]:
    """The hoist-up arrow: 12 mm wide, 19 mm high."""
    steps = ((0, 0), (6, 8), (2.5, 8), (2.5, 19), (-2.5, 19), (-2.5, 8), (-6, 8))
    return tuple((centre_x + dx, top + dy) for dx, dy in steps)


def _runs(matrix: Matrix) -> list[tuple[int, int, int]]:
    """Dark modules of each row joined to runs: column, row, length."""
    runs: list[tuple[int, int, int]] = []
    for row, modules in enumerate(matrix):
        start: int | None = None
        for column, dark in enumerate((*modules, False)):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                runs.append((start, row, column - start))
                start = None
    return runs
