"""Simulated stations on one OPC UA server: each with an ISA-95 job order receiver, a response provider and its tags."""

import asyncio
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asyncua import Server, ua

from mes.plc.tagmap import Tag
from simulators.plcs import opcua_types
from simulators.plcs.job_orders import SUCCESS, UNABLE, UNKNOWN_ID, JobOrders
from simulators.plcs.program import PlcProgram, Watch

SHOW_S = 0.2
BEAT_S = 0.5
VARIANTS = {
    "bool": ua.VariantType.Boolean,
    "int16": ua.VariantType.Int16,
    "uint16": ua.VariantType.UInt16,
    "int32": ua.VariantType.Int32,
    "uint32": ua.VariantType.UInt32,
    "int64": ua.VariantType.Int64,
    "float32": ua.VariantType.Float,
    "float64": ua.VariantType.Double,
}


class OpcUaServer:
    """One controller with several stations. Freeze, drop and the loss of connections concern all of its links."""

    def __init__(self, endpoint: str, *, free_port: bool) -> None:
        place = urlsplit(endpoint)
        self.host = place.hostname or "127.0.0.1"
        self.port = _free_port(self.host) if free_port else int(place.port or 4840)
        self.endpoint = f"opc.tcp://{self.host}:{self.port}"
        self.stations: list[OpcUaPlc] = []
        self._frozen_until = 0.0

    async def start(self, nodeset: Path) -> None:
        """Builds the address space. Costs seconds of CPU. Raises OSError when the port is taken."""
        _need_port(self.host, self.port)
        opcua_types.repair_server()
        self.server = Server()
        await self.server.init()
        self.server.set_endpoint(self.endpoint)
        self.server.set_server_name("Simulated plant")
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        await self.server.import_xml(str(nodeset))
        await self.server.load_data_type_definitions()
        for station in self.stations:
            await station.build(self.server)
        await self.server.start()

    async def stop(self) -> None:
        self.drop()
        await self.server.stop()

    def drop(self) -> None:
        for client in list(self.server.bserver.clients):
            if client.transport is not None:
                client.transport.abort()

    def freeze(self, until_s: float) -> None:
        self._frozen_until = until_s

    def frozen(self, real_s: float) -> bool:
        """Called at every tick: while frozen no connection is read, new ones included."""
        frozen = real_s < self._frozen_until
        for client in list(self.server.bserver.clients):
            transport = client.transport
            if transport is None or transport.is_closing():
                continue
            if frozen and transport.is_reading():
                transport.pause_reading()
            elif not frozen and not transport.is_reading():
                transport.resume_reading()
        return frozen


