"""Shared by the routes: the services of the app, the id of a command, who asks with which right."""

from typing import Annotated

from fastapi import Depends, Header, Request

from mes.api.auth import Person, require
from mes.api.permissions import VIEW
from mes.api.services import Services
from mes.core.errors import NotFound
from mes.tracking.code import parse
from mes.tracking.component import Component


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _command_id(
    request: Request, key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=64)] = None
) -> str:
    """The caller's id of this command; without one the request is a command of its own."""
    services: Services = request.app.state.services
    return key or services.ids.uuid()


Given = Annotated[Services, Depends(_services)]
CommandId = Annotated[str, Depends(_command_id)]
Viewer = Annotated[Person, Depends(require(VIEW))]


def component_of(services: Services, text: str) -> Component:
    """The component of a scanned or typed code; raises RuleBroken(code="code_invalid") or NotFound."""
    code = parse(text)
    component = services.store.get(Component, code)
    if component is None:
        raise NotFound(f"There is no component with the code {code}.", code="component_unknown", hint="Scan again.")
    return component
