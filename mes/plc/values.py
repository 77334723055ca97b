"""From raw PLC values to engineering values and back: scale, invalid marks, valid range, write limits."""

import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from mes.core.errors import TagWriteRefused
from mes.plc.tagmap import Tag
from mes.plc.tags import Quality, Reading


def reading(tag: Tag, raw: Any, *, source: datetime | None, received: datetime, mono: float) -> Reading:
    """A reading from a raw value: value = raw x scale + offset in decimal arithmetic."""
    value, quality, reason = interpret(tag, raw)
    return Reading(value, quality, reason, source, received, mono, tag.simulated)


def bad(tag: Tag, reason: str, *, received: datetime, mono: float) -> Reading:
    return Reading(None, Quality.BAD, reason, None, received, mono, tag.simulated)


def interpret(tag: Tag, raw: Any) -> tuple[Any, Quality, str]:
    if isinstance(raw, list | tuple):
        parts = [interpret(tag, item) for item in raw]
        worst = max(parts, key=lambda part: list(Quality).index(part[1])) if parts else (None, Quality.GOOD, "")
        return [part[0] for part in parts], worst[1], worst[2]
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return raw, Quality.GOOD, ""
    if math.isnan(raw) or _marked_invalid(tag, raw):
        return None, Quality.BAD, "raw_invalid"
    value = _scaled(tag, raw)
    if tag.range is not None and not tag.range[0] <= value <= tag.range[1]:
        shown = min(max(value, tag.range[0]), tag.range[1]) if tag.clamp else value
        return shown, Quality.UNCERTAIN, "out_of_range"
    return value, Quality.GOOD, ""


def to_raw(tag: Tag, value: Any) -> Any:
    """The raw value to write. Raises TagWriteRefused when the tag may not be written or the value breaks its limits."""
    if not tag.writable:
        raise TagWriteRefused(f"{tag.name} cannot be written.", hint="Its access in tags.yaml is r.")
    limits = tag.limits
    if isinstance(value, str | bytes):
        if limits and limits.max_length is not None and len(value) > limits.max_length:
            raise TagWriteRefused(f"{tag.name}: {len(value)} characters are more than {limits.max_length}.")
        return value
    if isinstance(value, bool | list | tuple):
        return value
    low, high = (limits.min, limits.max) if limits else (None, None)
    if (low is not None and value < low) or (high is not None and value > high):
        raise TagWriteRefused(f"{tag.name}: {value} is outside {low}..{high}.")
    if tag.scale == 1 and tag.offset == 0:
        raw: Any = value
    else:
        raw = float((Decimal(str(value)) - Decimal(str(tag.offset))) / Decimal(str(tag.scale)))
    return raw if tag.type.startswith("float") else int(_half_up(raw))


def source_checked(found: Reading, limit_s: float | None, now: datetime) -> Reading:
    """Marks a good reading whose source clock differs from ours by more than the link's limit."""
    if limit_s is None or found.source_time is None or not found.good:
        return found
    if abs((found.source_time - now).total_seconds()) <= limit_s:
        return found
    return Reading(
        found.value,
        Quality.UNCERTAIN,
        "clock_skew",
        found.source_time,
        found.received_time,
        found.received_mono,
        found.simulated,
    )


def _half_up(raw: float) -> int:
    return math.floor(raw + 0.5)


def _marked_invalid(tag: Tag, raw: float) -> bool:
    if not tag.raw_invalid:
        return False
    if raw in tag.raw_invalid:
        return True
    bits = next((size for size in (16, 32, 64) if tag.type == f"int{size}"), None)
    return bits is not None and raw < 0 and (raw + 2**bits) in tag.raw_invalid


def _scaled(tag: Tag, raw: float) -> float:
    return raw if tag.scale == 1 and tag.offset == 0 else _scaler(tag.scale, tag.offset)(raw)


@lru_cache(maxsize=1024)
def _scaler(scale: float, offset: float) -> Callable[[float], float]:
    factor, shift = Decimal(str(scale)), Decimal(str(offset))
    return lambda raw: float(Decimal(str(raw)) * factor + shift)
