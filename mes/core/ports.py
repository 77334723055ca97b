"""The places where the product meets something plural or above it: storage, telemetry, publishers.

Everything here is a Protocol; `mes/app.py` decides which implementation is handed in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from mes.core.event import Event, State
from mes.core.ids import IdSource

T = TypeVar("T")
S = TypeVar("S", bound=State)


class Tx(Protocol):
    """What a story sees while it runs inside the writer: it reads, decides and appends; it neither waits nor does I/O.

    Reads see the story's own appends. A story that raises has written nothing.
    """

    now: datetime
    actor: str
    ids: IdSource

    def get(self, model: type[S], key: str) -> S | None:
        """The current state of one thing, or None."""

    def find(self, model: type[S], group: str | None = None) -> list[S]:
        """All things of a kind, or those of one group, ordered by key."""

    def append(self, model: type[State], key: str, type_: str, data: Mapping[str, Any]) -> None:
        """Records a fact and folds it into the thing's state at once."""

    def publish(self, kind: str, name: str, value: Any, *, unit: str = "", place: str = "") -> None:
        """Puts a message into the outbox, written with the events. `kind` is state, value, event or alarm; `place` is line/unit or area/line/unit."""


class Store(Protocol):
    """The plant's memory. One writer, many readers."""

    async def run(self, story: Callable[[Tx], T], *, actor: str, cmd_id: str | None = None, body: Any = None) -> T:
        """Runs a story in the writer and returns its answer once it is durable.

        With `cmd_id` the answer (JSON or a State) is kept: the same id with the same body gives the first answer
        again, with another body it raises RuleBroken(code="id_reused").
        """

    def get(self, model: type[S], key: str) -> S | None: ...

    def find(self, model: type[S], group: str | None = None) -> list[S]: ...

    def events(
        self, *, after: int = 0, kind: str | None = None, key: str | None = None, limit: int = 1000
    ) -> list[Event]: ...

    def subscribe(self, observer: Callable[[Sequence[Event]], None]) -> Callable[[], None]:
        """Calls `observer` on the event loop after each commit; returns the function that ends it."""


@dataclass(frozen=True)
class Sample:
    """One telemetry value: plant time in UTC, tag name, number, good or not."""

    at: datetime
    tag: str
    value: float
    good: bool = True


class TelemetrySink(Protocol):
    """Where measured values go. Losing the last second in a crash is allowed, blocking the PLC path is not."""

    def write(self, samples: Iterable[Sample]) -> None: ...

    def history(self, tag: str, start: datetime, end: datetime) -> list[Sample]:
        """Samples of a tag in [start, end], oldest first."""


@dataclass(frozen=True)
class PlcCommand:
    """The persisted row of one command to one PLC: written before the wire is touched, kept until it is decided.

    `state`: sent, running, done, refused, aborted, unknown. `words` is what is repeated on the wire, byte for byte.
    """

    link: str
    job: str
    code: str
    epoch: int
    seq: int
    words: tuple[int, ...]
    state: str
    detail: str = ""


class CommandTable(Protocol):
    """The handshake's memory, shared by all handshake kinds."""

    def next_seq(self, link: str) -> int:
        """The sequence number the next command of this link takes: 1..65535, never 0."""

    def open(self, link: str) -> PlcCommand | None:
        """The one command of a link that is not decided, or None."""

    def last(self, link: str, job: str) -> PlcCommand | None: ...

    async def save(self, command: PlcCommand) -> None:
        """Durable when it returns."""


class Publisher(Protocol):
    """Takes outbox messages to a broker; returns when the broker has acknowledged."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> None: ...
