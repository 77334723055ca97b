"""Adds the screens to the web application: pages, static files, and how a problem looks on a page."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from mes.terminals.board import page as board
from mes.terminals.component import page as component
from mes.terminals.inbox import page as inbox
from mes.terminals.labels import page as labels
from mes.terminals.login import page as login
from mes.terminals.orders import page as orders
from mes.terminals.plan import page as plan
from mes.terminals.shared.render import Pages, render_problem
from mes.terminals.station import page as station

SCREENS = {
    "board": board,
    "component": component,
    "inbox": inbox,
    "labels": labels,
    "login": login,
    "orders": orders,
    "plan": plan,
    "station": station,
}
STATIC = Path(__file__).parent / "static"


def add_pages(app: FastAPI) -> None:
    """Call it on the app that `mes.api.web.create_app` made."""
    app.state.pages = Pages(app.state.services)
    app.state.render_problem = render_problem
    for screen in SCREENS.values():
        app.include_router(screen.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
