"""Jobs of the line over HTTP: list, start, finish, settle."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from mes.api.auth import Person, require
from mes.api.routes.common import CommandId, Given, Viewer
from mes.api.services import Services
from mes.core.errors import NotFound, NotPermitted
from mes.lines.job import LineJob

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
Worker = Annotated[Person, Depends(require("job.work"))]
Settler = Annotated[Person, Depends(require("job.settle"))]


class Settlement(BaseModel):
    decision: Literal["retry", "done", "scrap"]
    reason: Annotated[str, Field(max_length=500)]


class Finish(BaseModel):
    """What a person reports at the end of a job, for example `{result, checklist, bay}`."""

    data: dict[str, Any] = {}


@router.get("")
async def list_jobs(
    services: Given,
    person: Viewer,
    state: Literal["open", "ready", "running", "stopped"] = "open",
    station: str | None = None,
    manual: bool | None = None,
) -> list[dict[str, Any]]:
    """Open jobs, the longest waiting first; `manual` picks those of people (true) or machines (false)."""
    jobs = open_jobs(services)
    if state != "open":
        jobs = [job for job in jobs if job.state == state]
    if station is not None:
        jobs = [job for job in jobs if job.station == station]
    if manual is not None:
        jobs = [job for job in jobs if (job.link is None) is manual]
    return [job.model_dump(mode="json") for job in jobs]


@router.get("/{job_id}")
async def get_job(job_id: str, services: Given, person: Viewer) -> dict[str, Any]:
    return job_of(services, job_id).model_dump(mode="json")


@router.post("/{job_id}/start")
async def start(job_id: str, services: Given, person: Worker, cmd_id: CommandId) -> dict[str, Any]:
    _may_sign(services, job_id, person)
    job = await services.commands.start_job(job_id, person.name, person.roles, cmd_id)
    return job.model_dump(mode="json")


@router.post("/{job_id}/finish")
async def finish(
    job_id: str, services: Given, person: Worker, cmd_id: CommandId, body: Finish | None = None
) -> dict[str, Any]:
    _may_sign(services, job_id, person)
    data = body.data if body is not None else {}
    job = await services.commands.finish_job(job_id, data, person.name, person.roles, cmd_id)
    return job.model_dump(mode="json")


@router.post("/{job_id}/settle")
async def settle(job_id: str, body: Settlement, services: Given, person: Settler, cmd_id: CommandId) -> dict[str, Any]:
    job = await services.commands.settle_job(job_id, body.decision, body.reason, person.name, person.roles, cmd_id)
    return job.model_dump(mode="json")


def open_jobs(services: Services) -> list[LineJob]:
    jobs = [job for line in services.plant.plant.lines for job in services.store.find(LineJob, line.id)]
    return sorted(jobs, key=lambda job: (job.ready_at, job.id))


def job_of(services: Services, job_id: str) -> LineJob:
    job = services.store.get(LineJob, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.", hint="Reload the page.")
    return job


def _may_sign(services: Services, job_id: str, person: Person) -> None:
    """Jobs of the quality people are signed only by those who hold the right."""
    if job_of(services, job_id).role == "quality" and not person.may("quality.sign"):
        raise NotPermitted(
            f"{person.name} may not sign inspections.",
            hint="Ask an inspector to sign.",
            data={"permission": "quality.sign"},
        )
