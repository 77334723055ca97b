"""Orders over HTTP: take in a file, list what is ordered, call storeys off, release."""

import asyncio
import csv
import io
import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from mes.api.auth import Person, require
from mes.api.imports import Imports
from mes.api.routes.common import Given, Viewer
from mes.api.services import Services
from mes.core.errors import IntakeRejected, NotFound
from mes.orders.due import match_due, parse_due
from mes.orders.order import Order, OrderLine, StoreyDue
from mes.store.views.progress import progress

router = APIRouter(prefix="/api/v1", tags=["orders"])
UPLOAD_MAX = 200_000_000
CHUNK = 1 << 20
Importer = Annotated[Person, Depends(require("order.import"))]
Caller = Annotated[Person, Depends(require("order.due"))]


class DueRows(BaseModel):
    rows: list[StoreyDue]


@router.get("/orders")
async def list_orders(services: Given, person: Viewer) -> list[dict[str, Any]]:
    """All orders with their progress, newest last."""
    cells = list(progress(services.store).values())
    return [order_row(order, cells) for order in services.store.find(Order)]


@router.post("/orders", status_code=202, max_body_size=UPLOAD_MAX)
async def take_in(request: Request, services: Given, person: Importer, wait: bool = False) -> Response:
    """A form with `file`, and `project` and `profile` if wanted. 202 and where to ask how far it is; with `wait` the end."""
    imports: Imports = request.app.state.imports
    form = await request.form(max_files=1, max_fields=10)
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise IntakeRejected("The form has no file.", code="file_missing", hint="Choose a file and send it again.")
    folder = imports.folder()
    path = folder / safe_name(upload.filename or "")
    await _save(upload, path)
    options = {name: str(form.get(name) or "").strip() or None for name in ("project", "profile")}
    one = imports.start(services.ids.uuid(), path, options, person.name)
    address = f"/api/v1/imports/{one.id}"
    if wait and one.task is not None:
        await one.task
        if one.problem is not None:
            return JSONResponse(one.problem, one.problem["status"], media_type="application/problem+json")
        return JSONResponse(one.result, 201)
    return JSONResponse(one.to_json(), 202, headers={"Location": address})


@router.get("/imports/{import_id}")
async def get_import(import_id: str, request: Request, person: Importer) -> dict[str, Any]:
    imports: Imports = request.app.state.imports
    return imports.get(import_id).to_json()


@router.get("/orders/{order_id}")
async def get_order(order_id: str, services: Given, person: Viewer) -> dict[str, Any]:
    """An order with its lines (one per mark)."""
    order = order_of(services, order_id)
    lines = [line.draft.model_dump(mode="json") for line in services.store.find(OrderLine, order_id)]
    return {**order_row(order, list(progress(services.store).values())), "lines": lines}


@router.put("/orders/{order_id}/due")
async def set_due(order_id: str, body: DueRows, services: Given, person: Caller) -> dict[str, Any]:
    """Need-by date and place in the erection sequence per building and storey; None takes a date back."""
    await services.commands.set_due(order_id, body.rows, person.name)
    return order_of(services, order_id).model_dump(mode="json")


@router.post("/orders/{order_id}/due.csv")
async def set_due_csv(order_id: str, request: Request, services: Given, person: Caller) -> dict[str, Any]:
    """The body is the CSV itself: `building,floor,need_by,sequence` or `楼栋,楼层,需要日期,安装顺序` in its head."""
    rows = match_due(order_of(services, order_id), parse_due(await request.body()))
    await services.commands.set_due(order_id, rows, person.name)
    return order_of(services, order_id).model_dump(mode="json")


@router.get("/orders/{order_id}/due.csv")
async def get_due_csv(order_id: str, services: Given, person: Viewer) -> Response:
    """The call-off as CSV, ready to be filled in."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["building", "floor", "need_by", "sequence"])
    for row in order_of(services, order_id).storeys:
        writer.writerow([_plain(row.building), _plain(row.storey), row.due or "", row.sequence or ""])
    headers = {"Content-Disposition": f'attachment; filename="due-{order_id}.csv"'}
    return PlainTextResponse("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def order_of(services: Services, order_id: str) -> Order:
    order = services.store.get(Order, order_id)
    if order is None:
        raise NotFound(f"There is no order {order_id}.", hint="Choose one of the list of orders.")
    return order


def order_row(order: Order, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """An order with the progress of its storeys and their sum."""
    own = [cell for cell in cells if cell["order"] == order.order_id]
    total = {name: sum(cell[name] for cell in own) for name in ("ordered", "cast", "finished", "stored")}
    return {**order.model_dump(mode="json"), "progress": own, "total": total}


def safe_name(name: str) -> str:
    """A file name without folders and without signs that a file system or a shell would misread."""
    plain = re.sub(r"[^\w.\-]+", "_", Path(name.replace("\\", "/")).name).lstrip(".")
    return plain[-100:] or "upload"


async def _save(upload: UploadFile, path: Path) -> None:
    with path.open("wb") as file:
        while chunk := await upload.read(CHUNK):
            await asyncio.to_thread(file.write, chunk)


def _plain(text: str) -> str:
    """A spreadsheet must not run what stands in a cell."""
    return f"'{text}" if text[:1] in "=+-@" else text
