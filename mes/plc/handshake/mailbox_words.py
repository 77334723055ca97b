"""The 24 words of a command and of an answer block: layout, CRC-16/MODBUS, parameters, payload.

Multi-word numbers stand high word first; the CRC runs over the words' bytes, high byte of each word first.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mes.core.errors import PlcError
from mes.plc.handshake.config import PARAMETER_WORDS, WORDS, WordParameter

LAYOUT = 0x4D01
START, ABORT, RESOLVE_DONE, RESOLVE_SCRAP = 1, 2, 3, 4
STATES = ("idle", "accepted", "running", "done", "refused", "aborted", "unknown")
RESULTS = ("ok", "busy", "bad_code", "not_active", "duplicate", "range", "wrong_epoch")
_RANGES = {
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
}


@dataclass(frozen=True)
class Answer:
    """A valid answer block."""

    epoch: int
    boots: int
    heartbeat: int
    seq: int
    state: str
    result: str
    job: int
    last_done: int
    starts: int
    ends: int
    refused_blocks: int
    acted_epoch: int


def crc16(words: Sequence[int]) -> int:
    """CRC-16/MODBUS (polynomial 0xA001 reflected, start 0xFFFF)."""
    crc = 0xFFFF
    for byte in struct.pack(f">{len(words)}H", *words):
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def split(value: int, words: int) -> list[int]:
    return [(value >> (16 * place)) & 0xFFFF for place in reversed(range(words))]


def join(words: Sequence[int]) -> int:
    value = 0
    for word in words:
        value = value << 16 | word
    return value


def command_words(epoch: int, code: int, job: int, seq: int, parameters: Sequence[int] = ()) -> tuple[int, ...]:
    """The command block; `parameters` are up to 12 words."""
    body = [LAYOUT, *split(epoch, 2), code, 0, *split(job, 4), *parameters]
    body += [0] * (21 - len(body))
    return (*body, crc16([*body, seq]), seq, 0)


def read_answer(words: Sequence[int]) -> Answer | None:
    """The answer, or None when its layout or CRC is wrong (read again)."""
    if len(words) != WORDS or words[0] != LAYOUT or crc16(words[:23]) != words[23]:
        return None
    if words[6] >= len(STATES):
        return None
    result = RESULTS[words[7]] if words[7] < len(RESULTS) else f"result_{words[7]}"
    return Answer(
        epoch=join(words[1:3]),
        boots=words[3],
        heartbeat=words[4],
        seq=words[5],
        state=STATES[words[6]],
        result=result,
        job=join(words[8:12]),
        last_done=join(words[12:16]),
        starts=join(words[16:18]),
        ends=join(words[18:20]),
        refused_blocks=words[20],
        acted_epoch=join(words[21:23]),
    )


def parameter_words(
    values: Mapping[str, float | int | str], places: Mapping[str, WordParameter], payload: bytes | None
) -> list[int]:
    """The 12 parameter words. Raises PlcError when a value has no place, does not fit or stands where the payload's length goes."""
    words = [0] * PARAMETER_WORDS
    if payload is not None:
        words[0:4] = [*split(len(payload), 2), *split(zlib.crc32(payload), 2)]
    for name, value in values.items():
        place = places.get(name)
        if place is None:
            raise PlcError(f"The mailbox has no word for parameter {name!r}.", code="parameter_unknown")
        if payload is not None and place.word < 4:
            raise PlcError(f"Parameter {name!r} stands in word {place.word}, where the payload's length goes.")
        words[place.word : place.word + place.size] = _encode(name, value, place)
    return words


def payload_words(payload: bytes, limit: int) -> list[int]:
    """Two bytes a word, high byte first, zero padded. Raises PlcError(code="payload_too_large") past `limit` words."""
    padded = payload + b"\0" * (len(payload) % 2)
    if len(padded) > 2 * limit:
        raise PlcError(
            f"The job's data ({len(payload)} bytes) is larger than the PLC's {2 * limit} bytes.",
            code="payload_too_large",
            hint="Split the work over two pallets.",
        )
    return list(struct.unpack(f">{len(padded) // 2}H", padded))


def _encode(name: str, value: float | int | str, place: WordParameter) -> list[int]:
    if isinstance(value, str):
        raise PlcError(f"Parameter {name!r} is a text, which a mailbox cannot carry.", code="parameter_type")
    raw = (value - place.offset) / place.scale
    if place.type == "float32":
        return list(struct.unpack(">2H", struct.pack(">f", raw)))
    number = int(raw + 0.5) if raw >= 0 else -int(0.5 - raw)
    low, high = _RANGES[place.type]
    if not low <= number <= high:
        raise PlcError(f"Parameter {name!r}: {value} does not fit {place.type}.", code="parameter_range")
    return split(number, place.size)
