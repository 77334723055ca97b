"""Sessions over HTTP: log in, log out, who am I."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from mes.api.auth import Access, Anybody

router = APIRouter(prefix="/api/v1/session", tags=["session"])


class Login(BaseModel):
    name: Annotated[str, Field(max_length=40)]
    password: Annotated[str, Field(max_length=200)]


@router.get("")
async def me(person: Anybody) -> dict[str, Any]:
    return {
        "name": person.name,
        "display": person.display,
        "roles": list(person.roles),
        "permissions": sorted(person.permissions),
        "language": person.language,
        "csrf": person.csrf,
    }


@router.post("/login")
async def login(body: Login, request: Request, person: Anybody) -> JSONResponse:
    """Opens a session (cookie) and answers who it is for and the token that unsafe requests repeat."""
    access: Access = request.app.state.access
    secret, known = await access.log_in(body.name, body.password, client_of(request))
    answer = JSONResponse(
        {"name": known.name, "display": known.display, "roles": list(known.roles), "csrf": known.csrf}
    )
    access.set_cookie(answer, secret)
    return answer


@router.post("/logout")
async def logout(request: Request, person: Anybody) -> JSONResponse:
    access: Access = request.app.state.access
    await access.log_out(person)
    answer = JSONResponse({"name": ""})
    access.clear_cookie(answer)
    return answer


def client_of(request: Request) -> str:
    return request.client.host if request.client else ""
