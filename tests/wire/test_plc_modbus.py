"""Modbus over real sockets: values in every order, refused addresses, recovery, and the mailbox through wire faults."""

import asyncio
import random
import socket
import struct
from contextlib import asynccontextmanager

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from mes.core.clock import system_clock
from mes.core.errors import TagWriteRefused
from mes.plc.commissioning import check_links, plan, watch
from mes.plc.drivers import make_handshake, make_link
from mes.plc.handshake.command import JobRequest, MemoryCommands
from mes.plc.tagmap import load_tagmap
from mes.plc.tags import TagTable
from tests.plc.mailbox_plc import ANSWER, COMMAND, MailboxPlc
from tests.wire.relay import Relay

MAP = """
links:
  c:
    protocol: modbus
    host: 127.0.0.1
    port: PORT
    unit: 1
    merge_hole: 4
    forbidden: [{table: holding, from: 30, to: 35}]
    heartbeat: {in: c/beat, out: c/mes, limit_s: 5}
    handshake:
      kind: mailbox
      command: {table: holding, address: 100}
      answer: {table: input, address: 200}
      parameters: {volume_l: {word: 4, type: uint16}}
      payload: {table: holding, address: 1000, words: 400}
groups:
  fast: {link: c, scan_ms: 200}
tags:
  c/beat: {group: fast, table: input, address: 0, type: uint16}
  c/mes: {group: fast, table: holding, address: 0, type: uint16, access: rw}
  c/abcd: {group: fast, table: holding, address: 10, type: float32, access: rw, limits: {min: -1000, max: 1000}}
  c/cdab: {group: fast, table: holding, address: 12, type: float32, order: CDAB, access: rw, limits: {min: -1000, max: 1000}}
  c/badc: {group: fast, table: holding, address: 14, type: float32, order: BADC, access: rw, limits: {min: -1000, max: 1000}}
  c/dcba: {group: fast, table: holding, address: 16, type: float32, order: DCBA, access: rw, limits: {min: -1000, max: 1000}}
  c/temp: {group: fast, table: holding, address: 18, type: int16, scale: 0.1, raw_invalid: [0x8000], access: rw, limits: {min: -50, max: 120}}
  c/name: {group: fast, table: holding, address: 20, type: string(8), access: rw}
  c/after: {group: fast, table: holding, address: 36, type: uint16}
  c/missing: {group: fast, table: holding, address: 42, type: uint16}
"""


class Plc:
    """A served Modbus device running the mailbox program."""

    def __init__(self) -> None:
        self.box, self.port = MailboxPlc(), 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.task = self.server = None

    async def start(self) -> None:
        holding = [
            SimData(0, count=30, values=0, datatype=DataType.REGISTERS),
            SimData(36, count=4, values=7, datatype=DataType.REGISTERS),
            SimData(COMMAND, count=24, values=0, datatype=DataType.REGISTERS),
            SimData(1000, count=400, values=0, datatype=DataType.REGISTERS),
        ]
        inputs = [
            SimData(0, count=1, datatype=DataType.REGISTERS),
            SimData(ANSWER, count=24, datatype=DataType.REGISTERS),
        ]
        bits = [SimData(0, count=1, values=[False] * 16, datatype=DataType.BITS)]
        device = SimDevice(1, simdata=(bits, bits, holding, inputs))
        self.server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await self.server.serve_forever(background=True)
        self.task = asyncio.create_task(self.scan())

    async def stop(self) -> None:
        self.task.cancel()
        await self.server.shutdown()

    async def scan(self) -> None:
        while True:
            block = await self.server.async_getValues(1, 3, COMMAND, 24)
            answer = self.box.scan(list(block))
            await self.server.async_setValues(1, 4, ANSWER, answer)
            await self.server.async_setValues(1, 4, 0, [self.box.beat])
            await asyncio.sleep(0.02)


@asynccontextmanager
async def bench(tmp_path):
    plc = Plc()
    await plc.start()
    relay = Relay(plc.port)
    await relay.open()
    (tmp_path / "tags.yaml").write_text(MAP.replace("PORT", str(relay.port)))
    tagmap = load_tagmap(tmp_path)
    table = TagTable(asyncio.get_running_loop().time)
    link = make_link(tagmap, "c", table, clock=system_clock(), rng=random.Random(1))
    task = asyncio.create_task(link.run())
    try:
        yield plc, relay, link, tagmap
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await relay.cut()
        await plc.stop()


