"""Scans over HTTP: phones and scanners send what they saw; nothing is ever dropped."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from mes.api.auth import Person, require
from mes.api.errors import body_of, problem_body
from mes.api.routes.common import Given
from mes.api.services import Services
from mes.core.errors import MesError
from mes.tracking.scan import ScanCommand

router = APIRouter(prefix="/api/v1/scans", tags=["scans"])
Scanner = Annotated[Person, Depends(require("scan.record"))]


class ScanBatch(BaseModel):
    scans: Annotated[list[ScanCommand], Field(max_length=200)]


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
