"""The login page."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mes.api.auth import Anybody
from mes.terminals.shared.render import pages_of

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def login_page(request: Request, person: Anybody, next: str = "/") -> Response:
    own = next.startswith("/") and not next.startswith("//") and "\\" not in next
    return pages_of(request).show(request, "login/login.html", {"next": next if own else "/"})
