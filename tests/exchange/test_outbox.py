"""Messages reach a real broker in order, wait while it is away, and a poisoned one stands aside."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from mes.core.clock import system_clock
from mes.core.errors import ConfigError
from mes.core.ids import SystemIds
from mes.core.ports import Publisher
from mes.exchange.mqtt import MqttPublisher
from mes.exchange.outbox import MemoryPublisher, MessageRefused, OutboxLoop
from mes.store.log import Outgoing, SqlStore
from tests.services import Mosquitto
from tests.store.conftest import move, store_on

_PUBLISHERS: tuple[type[Publisher], ...] = (MqttPublisher, MemoryPublisher)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = store_on(f"sqlite:///{tmp_path}/mes.db")
    await store.start()
    yield store
    await store.close()
    store.engine.dispose()


@contextlib.asynccontextmanager
async def running(store: SqlStore, publisher: Publisher) -> AsyncIterator[Outgoing]:
    outgoing = Outgoing(store.engine, "demo")
    loop = OutboxLoop(outgoing, publisher, system_clock())
    end = store.subscribe(loop.wake)
    task = asyncio.create_task(loop.run())
    yield outgoing
    end()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(condition: Any, seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


class Listener:
    """Another client of the broker: keeps all it hears."""

    def __init__(self, port: int, pattern: str) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_rest: client.subscribe(pattern, qos=1)
        self._client.on_message = lambda _c, _d, message: self.heard.append(
            (message.topic, json.loads(message.payload))
        )
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def values(self, name: str) -> list[Any]:
        """What was heard under a name, repeats dropped by their id."""
        unique = {payload["id"]: payload["v"] for topic, payload in self.heard if topic.endswith(name)}
        return list(unique.values())

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def publisher(url: str, prefix: str) -> MqttPublisher:
    topic = f"{prefix}/v1/acme/north/-/-/-/state/online"
    ids = SystemIds()
    return MqttPublisher(
        url, client_id=f"mes-{ids.uuid()}", online_topic=topic, src="demo", clock=system_clock(), ids=ids
    )


@pytest.mark.service
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_messages_and_online_flag_reach_the_broker(mqtt_url: str, tmp_path: Path, protocol: str) -> None:
    prefix = f"t-{SystemIds().uuid()}"
    store = store_on(f"sqlite:///{tmp_path}/mes.db", publish_prefix=prefix)
    await store.start()
    host, port = mqtt_url.removeprefix("mqtt://").split(":")
    assert host == "127.0.0.1"
    listener = Listener(int(port), f"{prefix}/#")
    client = publisher(f"{mqtt_url}?protocol={protocol}", prefix)
    await client.start()
    async with running(store, client) as outgoing:
        for n in range(30):
            await store.run(move("P01", f"s{n}"), actor="a")
        await until(lambda: not outgoing.unsent())
        await until(lambda: len(listener.values("state/place")) == 30)
    await client.close()
    await until(lambda: listener.values("online")[-1:] == [False])
    assert listener.values("online") in ([True, False], [False])
    assert listener.values("state/place") == [f"s{n}" for n in range(30)]
    topic, payload = next(one for one in listener.heard if one[0].endswith("place"))
    assert topic == f"{prefix}/v1/acme/north/hall/line1/{payload['v']}/state/place"
    assert set(payload) == {"ts", "v", "q", "unit", "seq", "src", "id", "schema"}
    listener.close()
    await store.close()
    store.engine.dispose()


@pytest.mark.service
async def test_broker_that_is_away_costs_only_delay(store: SqlStore, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    client = publisher(broker.url, "mes")
    await client.start()
    async with running(store, client) as outgoing:
        await store.run(move("P01", "before"), actor="a")
        await until(lambda: client.reason != "not started")
        broker.start()
        listener = Listener(broker.port, "mes/#")
        await until(lambda: not outgoing.unsent())
        broker.stop()
        await until(lambda: not client.connected)
        for n in range(20):
            await store.run(move("P01", f"away{n}"), actor="a")
        assert len(outgoing.unsent()) == 20
        broker.start()
        await until(lambda: not outgoing.unsent())
        late = Listener(broker.port, "mes/#")
        await until(lambda: len(late.values("state/place")) == 20)
        await until(lambda: late.values("online") == [True])
        late.close()
    await client.close()
    listener.close()
    broker.stop()


class Picky(MemoryPublisher):
    """Refuses one value for ever, and everything for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False

    async def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> None:
        if self.away:
            raise ConnectionError("away")
        if b'"poison"' in payload:
            raise MessageRefused("not authorised")
        await super().publish(topic, payload, retain=retain, qos=qos)


async def test_poisoned_message_stands_aside_with_its_reason(store: SqlStore) -> None:
    picky = Picky()
    async with running(store, picky) as outgoing:
        for place in ("one", "poison", "two"):
            await store.run(move("P01", place), actor="a")
        await until(lambda: not outgoing.unsent())
    assert [json.loads(payload)["v"] for _, payload, _, _ in picky.sent] == ["one", "two"]
    with store.engine.connect() as conn:
        rows = conn.exec_driver_sql("SELECT refused FROM outbox WHERE sent_at IS NULL").all()
    assert rows == [("not authorised",)]


async def test_loop_outlives_a_failing_publisher(store: SqlStore) -> None:
    picky = Picky()
    picky.away = True
    async with running(store, picky) as outgoing:
        await store.run(move("P01", "one"), actor="a")
        await asyncio.sleep(0.1)
        assert len(outgoing.unsent()) == 1
        picky.away = False
        await until(lambda: not outgoing.unsent())
    assert len(picky.sent) == 1


def test_a_url_that_is_none_is_refused() -> None:
    for url in ("http://broker", "mqtt://", "mqtt://broker?protocol=4"):
        with pytest.raises(ConfigError):
            publisher(url, "mes")


async def test_a_topic_no_broker_takes_is_refused_at_once() -> None:
    with pytest.raises(MessageRefused):
        await publisher("mqtt://127.0.0.1:9", "mes").publish("a/#", b"", retain=False, qos=1)
