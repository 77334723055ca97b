"""Components over HTTP: one piece and its history."""

from typing import Any

from fastapi import APIRouter

from mes.api.routes.common import Given, Viewer, component_of

router = APIRouter(prefix="/api/v1/components", tags=["components"])


@router.get("/{code}")
async def get_component(code: str, services: Given, person: Viewer) -> dict[str, Any]:
    """The component by its code, typed or scanned in any form."""
    return component_of(services, code).model_dump(mode="json")


@router.get("/{code}/events")
async def get_events(code: str, services: Given, person: Viewer) -> list[dict[str, Any]]:
    """What happened to the component, oldest first."""
    component = component_of(services, code)
    return [
        {"seq": event.seq, "type": event.type, "at": event.at, "actor": event.actor, "data": dict(event.data)}
        for event in services.store.events(kind="component", key=component.code)
    ]
