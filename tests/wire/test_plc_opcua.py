"""OPC UA over real sockets against asyncua's server: values, types, losses, and Job Control v2 with the real companion model."""

import asyncio
import random
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asyncua import Server, ua

import mes.plc
from mes.core.clock import system_clock
from mes.plc.drivers import make_handshake, make_link
from mes.plc.handshake.command import JobRequest, MemoryCommands
from mes.plc.tagmap import load_tagmap
from mes.plc.tags import TagTable
from tests.wire.relay import Relay

NODESET = Path(mes.plc.__file__).parent / "_nodesets" / "opc.ua.isa95-jobcontrol.nodeset2.xml"
URI = "urn:test:machine"
MAP = """
links:
  m:
    protocol: opcua
    endpoint: opc.tcp://127.0.0.1:PORT
    namespace: urn:test:machine
    heartbeat: {in: m/beat, out: m/mes, limit_s: 5}
    HANDSHAKE
groups:
  fast: {link: m, publishing_ms: 100, sampling_ms: 50, queue: 20}
tags:
  m/beat: {group: fast, address: "s=Beat", type: uint16}
  m/mes: {group: fast, address: "s=Mes", type: int32, access: rw}
  m/temp: {group: fast, address: "nsu=urn:test:machine;s=Temp", type: float64, access: rw, limits: {min: 0, max: 100}}
  m/count: {group: fast, address: "/Machine/Count", type: int16, access: rw, limits: {min: 0, max: 100}}
  m/gone: {group: fast, address: "s=Gone", type: int16}
"""


