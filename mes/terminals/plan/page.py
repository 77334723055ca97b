"""The plan page: the pallets to come with what lies on them, and their way through the line over time."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mes.api.routes.common import Given, Viewer
from mes.api.routes.plan import planned_runs
from mes.api.services import Services
from mes.lines.run import PalletRun
from mes.orders.order import Order
from mes.store.views.shapes import pallet_drawing
from mes.terminals.shared.render import pages_of

router = APIRouter(include_in_schema=False)
SHOWN = 60
OFF_LINE = frozenset({"cure"})


@router.get("/plan")
async def plan_page(request: Request, services: Given, person: Viewer) -> Response:
    runs = planned_runs(services)
    shown = runs[:SHOWN]
    values = {
        "runs": [_row(services, run) for run in shown],
        "more": len(runs) - len(shown),
        "chart": chart(shown, services.clock.now()),
        "undated": _undated(services),
    }
    return pages_of(request).show(request, "plan/plan.html", values)


def chart(runs: list[PalletRun], now: datetime) -> dict[str, Any]:
    """Bars in percent of the time shown: one row per pallet, one bar per operation; `now` is None when it lies outside."""
    steps = [step for run in runs for step in run.steps]
    if not steps:
        return {"rows": [], "now": None}
    start, end = min(s.start for s in steps), max(s.end for s in steps)
    span = max((end - start).total_seconds(), 1.0)

    def share(at: datetime) -> float:
        return round(100 * (at - start).total_seconds() / span, 3)

    rows = [
        {
            "run": run,
            "bars": [
                {
                    "x": share(s.start),
                    "w": max(0.15, round(share(s.end) - share(s.start), 3)),
                    "step": s,
                    "cure": s.operation in OFF_LINE,
                    "past": index < run.step,
                }
                for index, s in enumerate(run.steps)
            ],
        }
        for run in runs
    ]
    return {"rows": rows, "start": start, "end": end, "now": share(now) if start <= now <= end else None}


def _row(services: Services, run: PalletRun) -> dict[str, Any]:
    return {"run": run, "drawing": pallet_drawing(services.store, services.plant.plant, run)}


def _undated(services: Services) -> bool:
    """Whether there is an order of which no storey has a date: the plan then follows no call-off."""
    return any(not any(row.due for row in order.storeys) for order in services.store.find(Order))
