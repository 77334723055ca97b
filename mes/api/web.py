"""The web application: routes, people, live hub and error pictures put together. One worker process, one event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from mes.api.auth import Access
from mes.api.errors import install_errors
from mes.api.guard import SecurityHeaders
from mes.api.imports import Imports
from mes.api.live import Hub
from mes.api.routes import components, health, jobs, labels, live, orders, plan, runs, scans, session, users
from mes.api.services import Services
from mes.core.clock import Clock, system_clock
from mes.store.views.board import BoardView

BODY_MAX = 1_000_000
ROUTERS = (jobs, runs, components, scans, orders, plan, labels, live, session, users, health)


class PlantApp(FastAPI):
    """The application; the guard stands outside of everything, so that no answer leaves without its headers."""

    https: bool = False

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(super().build_middleware_stack(), https=self.https)


def create_app(
    services: Services,
    *,
    public_url: str,
    https: bool,
    anonymous_view: bool | None = None,
    real_clock: Clock | None = None,
) -> FastAPI:
    """The HTTP side of a plant. `public_url` is the base of printed codes.

    Without https (loopback only) anybody may look; with https looking needs a login unless `anonymous_view` says
    otherwise. `app.state.hub.close()` ends the live streams so that a server can stop at once.
    """
    app = PlantApp(
        title="Precast MES",
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        max_body_size=BODY_MAX,
        lifespan=_lifespan,
    )
    clock = real_clock or system_clock()
    view = anonymous_view if anonymous_view is not None else not https
    board = BoardView(services.store, services.tags, services.links, services.plant.plant, services.clock.now)
    app.state.services = services
    app.state.public_url = public_url
    app.state.access = Access(services, clock, https=https, anonymous_view=view)
    app.state.board = board
    app.state.imports = Imports(services.commands)
    app.state.hub = Hub(board.picture, lambda: _beat(services, clock, board))
    install_errors(app)
    app.https = https
    for module in ROUTERS:
        app.include_router(module.router)
    return app


def _beat(services: Services, clock: Clock, board: BoardView) -> dict[str, Any]:
    """Server's time, plant time, speed of the plant's clock, and the age of each station's data (s)."""
    return {
        "time": clock.now().isoformat(timespec="milliseconds"),
        "plant_time": services.clock.now().isoformat(timespec="seconds"),
        "speed": services.clock.speed,
        "ages_s": board.ages(),
    }


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """While the app runs, events, readings and links reach the hub."""
    services: Services = app.state.services
    hub: Hub = app.state.hub
    board: BoardView = app.state.board

    def heard(events: Any) -> None:
        board.hear(events)
        hub.touch()

    ends = [services.store.subscribe(heard), services.tags.observe(lambda changed: hub.touch())]
    task = asyncio.create_task(hub.run(), name="live hub")
    try:
        yield
    finally:
        for end in ends:
            end()
        hub.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