async def until(condition, seconds=15):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_values_in_all_orders_and_a_missing_register(tmp_path):
    async with bench(tmp_path) as (plc, _, link, tagmap):
        await asyncio.wait_for(link.online(), 10)
        for name in ("abcd", "cdab", "badc", "dcba"):
            await link.write(f"c/{name}", 12.5)
        high, low = struct.unpack(">2H", struct.pack(">f", 12.5))
        swap = lambda w: (w & 255) << 8 | w >> 8  # noqa: E731
        words = list(await plc.server.async_getValues(1, 3, 10, 8))
        assert words == [high, low, low, high, swap(high), swap(low), swap(low), swap(high)]
        await link.write("c/name", "P07")
        await link.write("c/temp", -12.3)
        await until(lambda: link.readings.value("c/temp") == -12.3)
        assert [link.readings.value(f"c/{n}") for n in ("abcd", "cdab", "badc", "dcba")] == [12.5] * 4
        await until(lambda: link.readings.value("c/name") == "P07")
        assert link.readings.value("c/after") == 7
        assert link.readings.get("c/missing").reason == "exception:address"
        await plc.server.async_setValues(1, 3, 18, [0x8000])
        await until(lambda: link.readings.get("c/temp").reason == "raw_invalid")
        with pytest.raises(TagWriteRefused):
            await link.write("c/abcd", 2000)
        shown = plan(tagmap, "c")
        assert shown["requests"] == len(shown["blocks"]) >= 3
        assert not any(
            b["table"] == "holding" and b["start"] <= 35 and b["start"] + b["count"] > 30 for b in shown["blocks"]
        )


@pytest.mark.parametrize("how", ["cut", "freeze", "restart"])
async def test_recovers_after_a_loss(tmp_path, how):
    async with bench(tmp_path) as (plc, relay, link, _):
        await asyncio.wait_for(link.online(), 10)
        if how == "cut":
            await relay.cut()
        elif how == "freeze":
            relay.frozen = True
        else:
            await plc.stop()
        await until(lambda: link.readings.get("c/after").quality == "bad", 10)
        await asyncio.sleep(0.5)
        if how == "cut":
            await relay.open()
        elif how == "freeze":
            relay.frozen = False
        else:
            await plc.start()
        await until(lambda: link.state == "online" and link.readings.get("c/after").good, 15)


async def test_mailbox_jobs_through_cuts_and_power_cycles(tmp_path):
    async with bench(tmp_path) as (plc, relay, link, _):
        commands, rng, states = MemoryCommands(), random.Random(4), []
        handshake = make_handshake(link, commands)
        loop = asyncio.get_running_loop()
        quick = []
        for job in range(1, 7):
            plc.box.run_scans = 10
            started = loop.time()
            run = asyncio.create_task(handshake.run(JobRequest(job, parameters={"volume_l": job}, payload=b"g" * 301)))
            if job > 3:
                await asyncio.sleep(rng.random() * 0.4)
                await relay.cut()
                await relay.open()
            if job == 6:
                await until(lambda: plc.box.starts[-1:] == [6])
                plc.box.power_cycle()
            states.append((await asyncio.wait_for(run, 30)).state)
            if job <= 3:
                quick.append(loop.time() - started)
        assert plc.box.starts == [1, 2, 3, 4, 5, 6]
        assert states[:5] == ["done"] * 5
        assert states[5] in ("unknown", "done")
        assert plc.box.parameters[:2] == [0, 301]
        print("seconds a job of 0.2 s took:", [round(q, 2) for q in quick])


async def test_commissioning_shows_links_and_tags(tmp_path):
    async with bench(tmp_path) as (_, relay, _, tagmap):
        shown = await check_links(tagmap, 8)
        assert [link["state"] for link in shown["links"]] == ["online"]
        tags = {tag["name"]: tag for tag in shown["tags"]}
        assert tags["c/after"]["value"] == 7
        assert "400037" in tags["c/after"]["address"]
        seen = await watch(tagmap, "c", 2.5)
        assert next(tag for tag in seen["tags"] if tag["name"] == "c/beat")["changes"] > 2
        await relay.cut()
        assert (await check_links(tagmap, 0.8))["links"][0]["state"] != "online"
