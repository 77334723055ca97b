"""The PLC's side of the job mailbox: 24 words in, 24 words out, written from the protocol's description alone.

Multi-word numbers stand high word first. The CRC is CRC-16/MODBUS over the bytes of the words, high byte of each word first.
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from simulators.plcs.program import BAD_CODE, RANGE, WRONG_EPOCH, PlcProgram

WORDS = 24
LAYOUT = 0x4D01
START, ABORT, RESOLVE_DONE, RESOLVE_SCRAP = 1, 2, 3, 4
FIRST_PARAMETER = 9
CRC_AT, SEQ_AT = 21, 22


def crc16(words: Sequence[int]) -> int:
    crc = 0xFFFF
    for word in words:
        for byte in (word >> 8, word & 0xFF):
            crc ^= byte
            for _ in range(8):
                crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def wide(words: Sequence[int]) -> int:
    number = 0
    for word in words:
        number = number << 16 | word
    return number


def split(number: int, count: int) -> list[int]:
    return [number >> (16 * place) & 0xFFFF for place in range(count - 1, -1, -1)]


class Mailbox:
    """Applies the PLC rule to the command block once a scan and shows the answer block. `config` is the link's handshake."""

    def __init__(self, program: PlcProgram, config: Any) -> None:
        self.program, self.config = program, config
        self._bad: tuple[int, ...] = ()

    def take(self, block: Sequence[int], area: Sequence[int], *, mes_alive: bool) -> None:
        """`block` is a copy of the command words, `area` of the payload words (empty without one)."""
        memory = self.program.memory
        epoch, seq = wide(block[1:3]), block[SEQ_AT]
        if seq == 0 or (epoch, seq) == (memory.seq_epoch, memory.seq):
            return
        if block[0] != LAYOUT or block[CRC_AT] != crc16([*block[:CRC_AT], seq]):
            self._count_bad(tuple(block))
            return
        if epoch == memory.epoch and block[3] == START and not mes_alive:
            return
        result = self._act(block, area) if epoch == memory.epoch else WRONG_EPOCH
        memory.seq, memory.seq_epoch, memory.result = seq, epoch, result
        self.program.actuate()

    def answer(self, beat: int) -> list[int]:
        m = self.program.memory
        head = [LAYOUT, *split(m.epoch, 2), m.boots & 0xFFFF, beat & 0xFFFF, m.seq, m.state, m.result]
        jobs = [*split(m.job, 4), *split(m.last_done, 4)]
        counts = [*split(m.starts, 2), *split(m.ends, 2), m.refused_blocks & 0xFFFF, *split(m.seq_epoch, 2)]
        words = head + jobs + counts
        return [*words, crc16(words)]

    def _count_bad(self, block: tuple[int, ...]) -> None:
        """A broken block that lies there for many scans counts once."""
        if block != self._bad:
            self._bad = block
            self.program.memory.refused_blocks += 1

    def _act(self, block: Sequence[int], area: Sequence[int]) -> int:
        job = wide(block[5:9])
        match block[3]:
            case 1:
                raw = block[FIRST_PARAMETER:CRC_AT]
                parameters = {name: number(raw, entry) for name, entry in self.config.parameters.items()}
                payload, fits = self._payload(raw, area)
                if not fits:
                    return RANGE
                return self.program.start(job, parameters, payload)
            case 2:
                return self.program.abort(job)
            case 3 | 4:
                return self.program.resolve(job, done=block[3] == RESOLVE_DONE)
        return BAD_CODE

    def _payload(self, raw: Sequence[int], area: Sequence[int]) -> tuple[Mapping[str, Any] | None, bool]:
        if self.config.payload is None:
            return None, True
        length, crc = wide(raw[0:2]), wide(raw[2:4])
        data = b"".join(word.to_bytes(2, "big") for word in area)[:length]
        if len(data) != length or zlib.crc32(data) != crc:
            return None, False
        return (json.loads(data) if data else None), True


def number(raw: Sequence[int], entry: Any) -> float | int:
    """A recipe value out of the parameter words: raw × scale + offset; `entry` has word, type, scale and offset."""
    words = raw[entry.word : entry.word + (1 if entry.type.endswith("16") else 2)]
    data = b"".join(word.to_bytes(2, "big") for word in words)
    kind = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}[entry.type]
    value = struct.unpack(kind, data)[0]
    if entry.scale == 1 and entry.offset == 0:
        return value if entry.type == "float32" else int(value)
    return round(value * entry.scale + entry.offset, 6)
