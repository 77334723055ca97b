"""A small kind of thing to remember, and stores on both databases."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mes.core.clock import FixedClock
from mes.core.event import Event, State, StreamKind
from mes.core.ids import SystemIds
from mes.store.engine import make_engine
from mes.store.log import SqlStore
from mes.store.upkeep import upgrade

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Pallet(State):
    name: str
    place: str = ""
    moves: int = 0
    weights_kg: tuple[float, ...] = ()


def apply(state: Pallet | None, event: Event) -> Pallet:
    before = state or Pallet(name=event.key)
    return Pallet(
        name=event.key,
        place=event.data.get("place", before.place),
        moves=before.moves + 1,
        weights_kg=(*before.weights_kg, *event.data.get("weights_kg", ()))[-5:],
    )


PALLET = StreamKind("pallet", Pallet, apply, lambda state: state.place)


def move(key: str, place: str) -> Callable[[Any], Any]:
    def story(tx: Any) -> Any:
        tx.append(Pallet, key, "moved", {"place": place})
        tx.publish("state", "place", place, place=f"hall/line1/{place}")
        return {"key": key, "moves": tx.get(Pallet, key).moves}

    return story


def store_on(url: str, plant: str = "demo", **options: Any) -> SqlStore:
    options = {"place": "acme/north", **options}
    return SqlStore(make_engine(url), [PALLET], plant=plant, clock=FixedClock(AT), ids=SystemIds(), **options)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An upgraded database: SQLite always, PostgreSQL where there is one."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("empty_pg_url_upgraded"))
    address = f"sqlite:///{tmp_path}/mes.db"
    upgrade(address)
    return address


@pytest.fixture
def empty_pg_url_upgraded(empty_pg_url: str) -> str:
    upgrade(empty_pg_url)
    return empty_pg_url


OpenStore = Callable[..., Awaitable[SqlStore]]


@pytest.fixture
async def open_store(url: str) -> AsyncIterator[OpenStore]:
    opened: list[SqlStore] = []

    async def opener(**options: Any) -> SqlStore:
        store = store_on(url, **options)
        await store.start()
        opened.append(store)
        return store

    yield opener
    for store in opened:
        await store.close()
        store.engine.dispose()
