"""Laying rectangles on one pallet or bin: the list of largest free rectangles (MaxRects, Jylänki 2010)."""

from collections.abc import Callable
from dataclasses import dataclass

Free = tuple[int, int, int, int]
Score = Callable[[Free, int, int], tuple[int, int]]


@dataclass(frozen=True)
class Rect:
    """A rectangle to be laid down; whole numbers of one unit, mass in kg."""

    id: int
    width: int
    height: int
    mass: float = 0.0
    rotate: bool = False


@dataclass(frozen=True)
class Bin:
    width: int
    height: int
    max_mass: float = float("inf")


@dataclass(frozen=True)
class Laid:
    """Where a rectangle lies; `turned` by 90°."""

    rect: Rect
    x: int
    y: int
    turned: bool

    @property
    def width(self) -> int:
        return self.rect.height if self.turned else self.rect.width

    @property
    def height(self) -> int:
        return self.rect.width if self.turned else self.rect.height


def short_side(free: Free, w: int, h: int) -> tuple[int, int]:
    a, b = free[2] - w, free[3] - h
    return (a, b) if a < b else (b, a)


def long_side(free: Free, w: int, h: int) -> tuple[int, int]:
    a, b = free[2] - w, free[3] - h
    return (b, a) if a < b else (a, b)


def least_area(free: Free, w: int, h: int) -> tuple[int, int]:
    return free[2] * free[3] - w * h, min(free[2] - w, free[3] - h)


def bottom_left(free: Free, w: int, h: int) -> tuple[int, int]:
    return free[1] + h, free[0]


def left_bottom(free: Free, w: int, h: int) -> tuple[int, int]:
    return free[0] + w, free[1]


SCORES: tuple[Score, ...] = (short_side, long_side, least_area, bottom_left, left_bottom)


class OpenBin:
    """One bin while it is being filled."""

    def __init__(self, size: Bin) -> None:
        self.size = size
        self.free: list[Free] = [(0, 0, size.width, size.height)]
        self.laid: list[Laid] = []
        self.mass = 0.0
        self.area = 0

    def best(self, rect: Rect, score: Score) -> tuple[tuple[int, int], Free, bool] | None:
        """The free rectangle with the lowest score, and whether to turn; None when it does not fit."""
        if self.mass + rect.mass > self.size.max_mass:
            return None
        w, h = rect.width, rect.height
        found: tuple[tuple[int, int], Free, bool] | None = None
        for free in self.free:
            if w <= free[2] and h <= free[3]:
                value = score(free, w, h)
                if found is None or value < found[0]:
                    found = (value, free, False)
            if rect.rotate and h <= free[2] and w <= free[3]:
                value = score(free, h, w)
                if found is None or value < found[0]:
                    found = (value, free, True)
        return found

    def lay(self, rect: Rect, free: Free, turned: bool) -> None:
        laid = Laid(rect, free[0], free[1], turned)
        self.laid.append(laid)
        self.mass += rect.mass
        self.area += rect.width * rect.height
        self._cut(laid.x, laid.y, laid.width, laid.height)

    def _cut(self, x: int, y: int, w: int, h: int) -> None:
        kept: list[Free] = []
        parts: list[Free] = []
        x2, y2 = x + w, y + h
        for free in self.free:
            fx, fy, fw, fh = free
            if x >= fx + fw or x2 <= fx or y >= fy + fh or y2 <= fy:
                kept.append(free)
                continue
            if x > fx:
                parts.append((fx, fy, x - fx, fh))
            if x2 < fx + fw:
                parts.append((x2, fy, fx + fw - x2, fh))
            if y > fy:
                parts.append((fx, fy, fw, y - fy))
            if y2 < fy + fh:
                parts.append((fx, y2, fw, fy + fh - y2))
        parts = list(dict.fromkeys(parts))
        for part in parts:
            if not any(_inside(part, other) for other in kept) and not any(
                _inside(part, other) for other in parts if other is not part
            ):
                kept.append(part)
        self.free = kept


def _inside(a: Free, b: Free) -> bool:
    return a[0] >= b[0] and a[1] >= b[1] and a[0] + a[2] <= b[0] + b[2] and a[1] + a[3] <= b[1] + b[3]
