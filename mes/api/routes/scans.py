"""Scans over HTTP: phones and scanners send what they saw; nothing is ever dropped."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from mes.api.auth import Person, require
from mes.api.errors import body_of, problem_body
from mes.api.routes.common import CommandId, Given
from mes.api.services import Services
from mes.core.errors import MesError
from mes.tracking.scan import ScanCommand

router = APIRouter(prefix="/api/v1/scans", tags=["scans"])
Settler = Annotated[Person, Depends(require("scan.settle"))]
Scanner = Annotated[Person, Depends(require("scan.record"))]


class ScanBatch(BaseModel):
    scans: Annotated[list[ScanCommand], Field(max_length=200)]


class Settlement(BaseModel):
    status: Literal["confirmed", "fixed", "void"]
    reason: Annotated[str, Field(max_length=500)]


@router.post("/exceptions/{exception_id}/settle")
async def settle(
    exception_id: str, body: Settlement, services: Given, person: Settler, cmd_id: CommandId
) -> dict[str, Any]:
    """A person decides about a scan that broke a rule: it was right, it has been put right, or it counts for nothing."""
    settled = await services.commands.settle_exception(exception_id, body.status, body.reason, person.name, cmd_id)
    return settled.model_dump(mode="json")


@router.post("", status_code=201)
async def record(command: ScanCommand, services: Given, person: Scanner) -> Response:
    """201 with the new state; 200 when this scan was known; 409 with the broken rule, and the scan is kept."""
    status, body = await services.commands.record_scan(command, person.name, person.roles)
    return _answer(status, body)


@router.post("/batch")
async def record_batch(batch: ScanBatch, services: Given, person: Scanner) -> list[dict[str, Any]]:
    """Up to 200 scans in the order in which they happened; each gets its own status and body."""
    return [await _one(services, person, command) for command in batch.scans]


async def _one(services: Services, person: Person, command: ScanCommand) -> dict[str, Any]:
    try:
        status, body = await services.commands.record_scan(command, person.name, person.roles)
    except MesError as error:
        body = body_of(error)
        status = body["status"]
    return {"event_id": command.event_id, "status": status, "body": body}


def _answer(status: int, body: dict[str, Any]) -> JSONResponse:
    if status < 400:
        return JSONResponse(body, status_code=status)
    code = str(body.get("rule") or body.get("code") or "rule_broken")
    detail = str(body.get("message_en") or body.get("detail") or "The scan breaks a rule.")
    document = {**body, "component": body.get("code"), **problem_body(status, code, detail)}
    return JSONResponse(document, status_code=status, media_type="application/problem+json")
