"""The plan over HTTP: what stands on which pallet and when; release a new one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from mes.api.auth import Person, require
from mes.api.routes.common import Given, Viewer
from mes.api.services import Services
from mes.lines.run import PalletRun

router = APIRouter(prefix="/api/v1/plan", tags=["plan"])
Planner = Annotated[Person, Depends(require("plan.release"))]


class Release(BaseModel):
    """Orders to release; an empty list means all."""

    order_ids: list[str] = []


@router.get("")
async def current_plan(services: Given, person: Viewer) -> dict[str, Any]:
    """The runs of all released plans that are still to do, in order, with the time of every operation."""
    return {"pallets": [run_row(run) for run in planned_runs(services)]}


@router.post("", status_code=201)
async def release_plan(body: Release, services: Given, person: Planner) -> dict[str, Any]:
    """Plans every piece that is on no pallet yet and releases the plan to the line."""
    return await services.commands.release_plan(body.order_ids, person.name)


def planned_runs(services: Services) -> list[PalletRun]:
    runs = [run for line in services.plant.plant.lines for run in services.store.find(PalletRun, line.id)]
    return sorted(runs, key=lambda run: run.number)


def run_row(run: PalletRun) -> dict[str, Any]:
    return {
        "run": run.id,
        "plan": run.plan,
        "line": run.line,
        "number": run.number,
        "pallet": run.pallet,
        "status": run.status,
        "family": run.family,
        "concrete_class": run.concrete_class,
        "components": [piece.component for piece in run.pieces],
        "start": run.steps[0].start if run.steps else None,
        "end": run.steps[-1].end if run.steps else None,
        "steps": [step.model_dump(mode="json") for step in run.steps],
    }
