"""Pallet runs over HTTP: what is on its way, and the cube strength where the temperature history is not enough."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from mes.api.auth import Person, require
from mes.api.routes.common import CommandId, Given, Viewer
from mes.core.errors import NotFound
from mes.lines.run import PalletRun
from mes.store.views.shapes import pallet_drawing

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])
Inspector = Annotated[Person, Depends(require("quality.sign"))]


class CubeTest(BaseModel):
    strength_mpa: Annotated[float, Field(gt=0, le=150)]


@router.get("")
async def list_runs(
    services: Given,
    person: Viewer,
    status: str | None = None,
    needs: Literal["cube_test"] | None = None,
    ended: bool = False,
) -> list[dict[str, Any]]:
    """Runs still to do, with `ended` those that are over, in the order of the plan."""
    groups = [f"{line.id}/ended" if ended else line.id for line in services.plant.plant.lines]
    runs = [run for group in groups for run in services.store.find(PalletRun, group)]
    if status is not None:
        runs = [run for run in runs if run.status == status]
    if needs == "cube_test":
        runs = [run for run in runs if run.needs_cube_test]
    return [run.model_dump(mode="json") for run in sorted(runs, key=lambda run: run.number)]


@router.get("/{run_id}")
async def get_run(run_id: str, services: Given, person: Viewer) -> dict[str, Any]:
    """The run with the drawing of its pallet."""
    run = services.store.get(PalletRun, run_id)
    if run is None:
        raise NotFound(f"There is no pallet run {run_id}.")
    return {**run.model_dump(mode="json"), "drawing": pallet_drawing(services.store, services.plant.plant, run)}


@router.post("/{run_id}/cube-test")
async def cube_test(
    run_id: str, body: CubeTest, services: Given, person: Inspector, cmd_id: CommandId
) -> dict[str, Any]:
    run = await services.commands.cube_test(run_id, body.strength_mpa, person.name, cmd_id)
    return run.model_dump(mode="json")