class OpcUaPlc:
    """One station. `program` is replaced when its power is cycled."""

    def __init__(self, program: PlcProgram, server: OpcUaServer, link: Any, tags: list[Tag]) -> None:
        self.program, self.link, self.server = program, link, server
        self.orders = JobOrders(program)
        self._tags = {tag.name.partition("/")[2]: tag for tag in tags}
        self._nodes: dict[str, ua.NodeId] = {}
        self._shown: dict[str, Any] = {}
        self._listed = -1
        self._watch = Watch()
        self._beat, self._beat_at, self._shown_at = 0, 0.0, 0.0
        server.stations.append(self)

    @property
    def place(self) -> dict[str, Any]:
        return {"endpoint": self.server.endpoint}

    async def build(self, server: Server) -> None:
        index = await server.register_namespace(self.link.namespace or "urn:precast-mes:simulated-plant")
        isa = await server.get_namespace_index(opcua_types.JOB_CONTROL)
        station = await server.nodes.objects.add_object(
            ua.NodeId(self.program.link, index), f"{index}:{self.program.link}"
        )
        for name, tag in self._tags.items():
            await self._add_tag(station, index, name, tag)
        handshake = self.link.handshake
        receiver = await self._add_object(station, index, isa, handshake.receiver, 1002)
        provider = await self._add_object(
            station, index, isa, handshake.responses or f"s={self.program.link}.Responses", 1003
        )
        self._list = (await receiver.get_child(f"{isa}:JobOrderList")).nodeid
        most = await receiver.get_child(f"{isa}:MaxDownloadableJobOrders")
        await most.write_value(ua.Variant(8, ua.VariantType.UInt16))
        for name in ("Store", "Start", "Pause", "Resume", "Update", "RevokeStart"):
            server.link_method(await receiver.get_child(f"{isa}:{name}"), _not_offered)
        for name, act in (("Stop", "stop"), ("Abort", "abort"), ("Cancel", "cancel"), ("Clear", "clear")):
            server.link_method(await receiver.get_child(f"{isa}:{name}"), self._by_id(act))
        server.link_method(await receiver.get_child(f"{isa}:StoreAndStart"), self._store_and_start)
        server.link_method(await provider.get_child(f"{isa}:RequestJobResponseByJobOrderID"), self._response)
        await self._write_list()

    async def scan(self, real_s: float) -> None:
        self.orders.scan(mes_alive=self._mes_alive(real_s))
        if self._listed != self.orders.version:
            await self._write_list()
        self.program.keep_up(real_s)
        if real_s - self._shown_at >= SHOW_S:
            self._shown_at = real_s
            await self._show(real_s)

    def restart(self, program: PlcProgram) -> None:
        self.program, self.orders, self._watch = program, JobOrders(program), Watch()
        self._listed = -1

    async def _add_tag(self, station: Any, index: int, name: str, tag: Tag) -> None:
        kind = VARIANTS[tag.type]
        value = ua.Variant(0.0 if kind in (ua.VariantType.Float, ua.VariantType.Double) else 0, kind)
        node = await station.add_variable(ua.NodeId(tag.address.partition("s=")[2], index), f"{index}:{name}", value)
        self._nodes[name] = node.nodeid
        if tag.writable:
            await node.set_writable()

    async def _add_object(self, station: Any, index: int, isa: int, address: str, kind: int) -> Any:
        name = address.partition("s=")[2]
        return await station.add_object(
            ua.NodeId(name, index),
            f"{index}:{name.rpartition('.')[2]}",
            objecttype=ua.NodeId(kind, isa),
            instantiate_optional=True,
        )

    async def _store_and_start(self, parent: ua.NodeId, order: ua.Variant, *_: Any) -> list[ua.Variant]:
        status = self.orders.store_and_start(*opcua_types.parameters_of(order.Value))
        await self._write_list()
        return [_status(status)]

    def _by_id(self, act: str) -> Callable[..., Any]:
        async def call(parent: ua.NodeId, job: ua.Variant, *_: Any) -> list[ua.Variant]:
            status = getattr(self.orders, act)(str(job.Value))
            await self._write_list()
            return [_status(status)]

        return call

    async def _response(self, parent: ua.NodeId, job: ua.Variant) -> list[ua.Variant]:
        order = self.orders.response(str(job.Value))
        return [opcua_types.response_value(order), _status(SUCCESS if order else UNKNOWN_ID)]

    async def _write_list(self) -> None:
        self._listed = self.orders.version
        await self._write(self._list, opcua_types.list_value(self.orders.listed()))

    async def _show(self, real_s: float) -> None:
        if real_s - self._beat_at >= BEAT_S:
            self._beat, self._beat_at = self._beat % 65535 + 1, real_s
        gauges = self.program.twin.gauges()
        for name, value in {"heartbeat": self._beat, **self.program.values()}.items():
            tag = self._tags.get(name)
            bad = self.program.bad_quality and name in gauges
            if tag is None or tag.writable or self._shown.get(name) == (value, bad):
                continue
            self._shown[name] = (value, bad)
            raw = (value - tag.offset) / tag.scale
            kind = VARIANTS[tag.type]
            exact = raw if kind in (ua.VariantType.Float, ua.VariantType.Double) else round(raw)
            await self._write(self._nodes[name], ua.Variant(exact, kind), bad=bad)

    async def _write(self, node: ua.NodeId, value: ua.Variant, *, bad: bool = False) -> None:
        now = datetime.now(UTC)
        status = ua.StatusCode(ua.StatusCodes.BadSensorFailure if bad else ua.StatusCodes.Good)
        stamped = ua.DataValue(value, StatusCode=status, SourceTimestamp=now, ServerTimestamp=now)
        await self.server.server.write_attribute_value(node, stamped)

    def _mes_alive(self, real_s: float) -> bool:
        beat = self.link.heartbeat
        if beat is None or beat.out is None or beat.limit_out is None:
            return True
        counter, limit = (self._written(name) for name in (beat.out, beat.limit_out))
        return self._watch.alive(counter, limit, real_s)

    def _written(self, name: str) -> int:
        node = self._nodes[name.partition("/")[2]]
        value = self.server.server.iserver.aspace.read_attribute_value(node, ua.AttributeIds.Value)
        return int(value.Value.Value or 0)


async def _not_offered(parent: ua.NodeId, *_: Any) -> list[ua.Variant]:
    await asyncio.sleep(0)
    return [_status(UNABLE)]


def _status(number: int) -> ua.Variant:
    return ua.Variant(number, ua.VariantType.UInt64)


def _need_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OSError(f"{host}:{port} is taken") from error


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
