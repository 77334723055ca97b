"""The web side of the house: what the API and the screens are given."""

from typing import Any

from mes.api.services import Services
from mes.api.web import create_app
from mes.app import House
from mes.terminals.web import add_pages


def web_app(house: House, *, https: bool) -> Any:
    """The ASGI application of one house."""
    services = Services(
        store=house.store,
        people=house.people,
        telemetry=house.telemetry,
        tags=house.tags,
        links=_Links(house),
        plant=house.folder,
        clock=house.clock,
        ids=house.ids,
        commands=house.commands,
    )
    app = create_app(services, public_url=house.settings.public_url, https=https)
    add_pages(app)
    house.on_link = app.state.hub.touch
    return app


class _Links:
    """The links as they are now: the house may connect them after the web side is made."""

    def __init__(self, house: House) -> None:
        self._house = house

    def __iter__(self) -> Any:
        return iter(list(self._house.links.values()))
