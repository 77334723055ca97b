"""The served plant over real sockets: one process, raw clients, faults on demand, a power cycle."""

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

from mes.core.clock import system_clock
from simulators.plant import PLANT

ROOT = Path(__file__).parents[2]
NODESET = ROOT / "mes/plc/_nodesets/opc.ua.isa95-jobcontrol.nodeset2.xml"
ISA = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"
OURS = "urn:precast-mes:simulated-plant"
SPEED = 600.0

pytestmark = pytest.mark.skipif(not NODESET.exists(), reason="mes/plc/_nodesets is empty: run `make web`")


@dataclass
class Served:
    """The running process and what it said when it was ready."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]
    data: Path

    async def fault(self, link: str, fault: str, **more: Any) -> dict[str, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ready["control"])
        writer.write(json.dumps({"link": link, "fault": fault, **more}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await reader.readline())
        writer.close()
        return answer


def command(data: Path, *more: str) -> list[str]:
    plant = ROOT / "config/plants/demo"
    return [sys.executable, "-m", "simulators", "serve", str(plant), "--data", str(data), "--speed", str(SPEED), *more]


def launch(data: Path) -> Served:
    process = subprocess.Popen(command(data, "--ports", "free"), cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return Served(process, json.loads(process.stdout.readline()), data)


def finish(served: Served) -> int:
    served.process.send_signal(signal.SIGTERM)
    code = served.process.wait(20)
    assert served.process.stdout is not None
    served.process.stdout.close()
    return code


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    plant = launch(tmp_path_factory.mktemp("plcs"))
    yield plant
    assert finish(plant) == 0


async def wait_for(look: Callable[[], Awaitable[Any]], what: str, seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def crc(words: list[int]) -> int:
    value = 0xFFFF
    for byte in struct.pack(f">{len(words)}H", *words):
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


class Mail:
    """A bare mailbox client of one machine."""

    def __init__(self, place: dict[str, Any]) -> None:
        self.client = AsyncModbusTcpClient(
            place["host"], port=place["port"], timeout=1, retries=0, reconnect_delay=0
        )  # fmt: skip

    async def answer(self) -> list[int]:
        if not self.client.connected:
            await self.client.connect()
        words = (await self.client.read_input_registers(120, count=24, device_id=1)).registers
        assert words[0] == 0x4D01
        assert words[23] == crc(words[:23])
        return list(words)

    async def send(self, seq: int, job: int, parameters: list[int], *, code: int = 1, epoch: int | None = None) -> None:
        seen = await self.answer()
        ids = [epoch >> 16, epoch & 0xFFFF] if epoch is not None else seen[1:3]
        words = [0x4D01, *ids, code, 0, *struct.unpack(">4H", struct.pack(">Q", job)), *parameters]
        words += [0] * (21 - len(words))
        words += [crc([*words, seq]), seq, 0]
        self.words = words
        await self.client.write_registers(120, words, device_id=1)

    async def state(self, seq: int, state: int, seconds: float = 20) -> list[int]:
        async def look() -> list[int] | None:
            words = await self.answer()
            return words if words[5] == seq and words[6] == state else None

        return await wait_for(look, f"state {state} of sequence {seq}", seconds)  # type: ignore[no-any-return]


@pytest.fixture
async def vibration(served: Served) -> AsyncIterator[Mail]:
    mail = Mail(served.ready["links"]["vibration"])
    yield mail
    mail.client.close()


def test_all_links_of_the_demo_plant_are_served(served: Served) -> None:
    links = served.ready["links"]
    assert len({place["endpoint"] for place in links.values() if "endpoint" in place}) == 1
    assert sorted(links) == sorted(
        [
            "clean",
            "oil",
            "mark",
            "mould",
            "batching",
            "spreader",
            "vibration",
            "levelling",
            "precure",
            "chamber",
            "demould",
        ]
    )


async def test_a_mailbox_job_runs_once_though_its_words_come_again(vibration: Mail, served: Served) -> None:
    await vibration.send(11, 4_000_000_001, [1, 50, 40])
    await vibration.client.write_registers(120, vibration.words, device_id=1)
    done = await vibration.state(11, 3)
    await vibration.client.write_registers(120, vibration.words, device_id=1)
    await vibration.send(12, 4_000_000_001, [1, 50, 40])
    again = await vibration.state(12, 3)
    assert again[7] == 4
    assert again[17] == done[17]
    assert struct.unpack(">Q", struct.pack(">4H", *done[12:16]))[0] == 4_000_000_001
    assert PLANT.journal(served.data)["jobs"]["4000000001"]["started"] == 1


async def test_torn_blocks_and_foreign_epochs_start_nothing(vibration: Mail) -> None:
    before = await vibration.answer()
    await vibration.send(21, 5001, [1, 50, 40])
    await vibration.state(21, 3)
    torn = [*vibration.words[:10], 77, *vibration.words[11:22], 22, 0]
    await vibration.client.write_registers(120, torn, device_id=1)
    await asyncio.sleep(0.3)
    words = await vibration.answer()
    assert words[20] == before[20] + 1
    assert words[5] == 21
    await vibration.send(23, 5002, [1, 50, 40], epoch=1)

    async def refused() -> bool:
        words = await vibration.answer()
        return words[5] == 23 and words[7] == 6

    await wait_for(refused, "refusal of a foreign epoch")
    assert (await vibration.answer())[17] == words[17]


async def test_values_out_of_range_and_refusals_on_demand_are_refused(vibration: Mail, served: Served) -> None:
    await vibration.send(31, 6001, [1, 5000, 40])
    assert (await vibration.state(31, 4))[7] == 5
    assert (await served.fault("vibration", "refuse"))["ok"]
    await vibration.send(32, 6002, [1, 50, 40])
    await vibration.state(32, 4)
    await vibration.send(33, 6003, [1, 50, 40])
    await vibration.state(33, 3)


async def test_a_power_cycle_makes_the_running_job_unknown_until_a_person_decides(
    vibration: Mail, served: Served
) -> None:
    await served.fault("vibration", "slow", value=50)
    await vibration.send(41, 7001, [1, 50, 40])
    epoch = (await vibration.state(41, 2))[1:3]
    assert (await served.fault("vibration", "restart"))["state"] == 6
    vibration.client.close()
    words = await vibration.state(41, 6)
    assert words[1:3] == epoch
    await vibration.send(42, 7001, [], code=3)
    await vibration.state(42, 3)


async def test_a_frozen_plc_keeps_the_connection_and_answers_later(vibration: Mail, served: Served) -> None:
    await vibration.answer()
    await served.fault("vibration", "freeze", value=3)
    started = time.monotonic()

    async def thawed() -> bool:
        try:
            return bool(await vibration.answer())
        except Exception:
            return False

    assert vibration.client.connected
    await wait_for(thawed, "the thaw")
    assert time.monotonic() - started > 1


async def test_dropped_connections_can_be_made_again(vibration: Mail, served: Served) -> None:
    await vibration.answer()
    await served.fault("vibration", "drop")

    async def broken() -> bool:
        return not vibration.client.connected

    await wait_for(broken, "the loss of the connection")
    assert await vibration.answer()


async def test_an_unknown_fault_or_link_is_told(served: Served) -> None:
    assert "unknown" in (await served.fault("vibration", "explode"))["error"]
    assert "unknown" in (await served.fault("nowhere", "drop"))["error"]


async def call(client: Client, method: str, *arguments: Any, of: str = "mark.JobOrderReceiver") -> Any:
    ours, isa = await client.get_namespace_index(OURS), await client.get_namespace_index(ISA)
    node = client.get_node(ua.NodeId(of, ours))
    return await node.call_method(f"{isa}:{method}", *arguments)


def order(job: str, parameters: dict[str, Any]) -> Any:
    found = ua.ISA95JobOrderDataType()
    found.JobOrderID = job
    found.JobOrderParameters = []
    for name, value in parameters.items():
        item = ua.ISA95ParameterDataType()
        item.ID = name
        kind = ua.VariantType.ByteString if isinstance(value, bytes) else ua.VariantType.Int64
        item.Value = ua.Variant(value, kind)
        found.JobOrderParameters.append(item)
    return ua.Variant(found, ua.VariantType.ExtensionObject)


NO_COMMENT = ua.Variant([], ua.VariantType.LocalizedText, is_array=True)


async def test_a_drawing_is_plotted_through_job_control(served: Served) -> None:
    lines = [{"layer": "contour", "closed": True, "points": [[0, 0], [3000, 0], [3000, 1000], [0, 1000]]}]
    payload = json.dumps({"polylines": lines, "crosses": [], "texts": []}).encode()
    parameters = {"path_mm": 8000, "crosses": 0, "payload": payload, "payload_crc32": zlib.crc32(payload)}
    await served.fault("mark", "slow", value=100)
    async with Client(served.ready["links"]["mark"]["endpoint"], timeout=10) as client:
        await client.load_data_type_definitions()
        wrong = {**parameters, "payload_crc32": 1}
        assert await call(client, "StoreAndStart", order("901", wrong), NO_COMMENT) == 1 << 32
        assert await call(client, "StoreAndStart", order("901", parameters), NO_COMMENT) == 1
        assert await call(client, "StoreAndStart", order("901", parameters), NO_COMMENT) == 8
        assert await call(client, "StoreAndStart", order("902", parameters), NO_COMMENT) == 16
        await served.fault("mark", "heal")

        async def ended() -> Any:
            response, status = await call(
                client, "RequestJobResponseByJobOrderID", ua.Variant("901"), of="mark.JobResponseProvider"
            )
            return response if status == 1 and response.JobState[0].StateNumber == 5 else None

        response = await wait_for(ended, "the end of the drawing")
        assert {item.ID: item.Value.Value for item in response.JobResponseData}["drawn_mm"] == 8000
        ours, isa = await client.get_namespace_index(OURS), await client.get_namespace_index(ISA)
        listed = await client.get_node(ua.NodeId("mark.JobOrderReceiver", ours)).get_child(f"{isa}:JobOrderList")
        assert [entry.JobOrder.JobOrderID for entry in await listed.read_value()] == ["901"]
        assert await call(client, "Clear", ua.Variant("901"), NO_COMMENT) == 1
        assert await listed.read_value() in ([], None)


async def test_bad_quality_shows_as_a_bad_status_and_heartbeats_are_stamped(served: Served) -> None:
    async with Client(served.ready["links"]["oil"]["endpoint"], timeout=10) as client:
        ours = await client.get_namespace_index(OURS)
        level = client.get_node(ua.NodeId("oil.tank-level", ours))
        beat = client.get_node(ua.NodeId("oil.heartbeat", ours))

        async def quality(good: bool) -> bool:
            value = await level.read_data_value(raise_on_bad_status=False)
            return bool(value.StatusCode.is_good()) is good

        await wait_for(lambda: quality(True), "a good value")
        await served.fault("oil", "bad")
        await wait_for(lambda: quality(False), "a bad value")
        await served.fault("oil", "heal")
        await wait_for(lambda: quality(True), "a good value again")
        first = await beat.read_data_value()
        assert first.SourceTimestamp is not None

        async def moved() -> bool:
            return bool(await beat.read_value() != first.Value.Value)

        await wait_for(moved, "a heartbeat")


async def test_a_killed_process_comes_back_as_a_power_cut(tmp_path: Path) -> None:
    first = launch(tmp_path)
    mail = Mail(first.ready["links"]["levelling"])
    await first.fault("levelling", "slow", value=50)
    await mail.send(5, 81, [60, 2])
    epoch = (await mail.state(5, 2))[1:3]
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(10)
    assert first.process.stdout is not None
    first.process.stdout.close()
    mail.client.close()
    second = launch(tmp_path)
    try:
        mail = Mail(second.ready["links"]["levelling"])
        words = await mail.state(5, 6)
        assert words[1:3] == epoch
        mail.client.close()
    finally:
        assert finish(second) == 0
    assert PLANT.journal(tmp_path)["double_starts"] == 0
    assert PLANT.journal(tmp_path)["jobs"]["81"] == {"started": 1, "ended": 0, "settled": 0}


def test_the_process_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    child = command(tmp_path, "--ports", "free")
    code = (
        f"import subprocess, os, sys; p = subprocess.Popen({child!r} + ['--parent', str(os.getpid())], stdout=subprocess.PIPE);"
        "p.stdout.readline(); print(p.pid, flush=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    pid = int(done.stdout)
    end = time.monotonic() + 15
    while time.monotonic() < end and _alive(pid):
        time.sleep(0.1)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    """A process that waits to be reaped has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "plant.yaml").write_text(
        "plant: {id: t, name: {zh: 试, en: T}}\nareas: [{id: a, lines: [{id: l, stations: ["
        "{id: v, machine: vibrating_table, link: v}]}]}]\n"
    )
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (folder / "tags.yaml").write_text(
            f"links:\n  v:\n    protocol: modbus\n    host: 127.0.0.1\n    port: {port}\n    handshake:\n      kind: mailbox\n"
            "      command: {table: holding, address: 120}\n      answer: {table: input, address: 120}\n"
        )
        argv = [sys.executable, "-m", "simulators", "serve", str(folder), "--data", str(tmp_path / "data")]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_commands_of_the_factory_carry_the_clock(tmp_path: Path) -> None:
    clock = system_clock()
    argv = PLANT.serve_command(tmp_path, tmp_path / "d", clock, ports="free", parent=77, seed=9)
    assert argv[argv.index("--plant-start") + 1] == clock.plant_start.isoformat()
    assert float(argv[argv.index("--real-start") + 1]) == clock.real_start
    assert argv[-2:] == ["--parent", "77"]