class Machine:
    """An OPC UA server with a machine, on one port that it keeps over restarts."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.started, self.orders, self.jobs_list = [], {}, None

    async def start(self, *, jobs: bool = False) -> None:
        self.server = Server()
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}")
        index = await self.server.register_namespace(URI)
        machine = await self.server.nodes.objects.add_object(ua.NodeId("Machine", index), f"{index}:Machine")
        self.nodes = {}
        kinds = {
            "Beat": ua.VariantType.UInt16,
            "Mes": ua.VariantType.UInt16,
            "Temp": ua.VariantType.Float,
            "Count": ua.VariantType.Int16,
        }
        for name, kind in kinds.items():
            node = await machine.add_variable(ua.NodeId(name, index), f"{index}:{name}", ua.Variant(0, kind))
            await node.set_writable()
            self.nodes[name] = node
        if jobs:
            await self.serve_jobs(index, machine)
        await self.server.start()
        self.task = asyncio.create_task(self.beat())

    async def stop(self) -> None:
        self.task.cancel()
        await self.server.stop()

    async def set(self, name, value, kind):
        stamp = datetime.now(UTC)
        await self.server.write_attribute_value(
            self.nodes[name].nodeid, ua.DataValue(ua.Variant(value, kind), SourceTimestamp=stamp, ServerTimestamp=stamp)
        )

    async def beat(self) -> None:
        count = 0
        while True:
            count += 1
            await self.set("Beat", count, ua.VariantType.UInt16)
            await asyncio.sleep(0.2)

    async def serve_jobs(self, index, machine) -> None:
        await self.server.import_xml(str(NODESET))
        await self.server.load_data_type_definitions()
        jc = await self.server.get_namespace_index("http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/")
        receiver = await machine.add_object(
            ua.NodeId("Jobs", index), f"{index}:Jobs", objecttype=ua.NodeId(1002, jc), instantiate_optional=True
        )
        provider = await machine.add_object(
            ua.NodeId("Results", index), f"{index}:Results", objecttype=ua.NodeId(1003, jc), instantiate_optional=True
        )
        for node in await receiver.get_children():
            name = (await node.read_browse_name()).Name
            if name == "JobOrderList":
                self.jobs_list = node
            method = {"StoreAndStart": self.store, "Clear": self.clear}.get(name)
            if method:
                self.server.link_method(node, method)
        for node in await provider.get_children():
            if (await node.read_browse_name()).Name == "RequestJobResponseByJobOrderID":
                self.server.link_method(node, self.response)
        await self.show()

    async def store(self, parent, order, comment):
        job = order.Value
        if job.JobOrderID in self.started:
            return [ua.Variant(8, ua.VariantType.UInt64)]
        self.started.append(job.JobOrderID)
        self.orders[job.JobOrderID] = [job, 2]
        self.task_job = asyncio.create_task(self.work(job.JobOrderID))
        await self.show()
        return [ua.Variant(1, ua.VariantType.UInt64)]

    async def work(self, job) -> None:
        for state, pause in ((3, 0.5), (5, 0)):
            self.orders[job][1] = state
            await self.show()
            await asyncio.sleep(pause)

    async def clear(self, parent, job, comment):
        found = self.orders.pop(job.Value, None)
        await self.show()
        return [ua.Variant(1 if found else 2, ua.VariantType.UInt64)]

    async def response(self, parent, job):
        found = self.orders.get(job.Value)
        report = ua.ISA95JobResponseDataType()
        if found is None:
            return [ua.Variant(report, ua.VariantType.ExtensionObject), ua.Variant(2, ua.VariantType.UInt64)]
        report.JobOrderID, report.JobState = job.Value, [state(found[1])]
        parameter = ua.ISA95ParameterDataType()
        parameter.ID, parameter.Value = "poured_l", ua.Variant(420, ua.VariantType.Int64)
        report.JobResponseData = [parameter]
        return [ua.Variant(report, ua.VariantType.ExtensionObject), ua.Variant(1, ua.VariantType.UInt64)]

    async def show(self) -> None:
        entries = []
        for job, number in self.orders.values():
            entry = ua.ISA95JobOrderAndStateDataType()
            entry.JobOrder, entry.State = job, [state(number)]
            entries.append(entry)
        value = ua.Variant(entries, ua.VariantType.ExtensionObject, is_array=True)
        await self.server.write_attribute_value(self.jobs_list.nodeid, ua.DataValue(value))


def state(number):
    found = ua.ISA95StateDataType()
    found.StateNumber, found.StateText = number, ua.LocalizedText("x")
    return found


@asynccontextmanager
async def bench(tmp_path, *, jobs=False):
    machine = Machine()
    await machine.start(jobs=jobs)
    relay = Relay(machine.port)
    await relay.open()
    handshake = 'handshake: {kind: job_control, receiver: "s=Jobs", responses: "s=Results"}' if jobs else ""
    (tmp_path / "tags.yaml").write_text(MAP.replace("PORT", str(relay.port)).replace("HANDSHAKE", handshake))
    tagmap = load_tagmap(tmp_path)
    table = TagTable(asyncio.get_running_loop().time)
    link = make_link(tagmap, "m", table, clock=system_clock(), rng=random.Random(1))
    task = asyncio.create_task(link.run())
    try:
        yield machine, relay, link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await relay.cut()
        await machine.stop()


async def until(condition, seconds=20):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_values_types_and_a_missing_node(tmp_path):
    async with bench(tmp_path) as (machine, _, link):
        await asyncio.wait_for(link.online(), 20)
        await machine.set("Temp", 21.5, ua.VariantType.Float)
        await until(lambda: link.readings.value("m/temp") == 21.5)
        assert link.readings.get("m/temp").source_time.tzinfo is not None
        assert link.readings.get("m/gone").reason == "status:BadNodeIdUnknown"
        await link.write("m/temp", 33)
        await link.write("m/count", 5)
        assert await machine.nodes["Count"].read_value() == 5
        await until(lambda: link.readings.value("m/temp") == 33 and link.readings.value("m/count") == 5)
        await until(lambda: (link.readings.value("m/mes") or 0) > 0)


@pytest.mark.parametrize("how", ["cut", "freeze", "restart"])
async def test_recovers_after_a_loss(tmp_path, how):
    async with bench(tmp_path) as (machine, relay, link):
        await asyncio.wait_for(link.online(), 20)
        if how == "cut":
            await relay.cut()
        elif how == "freeze":
            relay.frozen = True
        else:
            await machine.stop()
        await until(lambda: link.readings.get("m/temp").quality == "bad", 10)
        await asyncio.sleep(0.5)
        if how == "cut":
            await relay.open()
        elif how == "freeze":
            relay.frozen = False
        else:
            await machine.start()
        await until(lambda: link.state == "online" and link.readings.get("m/temp").good, 30)
        await machine.set("Temp", 44, ua.VariantType.Float)
        await until(lambda: link.readings.value("m/temp") == 44)


@pytest.mark.skipif(not NODESET.exists(), reason=f"the ISA-95 nodeset is missing: {NODESET} (made by the web build)")
async def test_job_control_with_the_real_model_through_a_cut(tmp_path):
    async with bench(tmp_path, jobs=True) as (machine, relay, link):
        commands, loop = MemoryCommands(), asyncio.get_running_loop()
        handshake = make_handshake(link, commands)
        took = []
        for job in (2**62 + 1, 2, 3):
            started = loop.time()
            request = JobRequest(job, parameters={"volume_l": 420, "mix": "C30"}, payload=b"{}", pallet="P07")
            run = asyncio.create_task(handshake.run(request))
            if job == 3:
                await until(lambda: "3" in machine.started)
                await relay.cut()
                await asyncio.sleep(0.7)
                await relay.open()
            outcome = await asyncio.wait_for(run, 40)
            assert (outcome.state, outcome.data["poured_l"]) == ("done", 420)
            took.append(loop.time() - started)
        assert machine.started == [str(2**62 + 1), "2", "3"]
        assert machine.orders == {}
        print("seconds a job of 0.5 s took:", [round(s, 2) for s in took])
