"""2-D bin packing instances: `{bin: {width, height}, rotate, items: [{id, width, height}]}`."""

from pathlib import Path
from typing import Any

from mes.core.errors import NoFeasiblePlan
from mes.planning.bench.budget import Timer, planned_evaluations, read_instance, real_time
from mes.planning.nesting.maxrects import Bin, Rect
from mes.planning.nesting.packing import lower_bound, pack


def bench_nesting(
    path: Path,
    rotate: bool = False,
    time_limit: float = 1.0,
    seed: int = 1,
    evaluations: int | None = None,
    *,
    timer: Timer = real_time,
) -> dict[str, Any]:
    """`{bins, lower_bound, placements: [{item, bin, x, y, rotated}], solve_s, evaluations, seed}`; bins count from 0."""
    began = timer()
    doc = read_instance(path, "bin", "items")
    size = Bin(doc["bin"]["width"], doc["bin"]["height"])
    turn = rotate or bool(doc.get("rotate", False))
    items = doc["items"]
    rects = [Rect(n, item["width"], item["height"], 0.0, turn) for n, item in enumerate(items)]
    for rect, item in zip(rects, items, strict=True):
        straight = rect.width <= size.width and rect.height <= size.height
        if not straight and not (turn and rect.height <= size.width and rect.width <= size.height):
            raise NoFeasiblePlan(f"Item {item['id']} fits no bin.", code="piece_too_large")
    budget = evaluations
    if budget is None:
        budget = planned_evaluations(lambda count: pack(rects, size, count, seed), time_limit, timer)
    bins = pack(rects, size, budget, seed)
    placements = [
        {"item": items[one.rect.id]["id"], "bin": n, "x": one.x, "y": one.y, "rotated": one.turned}
        for n, laid in enumerate(bins)
        for one in laid
    ]
    return {
        "bins": len(bins),
        "lower_bound": lower_bound(rects, size),
        "placements": placements,
        "solve_s": round(timer() - began, 3),
        "evaluations": budget,
        "seed": seed,
    }
