"""Where new identities come from: time-ordered UUIDs in a real plant, a seeded row of them in a simulated one."""

import random
from typing import Protocol

import uuid_utils


class IdSource(Protocol):
    """`uuid()` gives a UUIDv7 as text; `number()` a positive 63-bit integer (job ids on PLC links)."""

    def uuid(self) -> str: ...

    def number(self) -> int: ...


class SystemIds:
    """UUIDv7 by the machine's clock; the numbers are random, so two plants never share one."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def uuid(self) -> str:
        return str(uuid_utils.uuid7())

    def number(self) -> int:
        return self._random.randrange(1, 2**63)


class SeededIds:
    """The same identities in the same order for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._count = 0

    def uuid(self) -> str:
        self._count += 1
        text = f"{self._count:012x}7{self._random.getrandbits(12):03x}{0x8000 | self._random.getrandbits(14):04x}{self._random.getrandbits(48):012x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def number(self) -> int:
        return self._random.randrange(1, 2**63)
