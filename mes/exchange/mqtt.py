"""The door to an MQTT broker: publishes with acknowledgement, says that the plant is online, comes back by itself.

The library's network thread reconnects; what was published but not acknowledged is sent again by it. Delivery is judged
by the acknowledgement only. MQTT 5 unless the URL says `?protocol=3.1.1`; nothing essential rests on version 5.
"""

import asyncio
import json
import logging
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from mes.core.clock import Clock
from mes.core.errors import ConfigError, Fault, LinkDown
from mes.core.ids import IdSource
from mes.exchange.outbox import MessageRefused

log = logging.getLogger(__name__)

KEEPALIVE_S = 15
QUOTA_EXCEEDED = 0x97
PORTS = {"mqtt": 1883, "mqtts": 8883}


class MqttPublisher:
    """The Publisher on a broker at `mqtt[s]://[user:password@]host[:port]`.

    `online_topic` carries a retained true while this program is connected; the broker's will makes it false.
    """

    def __init__(self, url: str, *, client_id: str, online_topic: str, src: str, clock: Clock, ids: IdSource) -> None:
        """Raises ConfigError for a URL that is none."""
        self._parts, self._version = _parse(url)
        self._topic, self._src, self._clock, self._ids = online_topic, src, clock, ids
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._max_packet: int | None = None
        self.connected = False
        self.reason = "not started"
        self._client = self._make_client(client_id)

    async def start(self) -> None:
        """Begins to connect; returns at once whether or not the broker answers."""
        self._loop = asyncio.get_running_loop()
        host, port = self._parts.hostname or "", self._parts.port or PORTS[self._parts.scheme]
        if self._version == MQTTProtocolVersion.MQTTv5:
            self._client.connect_async(host, port, KEEPALIVE_S, clean_start=True)
        else:
            self._client.connect_async(host, port, KEEPALIVE_S)
        self._client.loop_start()

    async def close(self) -> None:
        """Says that the plant is offline and leaves; what is not acknowledged stays in the outbox."""
        if self.connected:
            self._client.publish(self._topic, self._online(False), qos=1, retain=True).wait_for_publish(1.0)
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    async def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> None:
        """Returns at the acknowledgement, however long the broker is away. Raises MessageRefused when it never takes it."""
        if self._max_packet is not None and len(payload) + len(topic) + 32 > self._max_packet:
            raise MessageRefused(f"{len(payload)} bytes are more than the broker takes ({self._max_packet}).")
        try:
            info = self._client.publish(topic, payload, qos=qos, retain=retain)
        except ValueError as error:
            raise MessageRefused(f"This is no message: {error}") from error
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise LinkDown(f"The message was not taken: {paho.error_string(info.rc)}")
        future = asyncio.get_running_loop().create_future()
        self._waiting[info.mid] = future
        try:
            await future
        finally:
            self._waiting.pop(info.mid, None)

    def _make_client(self, client_id: str) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=self._version)
        if self._parts.username:
            client.username_pw_set(unquote(self._parts.username), unquote(self._parts.password or ""))
        if self._parts.scheme == "mqtts":
            client.tls_set()
        client.max_inflight_messages_set(20)
        client.reconnect_delay_set(1, 10)
        client.will_set(self._topic, self._online(False), qos=1, retain=True)
        client.on_connect, client.on_disconnect, client.on_publish = self._connected, self._lost, self._acked
        client.on_connect_fail = self._unreachable
        return client

    def _online(self, value: bool) -> bytes:
        message = {"ts": int(self._clock.now().timestamp() * 1000), "v": value, "q": "good", "unit": "", "seq": 0}
        return json.dumps({**message, "src": self._src, "id": self._ids.uuid(), "schema": "mes/v1/state"}).encode()

    # The callbacks below run in the library's network thread, which an exception would end.

    def _connected(
        self, client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._down(f"the broker refused: {code}")
            return
        self._max_packet = getattr(properties, "MaximumPacketSize", None)
        self.connected, self.reason = True, ""
        log.info("mqtt: connected to %s", self._parts.hostname)
        client.publish(self._topic, self._online(True), qos=1, retain=True)

    def _lost(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._down(f"the connection ended: {code}")

    def _unreachable(self, _client: paho.Client, _data: Any) -> None:
        self._down("the broker does not answer")

    def _down(self, reason: str) -> None:
        level = logging.WARNING if self.connected or self.reason == "not started" else logging.DEBUG
        log.log(level, "mqtt: %s: %s", self._parts.hostname, reason)
        self.connected, self.reason = False, reason

    def _acked(self, _client: paho.Client, _data: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, mid, code)

    def _settle(self, mid: int, code: ReasonCode) -> None:
        future = self._waiting.get(mid)
        if future is None or future.done():
            return
        if not code.is_failure:
            future.set_result(None)
        elif code.value == QUOTA_EXCEEDED:
            future.set_exception(LinkDown(f"The broker is full: {code}"))
        else:
            future.set_exception(MessageRefused(f"The broker refused: {code}"))


def _parse(url: str) -> tuple[Any, MQTTProtocolVersion]:
    parts = urlsplit(url)
    protocol = parse_qs(parts.query).get("protocol", ["5"])[0]
    versions = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
    if parts.scheme not in PORTS or not parts.hostname or protocol not in versions:
        message = f"{parts.scheme}://{parts.hostname or ''} is no mqtt://host or mqtts://host with protocol 5 or 3.1.1"
        raise ConfigError([Fault("environment", 0, "MES_MQTT_URL", "url", message)])
    return parts, versions[protocol]
