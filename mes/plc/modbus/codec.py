"""From registers to raw values and back, for each type and each byte order (ABCD, CDAB, BADC, DCBA)."""

import struct
from collections.abc import Sequence
from typing import Any

from mes.core.errors import TagWriteRefused
from mes.plc.tagmap import Tag

_FORMATS = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
_SIZE = {"h": 1, "H": 1, "i": 2, "I": 2, "f": 2, "q": 4, "Q": 4, "d": 4}
_STRUCTS = {code: struct.Struct(f">{code}") for code in _SIZE}


def decode(tag: Tag, words: Sequence[int]) -> Any:
    """The raw value of a tag from its own registers: a number, bool, text, or a list when the tag is an array."""
    if tag.type == "bool":
        values: list[Any] = [bool(word) for word in words[: tag.count]]
    elif tag.type.startswith("bit("):
        return bool(words[0] >> int(tag.type[4:-1]) & 1)
    elif tag.type.startswith("string("):
        data = b"".join(struct.pack(">H", word) for word in _swapped(words, tag.order))
        return data.split(b"\0")[0].decode("utf-8", "replace")[: int(tag.type[7:-1])]
    elif tag.type.startswith("bcd"):
        size = 1 if tag.type == "bcd16" else 2
        values = [_from_bcd(_ordered(words[i : i + size], tag.order)) for i in range(0, size * tag.count, size)]
    else:
        code = _FORMATS[tag.type]
        size, unpack = _SIZE[code], _STRUCTS[code].unpack
        values = []
        for start in range(0, size * tag.count, size):
            part = _ordered(words[start : start + size], tag.order)
            values.append(unpack(struct.pack(f">{size}H", *part))[0])
    return values[0] if tag.count == 1 else values


def encode(tag: Tag, raw: Any) -> list[int]:
    """The registers of a raw value. Raises TagWriteRefused when it does not fit the type."""
    items = list(raw) if isinstance(raw, list | tuple) else [raw]
    try:
        if tag.type.startswith("string("):
            data = str(raw).encode()[: int(tag.type[7:-1])]
            data += b"\0" * (2 * tag.words - len(data))
            return _swapped(list(struct.unpack(f">{tag.words}H", data)), tag.write_order)
        if tag.type.startswith("bcd"):
            size = 1 if tag.type == "bcd16" else 2
            return [word for item in items for word in _ordered(_to_bcd(int(item), size), tag.write_order)]
        code = _FORMATS[tag.type]
        words: list[int] = []
        for item in items:
            part = struct.unpack(f">{_SIZE[code]}H", _STRUCTS[code].pack(item))
            words += _ordered(part, tag.write_order)
        return words
    except (struct.error, KeyError, ValueError, OverflowError) as error:
        raise TagWriteRefused(f"{tag.name}: {raw!r} does not fit {tag.type}.") from error


def _ordered(words: Sequence[int], order: str) -> list[int]:
    """Registers in wire order to high word first and high byte first, or back: each order is its own inverse."""
    part = list(words)
    if order in ("CDAB", "DCBA"):
        part.reverse()
    return _swapped(part, order)


def _swapped(words: Sequence[int], order: str) -> list[int]:
    if order in ("BADC", "DCBA"):
        return [(word & 0xFF) << 8 | word >> 8 for word in words]
    return list(words)


def _from_bcd(words: Sequence[int]) -> float:
    digits = "".join(f"{word:04x}" for word in words)
    return int(digits) if digits.isdigit() else float("nan")


def _to_bcd(value: int, size: int) -> list[int]:
    if not 0 <= value < 10 ** (4 * size):
        raise ValueError(value)
    digits = f"{value:0{4 * size}d}"
    return [int(digits[start : start + 4], 16) for start in range(0, 4 * size, 4)]
