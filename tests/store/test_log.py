"""Stories, reads and observers, on SQLite and PostgreSQL."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mes.core.errors import RuleBroken, StoreError
from mes.core.ports import Store
from mes.store.log import Outgoing, SqlStore
from mes.store.upkeep import check
from tests.store.conftest import PALLET, OpenStore, Pallet, move, store_on

_STORE: type[Store] = SqlStore


async def test_story_is_remembered_after_reopening(open_store: OpenStore) -> None:
    store = await open_store()
    assert await store.run(move("P07", "s1"), actor="anna") == {"key": "P07", "moves": 1}
    await store.run(move("P07", "s2"), actor="anna")
    again = await open_store()
    for one in (store, again):
        assert one.get(Pallet, "P07") == Pallet(name="P07", place="s2", moves=2)
        assert one.find(Pallet, "s1") == []
        assert [p.name for p in one.find(Pallet, "s2")] == ["P07"]
    assert [(e.seq, e.stream_seq, e.type, e.actor) for e in again.events(kind="pallet")] == [
        (1, 1, "moved", "anna"),
        (2, 2, "moved", "anna"),
    ]
    assert again.head == store.head


async def test_refused_story_writes_nothing_and_neighbours_go_on(open_store: OpenStore, url: str) -> None:
    store = await open_store()

    def refuses(tx: Any) -> None:
        tx.append(Pallet, "P01", "moved", {"place": "nowhere"})
        assert tx.get(Pallet, "P01").place == "nowhere"
        assert len(tx.find(Pallet, "nowhere")) == 1
        raise RuleBroken("occupied")

    stories = [move("P01", "s1"), refuses, move("P02", "s1"), refuses, move("P01", "s3")]
    results = await asyncio.gather(*(store.run(s, actor="a") for s in stories), return_exceptions=True)
    assert [isinstance(r, RuleBroken) for r in results] == [False, True, False, True, False]
    assert [e.key for e in store.events()] == ["P01", "P02", "P01"]
    assert {p.name: p.place for p in store.find(Pallet)} == {"P01": "s3", "P02": "s1"}
    assert check(url, [PALLET]) == []


async def test_same_command_gives_first_answer_another_body_is_refused(open_store: OpenStore) -> None:
    store = await open_store()

    async def ask(body: Any, one: SqlStore = store) -> Any:
        return await one.run(move("P01", "s1"), actor="a", cmd_id="c1", body=body)

    first = await asyncio.gather(*(ask({"x": 1}) for _ in range(5)))
    assert first == [{"key": "P01", "moves": 1}] * 5
    with pytest.raises(RuleBroken) as refused:
        await ask({"x": 2})
    assert refused.value.code == "id_reused"
    assert await ask({"x": 1}, await open_store()) == first[0]
    assert len(store.events()) == 1


async def test_state_as_answer_comes_back_as_state(open_store: OpenStore) -> None:
    store = await open_store()

    def story(tx: Any) -> Pallet:
        tx.append(Pallet, "P01", "moved", {"place": "s1", "weights_kg": (1.5, 2)})
        return tx.get(Pallet, "P01")  # type: ignore[no-any-return]

    answers = [await store.run(story, actor="a", cmd_id="c", body=None) for _ in range(2)]
    assert answers[0] == answers[1] == store.get(Pallet, "P01")


async def test_concurrent_stories_stay_in_order_and_form_groups(open_store: OpenStore) -> None:
    store = await open_store()
    groups: list[int] = []
    store.subscribe(lambda events: groups.append(len(events)))
    await asyncio.gather(*(store.run(move(f"P{n % 7}", f"s{n}"), actor="a") for n in range(200)))
    events = store.events()
    assert [e.seq for e in events] == list(range(1, 201))
    assert [e.data["place"] for e in events] == [f"s{n}" for n in range(200)]
    assert sum(groups) == 200
    assert len(groups) < 50, "200 stories asked at once must share commits"


async def test_observer_that_fails_or_ends_does_no_harm(open_store: OpenStore) -> None:
    store = await open_store()
    seen: list[int] = []

    def broken(_events: Any) -> None:
        raise ValueError("slow screen")

    store.subscribe(broken)
    end = store.subscribe(lambda events: seen.extend(e.seq for e in events))
    await store.run(move("P01", "s1"), actor="a")
    end()
    await store.run(move("P01", "s2"), actor="a")
    assert seen == [1]


async def test_two_stores_on_one_database_see_each_other(open_store: OpenStore, url: str) -> None:
    one, two = await open_store(), await open_store()
    told: list[int] = []
    one.subscribe(lambda events: told.extend(e.seq for e in events))
    for n in range(5):
        await one.run(move("P01", f"a{n}"), actor="one")
        await two.run(move("P01", f"b{n}"), actor="two")
    async with asyncio.timeout(20):
        while len(told) < 10:
            await asyncio.sleep(0.05)
    assert told == list(range(1, 11))
    assert one.get(Pallet, "P01") == two.get(Pallet, "P01")
    assert check(url, [PALLET]) == []


async def test_events_can_not_be_changed_in_the_database(open_store: OpenStore) -> None:
    store = await open_store()
    await store.run(move("P01", "s1"), actor="a")
    for statement in ("UPDATE event SET actor = 'x'", "DELETE FROM event"):
        with pytest.raises(DBAPIError, match="never changed"), store.engine.begin() as conn:
            conn.execute(text(statement))


async def test_messages_are_written_with_their_events(open_store: OpenStore) -> None:
    store = await open_store()
    await store.run(move("P01", "s1"), actor="a")
    [message] = Outgoing(store.engine, "demo").unsent()
    assert message.topic == "mes/v1/acme/north/hall/line1/s1/state/place"
    assert (message.retain, message.qos) == (True, 1)
    silent = await open_store(plant="silent", outbox=False)
    await silent.run(move("P01", "s1"), actor="a")
    assert Outgoing(silent.engine, "silent").unsent() == []


async def test_what_is_no_json_is_refused(open_store: OpenStore) -> None:
    store = await open_store()
    for data in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises(StoreError) as refused:
            await store.run(lambda tx, data=data: tx.append(Pallet, "P01", "moved", data), actor="a")  # type: ignore[misc]
        assert refused.value.code == "not_json"
    assert store.events() == []


async def test_inline_store_works_in_memory_without_a_thread() -> None:
    store = store_on("sqlite://", inline=True)
    await store.start()
    seen: list[str] = []
    store.subscribe(lambda events: seen.extend(e.key for e in events))
    await store.run(move("P01", "s1"), actor="a", cmd_id="c", body=1)
    await store.run(move("P01", "s1"), actor="a", cmd_id="c", body=1)
    assert (store.head[0], seen) == (1, ["P01"])
    await store.close()
    with pytest.raises(StoreError, match="not open"):
        await store.run(move("P01", "s1"), actor="a")
    with pytest.raises(StoreError, match="one connection"):
        store_on("sqlite://")
