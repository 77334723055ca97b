"""Modbus driver: one connection, one lock in which writes overtake polls, planned block reads, every answer checked.

A frozen or cut connection shows as timeouts; the link's dead-man decides. Nothing is ever sent twice by itself.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException

from mes.core.clock import Clock
from mes.core.errors import LinkDown, PlcError, TagReadFailed, TagWriteRefused
from mes.plc.driver import JobDoor, OnReadings, WriteFirst
from mes.plc.handshake.config import WordArea
from mes.plc.modbus.codec import decode, encode
from mes.plc.modbus.plan import Block, halves, plan
from mes.plc.tagmap import ModbusLink, Tag
from mes.plc.tags import Reading
from mes.plc.values import bad, reading, to_raw

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
Log = logging.getLogger("mes.plc.modbus")
RETRY_BAD_S = 30.0
_READ = {"holding": "read_holding_registers", "input": "read_input_registers", "coil": "read_coils"}
_CODES = {1: "function", 2: "address", 3: "value", 4: "device_failure", 5: "acknowledge", 6: "busy", 10: "gateway_path"}


class ModbusDriver:
    """One Modbus TCP or serial connection."""

    def __init__(self, link: ModbusLink, clock: Clock) -> None:
        self.lost = asyncio.Event()
        self.lost_reason = ""
        self.last_heard = 0.0
        self.dropped = 0
        self._link, self._clock = link, clock
        self._client = self._make_client()
        self._lock = WriteFirst()
        self._tasks: list[asyncio.Task[None]] = []
        self._bad: dict[str, tuple[float, str]] = {}
        self._plans: dict[tuple[str, ...], list[Block]] = {}
        self._closing = False

    async def connect(self) -> None:
        try:
            done = await asyncio.wait_for(self._client.connect(), self._link.connect_timeout_s)
        except (TimeoutError, OSError, ModbusException) as error:
            raise LinkDown(f"{self._where}: no connection ({error or 'time-out'})") from error
        if not done:
            raise LinkDown(f"{self._where}: no connection", hint="Is the PLC switched on and its address right?")
        await asyncio.sleep(self._link.pause_after_connect_ms / 1000)
        self._heard()

    async def close(self) -> None:
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._client.close()

    async def read(self, tags: Sequence[Tag]) -> dict[str, Reading]:
        found: dict[str, Reading] = {}
        for block in self._blocks(tags):
            found.update(await self._read_block(block, tags))
        return found

    async def write(self, tag: Tag, value: Any) -> None:
        raw = to_raw(tag, value)
        if tag.table == "coil":
            await self._ask("write_coils", tag.unit_id, tag.index, [bool(raw)], what=f"write {tag.name}")
        elif tag.type.startswith("bit("):
            await self._write_bit(tag, bool(raw))
        else:
            await self._ask("write_registers", tag.unit_id, tag.index, encode(tag, raw), what=f"write {tag.name}")

    async def subscribe(self, tags: Sequence[Tag], on_readings: OnReadings) -> None:
        rates: dict[int, list[Tag]] = {}
        for tag in tags:
            rates.setdefault(tag.scan_ms, []).append(tag)
        self._tasks += [asyncio.create_task(self._poll(ms / 1000, part, on_readings)) for ms, part in rates.items()]

    async def probe(self) -> None:
        handshake = self._link.handshake
        answer = getattr(handshake, "answer", None)
        if answer is not None:
            await self.read_words(answer, 1)
            return
        blocks = next(iter(self._plans.values()), [])
        if blocks:
            await self._words(blocks[0].unit, blocks[0].table, blocks[0].start, blocks[0].count)

    async def read_words(self, area: WordArea, count: int) -> list[int]:
        return await self._words(self._link.unit, area.table or "holding", area.address, count, urgent=True)

    async def write_words(self, area: WordArea, words: Sequence[int], *, offset: int = 0) -> None:
        size = self._link.max_write_registers
        start = area.address + offset
        for i in range(0, len(words), size):
            await self._ask(
                "write_registers", self._link.unit, start + i, list(words[i : i + size]), what="write words"
            )

    async def job_door(self, receiver: str, responses: str | None) -> JobDoor:
        raise TagReadFailed("Modbus has no job receiver.", hint="Use the mailbox or the tags handshake.")

    def _make_client(self) -> Any:
        link = self._link
        common = {
            "timeout": link.request_timeout_s,
            "retries": 0,
            "reconnect_delay": 0,
            "trace_connect": self._on_connection,
        }
        if link.serial is not None:
            serial = link.serial
            return AsyncModbusSerialClient(
                serial.port, baudrate=serial.baud, parity=serial.parity, stopbits=serial.stop_bits, **common
            )
        framer = FramerType.SOCKET if link.framer == "tcp" else FramerType.RTU
        return AsyncModbusTcpClient(link.host or "", port=link.port, framer=framer, **common)

    def _on_connection(self, up: bool) -> None:
        if not up and not self._closing:
            self._break_off("connection closed by the PLC")

    def _break_off(self, reason: str) -> None:
        if not self.lost.is_set():
            self.lost_reason = f"{self._where}: {reason}"
            self.lost.set()

    def _blocks(self, tags: Sequence[Tag]) -> list[Block]:
        key = tuple(tag.name for tag in tags)
        if key not in self._plans:
            self._plans[key] = plan(self._link, tags)
        return self._plans[key]

    async def _read_block(self, block: Block, asked: Sequence[Tag]) -> dict[str, Reading]:
        wait_until, reason = self._bad.get(block.tags[0].name, (0.0, ""))
        if wait_until > self._now():
            return self._all_bad(block, reason)
        try:
            words = await self._words(block.unit, block.table, block.start, block.count)
        except LinkDown:
            raise
        except TagReadFailed as error:
            if error.code != "exception:address":
                return self._all_bad(block, error.code)
            return await self._divide(block, asked)
        now, mono = self._clock.now(), self._now()
        found = {}
        for tag in block.tags:
            part = words[tag.index - block.start : tag.index - block.start + tag.words]
            found[tag.name] = reading(tag, decode(tag, part), source=now, received=now, mono=mono)
        return found

    async def _divide(self, block: Block, asked: Sequence[Tag]) -> dict[str, Reading]:
        """A refused address: divides the block, keeps the new plan and leaves only the bad tags bad."""
        parts = halves(self._link, block)
        if len(parts) == 1:
            for tag in block.tags:
                self._bad[tag.name] = (self._now() + RETRY_BAD_S, "exception:address")
            return self._all_bad(block, "exception:address")
        blocks = self._plans[tuple(tag.name for tag in asked)]
        place = blocks.index(block)
        self._plans[tuple(tag.name for tag in asked)] = [*blocks[:place], *parts, *blocks[place + 1 :]]
        found: dict[str, Reading] = {}
        for part in parts:
            found.update(await self._read_block(part, asked))
        return found

    async def _poll(self, period_s: float, tags: Sequence[Tag], on_readings: OnReadings) -> None:
        """One scan class. A late scan is not caught up."""
        while True:
            started = self._now()
            try:
                on_readings(await self.read(tags))
            except LinkDown as error:
                self._break_off(str(error))
                return
            except Exception:  # noqa: BLE001
                Log.exception("a scan of %s failed", self._where)
            await asyncio.sleep(max(0.01, period_s - (self._now() - started)))

    async def _write_bit(self, tag: Tag, value: bool) -> None:
        mask = 1 << int(tag.type[4:-1])
        async with self._lock.hold(urgent=True):
            call = self._client.mask_write_register(
                address=tag.index, and_mask=0xFFFF & ~mask, or_mask=mask if value else 0, device_id=tag.unit_id
            )
            await self._answer(call, f"write {tag.name}")

    async def _words(self, unit: int, table: str, start: int, count: int, *, urgent: bool = False) -> list[int]:
        method = _READ.get(table, "read_discrete_inputs")
        what = f"read {table} {start}..{start + count - 1}"
        answer = await self._ask(method, unit, start, count=count, what=what, urgent=urgent)
        if table in ("coil", "discrete"):
            bits = list(answer.bits)[:count]
            words = [int(bit) for bit in bits]
        else:
            words = list(answer.registers)
        if len(words) != count:
            raise TagReadFailed(f"{what}: {len(words)} words came.", code="torn")
        return words

    async def _ask(self, method: str, unit: int, *args: Any, what: str, urgent: bool = True, **more: Any) -> Any:
        async with self._lock.hold(urgent=urgent):
            if self.lost.is_set():
                raise LinkDown(self.lost_reason)
            try:
                call = getattr(self._client, method)(*args, device_id=unit, **more)
            except ConnectionException as error:
                raise LinkDown(f"{self._where}: {error}") from error
            answer = await self._answer(call, what)
            if getattr(answer, "dev_id", unit) != unit:
                raise TagReadFailed(f"{what}: unit {answer.dev_id} answered for {unit}.", code="torn")
            if self._link.pause_ms:
                await asyncio.sleep(self._link.pause_ms / 1000)
            return answer

    async def _answer(self, call: Any, what: str) -> Any:
        """Waits for an answer and turns exceptions and exception answers into own errors."""
        try:
            answer = await call
        except ConnectionException as error:
            raise LinkDown(f"{self._where}: {error}") from error
        except (ModbusException, TimeoutError, OSError, ValueError) as error:
            raise TagReadFailed(f"{what}: no answer.", code="timeout") from error
        self._heard()
        if answer.isError():
            code = _CODES.get(answer.exception_code, str(answer.exception_code))
            kind: type[PlcError] = TagWriteRefused if what.startswith("write") else TagReadFailed
            raise kind(f"{what}: the PLC answered exception {answer.exception_code}.", code=f"exception:{code}")
        return answer

    def _all_bad(self, block: Block, reason: str) -> dict[str, Reading]:
        now, mono = self._clock.now(), self._now()
        return {tag.name: bad(tag, reason, received=now, mono=mono) for tag in block.tags}

    @property
    def _where(self) -> str:
        return self._link.serial.port if self._link.serial else f"{self._link.host}:{self._link.port}"

    def _heard(self) -> None:
        self.last_heard = self._now()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def plan_report(link: ModbusLink, tags: Sequence[Tag]) -> Mapping[str, Any]:
    """The requests of one full scan: `{requests, words, waste_words, blocks}`."""
    rates: dict[int, list[Tag]] = {}
    for tag in tags:
        if tag.enabled and tag.readable:
            rates.setdefault(tag.scan_ms, []).append(tag)
    blocks = [(ms, block) for ms, part in sorted(rates.items()) for block in plan(link, part)]
    return {
        "requests": len(blocks),
        "words": sum(block.count for _, block in blocks),
        "waste_words": sum(block.waste for _, block in blocks),
        "blocks": [
            {
                "scan_ms": ms,
                "unit": block.unit,
                "table": block.table,
                "start": block.start,
                "count": block.count,
                "waste": block.waste,
                "tags": [tag.name for tag in block.tags],
            }
            for ms, block in blocks
        ],
    }
