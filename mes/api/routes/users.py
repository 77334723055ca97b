"""Accounts over HTTP: the administrator makes people, passwords and tokens."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from mes.api import accounts
from mes.api.auth import Person, require
from mes.api.routes.common import Given
from mes.core.errors import NotFound

router = APIRouter(prefix="/api/v1/users", tags=["users"])
Admin = Annotated[Person, Depends(require("user.manage"))]


class NewUser(BaseModel):
    name: Annotated[str, Field(max_length=40)]
    display: Annotated[str, Field(max_length=80)]
    roles: list[str]
    language: Literal["zh", "en"] = "zh"


class NewToken(BaseModel):
    label: Annotated[str, Field(max_length=80)] = ""


@router.post("", status_code=201)
async def create(body: NewUser, services: Given, person: Admin) -> dict[str, Any]:
    """The answer carries the random first password; nobody can read it later."""
    made = await asyncio.to_thread(
        accounts.create_user,
        services.people,
        body.name,
        display=body.display,
        roles=body.roles,
        language=body.language,
        actor=person.name,
    )
    return {"name": made.name, "roles": list(made.roles), "password": made.password}


@router.post("/{name}/tokens", status_code=201)
async def create_token(name: str, body: NewToken, services: Given, person: Admin) -> dict[str, str]:
    """A token for a program that acts as this user; shown once."""
    if await asyncio.to_thread(services.people.get_user, name) is None:
        raise NotFound(f"There is no user {name}.")
    token = await asyncio.to_thread(accounts.create_token, services.people, name, body.label, actor=person.name)
    return {"token": token}
