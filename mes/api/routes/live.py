"""The live stream over HTTP: server-sent events of the board, and the board as one document."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from mes.api.live import Hub
from mes.api.routes.common import Viewer
from mes.store.views.board import BoardView

router = APIRouter(prefix="/api/v1", tags=["live"])


@router.get("/live", response_class=StreamingResponse)
async def live(request: Request, person: Viewer) -> StreamingResponse:
    """`{type: snapshot|delta, seq, cells: {section: {key: cell or null}}}` with `id: seq`, and `beat` every second."""
    hub: Hub = request.app.state.hub
    session = person.session or person.name or (request.client.host if request.client else "")
    hub.admit(session)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(hub.stream(session), media_type="text/event-stream", headers=headers)


@router.get("/board")
async def board(request: Request, person: Viewer) -> dict[str, Any]:
    """The picture that the live stream starts with."""
    view: BoardView = request.app.state.board
    return {**view.picture(), "ages_s": view.ages()}
