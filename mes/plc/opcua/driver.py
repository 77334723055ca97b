"""OPC UA driver: one batch read, one subscription per group in iterator mode, typed writes, word blocks, job door."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from asyncua import Client, ua

from mes.core.clock import Clock
from mes.core.errors import LinkDown, PlcError, TagReadFailed
from mes.plc.driver import JobDoor, OnReadings
from mes.plc.handshake.config import WordArea
from mes.plc.opcua.client import open_client, resolve, status_name, translated
from mes.plc.opcua.job_door import OpcUaJobDoor
from mes.plc.tagmap import OpcUaLink, Tag
from mes.plc.tags import Reading
from mes.plc.values import bad, reading, source_checked, to_raw

_TYPES = {
    "bool": ua.VariantType.Boolean,
    "int8": ua.VariantType.SByte,
    "uint8": ua.VariantType.Byte,
    "float32": ua.VariantType.Float,
    "float64": ua.VariantType.Double,
    "bytes": ua.VariantType.ByteString,
    "datetime": ua.VariantType.DateTime,
    **{f"int{size}": ua.VariantType[f"Int{size}"] for size in (16, 32, 64)},
    **{f"uint{size}": ua.VariantType[f"UInt{size}"] for size in (16, 32, 64)},
}


class OpcUaDriver:
    """One session. Values carry the PLC's source time; a bad status becomes a bad reading, not an exception."""

    def __init__(self, link: OpcUaLink, folder: Path, clock: Clock) -> None:
        self.lost = asyncio.Event()
        self.lost_reason = ""
        self.last_heard = 0.0
        self.dropped = 0
        self._link, self._folder, self._clock = link, folder, clock
        self._client: Client | None = None
        self._namespaces: list[str] = []
        self._nodes: dict[str, ua.NodeId] = {}
        self._types: dict[ua.NodeId, ua.VariantType] = {}
        self._doors: dict[str, OpcUaJobDoor] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._writing = asyncio.Lock()

    async def connect(self) -> None:
        error: PlcError | None = None
        for endpoint in (self._link.endpoint, *self._link.alternatives):
            try:
                self._client = await open_client(self._link, endpoint, self._folder)
                break
            except PlcError as failed:
                error = failed
        if self._client is None:
            raise error or LinkDown("no endpoint")
        self._client.connection_lost_callback = self._on_lost
        with translated("read namespaces"):
            self._namespaces = await self._client.get_namespace_array()
        self._heard()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.disconnect()

    async def read(self, tags: Sequence[Tag]) -> dict[str, Reading]:
        found: dict[str, Reading] = {}
        known: list[tuple[Tag, ua.NodeId]] = []
        for tag in tags:
            try:
                known.append((tag, await self._node(tag.address)))
            except TagReadFailed as error:
                reason = error.code if error.code.startswith("status:") else "status:BadNodeIdInvalid"
                found[tag.name] = bad(tag, reason, received=self._clock.now(), mono=self._now())
        size = self._link.max_items_per_call
        for start in range(0, len(known), size):
            part = known[start : start + size]
            with translated("read"):
                values = await self._need().uaclient.read_attributes([n for _, n in part], ua.AttributeIds.Value)
            self._heard()
            found.update({tag.name: self._reading(tag, value) for (tag, _), value in zip(part, values, strict=True)})
        return found

    async def write(self, tag: Tag, value: Any) -> None:
        raw = to_raw(tag, value)
        node = await self._node(tag.address)
        async with self._writing:
            with translated(f"write {tag.name}"):
                kind = await self._type(node, tag)
                variant = ua.Variant(_fitting(raw, kind), kind, is_array=isinstance(raw, list | tuple))
                await self._write(node, variant)

    async def subscribe(self, tags: Sequence[Tag], on_readings: OnReadings) -> None:
        groups: dict[str, list[Tag]] = {}
        for tag in tags:
            groups.setdefault(tag.group, []).append(tag)
        for members in groups.values():
            await self._subscribe_group(members, on_readings)
        self._tasks.append(asyncio.create_task(self._full_reads(tags, on_readings)))

    async def probe(self) -> None:
        with translated("probe"):
            await self._need().uaclient.read_attributes([ua.NodeId(2259)], ua.AttributeIds.Value)
        self._heard()

    async def read_words(self, area: WordArea, count: int) -> list[int]:
        node = await self._node(area.node or "")
        with translated(f"read {area.node}"):
            value = (await self._need().uaclient.read_attributes([node], ua.AttributeIds.Value))[0]
            if value.StatusCode is not None:
                value.StatusCode.check()
            words = [int(word) for word in value.Value.Value]
        self._heard()
        if len(words) < count:
            raise TagReadFailed(f"{area.node} has {len(words)} words, wanted {count}.")
        return words[:count]

    async def write_words(self, area: WordArea, words: Sequence[int], *, offset: int = 0) -> None:
        node = await self._node(area.node or "")
        async with self._writing:
            with translated(f"write {area.node}"):
                value = ua.WriteValue()
                value.NodeId, value.AttributeId = node, ua.AttributeIds.Value
                value.Value = ua.DataValue(ua.Variant(list(words), ua.VariantType.UInt16, is_array=True))
                if offset:
                    value.IndexRange = f"{offset}:{offset + len(words) - 1}"
                results = await self._need().uaclient.write(ua.WriteParameters([value]))
                results[0].check()
                self._heard()

    async def job_door(self, receiver: str, responses: str | None) -> JobDoor:
        door = self._doors.get(receiver)
        if door is None:
            node = await self._node(receiver)
            provider = await self._node(responses) if responses else node
            with translated(f"open the job receiver {receiver}"):
                door = await OpcUaJobDoor.open(self._need(), node, provider, self._heard)
            self._tasks.append(door.task)
            self._doors[receiver] = door
        return door

    async def _subscribe_group(self, tags: list[Tag], on_readings: OnReadings) -> None:
        client, first = self._need(), tags[0]
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=first.publishing_ms,
            RequestedMaxKeepAliveCount=first.keep_alive_count,
            RequestedLifetimeCount=first.lifetime_count,
            PublishingEnabled=True,
        )
        known = {self._nodes[tag.address]: tag for tag in tags if tag.address in self._nodes}
        if not known:
            return
        nodes = [client.get_node(node) for node in known]
        with translated("subscribe"):
            subscription = await client.create_subscription(
                parameters, queue_maxsize=max(100, 2 * len(nodes) * first.queue)
            )
            self._tasks.append(asyncio.create_task(self._consume(subscription, known, on_readings)))
            for start in range(0, len(nodes), self._link.max_items_per_call):
                part = nodes[start : start + self._link.max_items_per_call]
                await subscription.subscribe_data_change(
                    part, queuesize=first.queue, sampling_interval=first.sampling_ms
                )

    async def _consume(self, subscription: Any, tags: Mapping[ua.NodeId, Tag], on_readings: OnReadings) -> None:
        """Drains notifications; all that are queued go on as one batch."""
        loop, batch = asyncio.get_running_loop(), dict[str, Reading]()

        def flush() -> None:
            if batch:
                ready = dict(batch)
                batch.clear()
                on_readings(ready)

        async with subscription:
            async for event in subscription:
                item = getattr(event, "data", None)
                if item is None:
                    continue
                tag = tags.get(event.node.nodeid)
                if tag is None:
                    continue
                self._heard()
                if tag.name in batch:
                    flush()
                if not batch:
                    loop.call_soon(flush)
                batch[tag.name] = self._reading(tag, item.monitored_item.Value)

    async def _full_reads(self, tags: Sequence[Tag], on_readings: OnReadings) -> None:
        """Reconciles everything now and then: what a subscription lost, and nodes that were missing."""
        while True:
            await asyncio.sleep(self._link.full_read_s)
            with suppress(PlcError):
                on_readings(await self.read(tags))

    async def _node(self, address: str) -> ua.NodeId:
        node = self._nodes.get(address)
        if node is None:
            with translated(f"find {address}"):
                node = await resolve(self._need(), self._namespaces, self._link, address)
            self._nodes[address] = node
        return node

    async def _type(self, node: ua.NodeId, tag: Tag) -> ua.VariantType:
        """The type the server wants: it refuses an Int32 for an Int16."""
        kind = self._types.get(node)
        if kind is None:
            found = (await self._need().uaclient.read_attributes([node], ua.AttributeIds.DataType))[0]
            type_id = found.Value.Value if found.Value is not None else None
            basic = isinstance(type_id, ua.NodeId) and type_id.NamespaceIndex == 0
            number = int(type_id.Identifier) if basic and type_id is not None else 0
            kind = ua.VariantType(number) if 1 <= number <= 15 else _TYPES.get(tag.type, ua.VariantType.String)
            self._types[node] = kind
        return kind

    async def _write(self, node: ua.NodeId, variant: ua.Variant) -> None:
        results = await self._need().uaclient.write_attributes([node], [ua.DataValue(variant)], ua.AttributeIds.Value)
        results[0].check()
        self._heard()

    def _reading(self, tag: Tag, value: ua.DataValue) -> Reading:
        now, mono = self._clock.now(), self._now()
        status = value.StatusCode if value.StatusCode is not None else ua.StatusCode(0)
        if status.is_bad():
            return bad(tag, f"status:{status_name(status.value)}", received=now, mono=mono)
        raw = value.Value.Value if value.Value is not None else None
        found = reading(tag, raw, source=value.SourceTimestamp, received=now, mono=mono)
        return source_checked(found, self._link.clock_difference_limit_s, now)

    def _need(self) -> Client:
        if self._client is None or self.lost.is_set():
            raise LinkDown(self.lost_reason or "not connected")
        return self._client

    async def _on_lost(self, error: Exception) -> None:
        self.lost_reason = f"connection lost: {error or type(error).__name__}"
        self.lost.set()

    def _heard(self) -> None:
        self.last_heard = self._now()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _fitting(raw: Any, kind: ua.VariantType) -> Any:
    if isinstance(raw, list | tuple):
        return [_fitting(item, kind) for item in raw]
    if kind is ua.VariantType.String:
        return str(raw)
    if kind in (ua.VariantType.Float, ua.VariantType.Double):
        return float(raw)
    return raw if kind in (ua.VariantType.ByteString, ua.VariantType.DateTime, ua.VariantType.Boolean) else int(raw)
