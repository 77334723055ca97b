"""A simulated PLC behind Modbus TCP: registers as tags.yaml says, the job mailbox, and gauges written at every scan."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from mes.plc.tagmap import Tag
from simulators.plcs.mailbox import WORDS, Mailbox
from simulators.plcs.program import PlcProgram, Watch

ROOM = 64
BEAT_S = 0.4


class ModbusPlc:
    """One controller on one port. `program` is replaced when its power is cycled."""

    def __init__(self, program: PlcProgram, link: Any, tags: list[Tag]) -> None:
        self.program, self.link = program, link
        self.port = int(link.port)
        self._tags = {tag.name.partition("/")[2]: tag for tag in tags}
        self._mailbox = Mailbox(program, link.handshake)
        self._watch = Watch()
        self._server: ModbusTcpServer | None = None
        self._beat, self._beat_at = 0, 0.0
        self._scan = 0
        self._frozen_until = 0.0
        self._answering = asyncio.Event()
        self._answering.set()

    @property
    def place(self) -> dict[str, Any]:
        return {"host": self.link.host, "port": self.port}

    async def start(self) -> None:
        """Opens the port with all registers zero. Raises OSError when it is taken; port 0 takes a free one."""
        self._holding, self._input = [0] * self._size("holding"), [0] * self._size("input")
        bits = [SimData(0, count=16, values=False, datatype=DataType.BITS)]
        device = SimDevice(
            int(self.link.unit),
            simdata=(bits, bits, [_row(len(self._holding))], [_row(len(self._input))]),
            action=self._hold_while_frozen,
        )
        self._server = ModbusTcpServer(device, address=(self.link.host, self.port))
        blocks = self._server.context.devices[int(self.link.unit)].block
        self._holding, self._input = blocks["h"][2], blocks["i"][2]
        if not await self._server.listen():
            self._server = None
            raise OSError(f"{self.link.host}:{self.port} is taken")
        self.port = self._server.transport.sockets[0].getsockname()[1]
        self.scan(0.0)

    async def stop(self) -> None:
        if self._server is not None:
            self.drop()
            await self._server.shutdown()
            self._server = None

    def scan(self, real_s: float) -> None:
        """One scan: the machine moves on, the command block is looked at, answer and gauges are shown."""
        if self._server is None or real_s < self._frozen_until:
            return
        self._scan += 1
        self.program.scan()
        handshake = self.link.handshake
        block = self._words("holding", handshake.command.address, WORDS)
        area = handshake.payload
        payload = self._words("holding", area.address, area.words) if area and block[22] else []
        self._mailbox.take(block, payload, mes_alive=self._mes_alive(real_s))
        self.program.keep_up(real_s)
        table, at = self._bank(handshake.answer.table or "input"), handshake.answer.address
        table[at : at + WORDS] = self._mailbox.answer(self._scan)
        self._show(real_s)

    def restart(self, program: PlcProgram) -> None:
        """Power comes back: registers are empty, the program goes on from what it retained."""
        self._holding[:] = [0] * len(self._holding)
        self.program, self._mailbox, self._watch = program, Mailbox(program, self.link.handshake), Watch()
        self._frozen_until = 0.0
        self._answering.set()

    def drop(self) -> None:
        """Closes every connection; the port stays open."""
        if self._server is not None:
            for handler in list(self._server.active_connections.values()):
                if handler.transport is not None:
                    handler.transport.abort()

    def freeze(self, until_s: float) -> None:
        """Neither scans nor answers until then; connections stay."""
        self._frozen_until = until_s
        self._answering.clear()
        loop = asyncio.get_running_loop()
        loop.call_at(until_s, self._answering.set)

    async def _hold_while_frozen(self, *_: Any) -> None:
        await self._answering.wait()

    def _mes_alive(self, real_s: float) -> bool:
        beat = self.link.heartbeat
        if beat is None or beat.out is None or beat.limit_out is None:
            return True
        counter, limit = (self._raw(name) for name in (beat.out, beat.limit_out))
        return self._watch.alive(counter, limit, real_s)

    def _show(self, real_s: float) -> None:
        if real_s - self._beat_at >= BEAT_S or real_s == 0:
            self._beat, self._beat_at = self._beat % 65535 + 1, real_s
        values: Mapping[str, float] = {"heartbeat": self._beat, **self.program.values()}
        for name, value in values.items():
            tag = self._tags.get(name)
            if tag is None or tag.table != "input":
                continue
            raw = round((value - tag.offset) / tag.scale)
            bad = self.program.bad_quality and name in self.program.twin.gauges()
            self._input[tag.index] = 0x8000 if bad else raw & 0xFFFF

    def _raw(self, name: str) -> int:
        tag = self._tags[name.partition("/")[2]]
        return int(self._bank(tag.table)[tag.index])

    def _words(self, table: str, at: int, count: int) -> list[int]:
        return list(self._bank(table)[at : at + count])

    def _bank(self, table: str) -> list[int]:
        return self._holding if table == "holding" else self._input

    def _size(self, table: str) -> int:
        """Registers from 0 to the last one that tags.yaml names in this table, with some room."""
        ends = [tag.index + tag.words for tag in self._tags.values() if tag.table == table]
        handshake = self.link.handshake
        ends += [area.address + WORDS for area in (handshake.command, handshake.answer) if area.table == table]
        if handshake.payload is not None and table == "holding":
            ends.append(handshake.payload.address + handshake.payload.words)
        return max(ends, default=0) + ROOM


def _row(count: int) -> SimData:
    return SimData(0, count=count, values=0, datatype=DataType.REGISTERS)
