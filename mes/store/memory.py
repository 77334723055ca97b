"""What the plant looks like right now: all folded states in memory, by kind and key, and the lists they stand in.

The committed picture is changed only by `merge`, in one step after a commit; any thread may read it.
"""

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from pydantic_core import to_jsonable_python

from mes.core.errors import StoreError
from mes.core.event import Event, State, StreamKind

S = TypeVar("S", bound=State)
Place = tuple[str, str]
"""(kind, key)"""
GENESIS = "0" * 64
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=to_jsonable_python
)


class Entry(NamedTuple):
    """One thing: its state, the number of its last event, and the list it stands in."""

    state: State
    stream_seq: int
    group: str


class Memory:
    """The committed states of the kinds the product knows."""

    def __init__(self, kinds: Iterable[StreamKind]) -> None:
        self.kinds = {kind.name: kind for kind in kinds}
        self._by_model = {kind.state: kind for kind in self.kinds.values()}
        if len(self._by_model) != len(self.kinds):
            raise StoreError("Two kinds share one state model.", hint="Give each StreamKind its own State class.")
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.things: dict[str, dict[str, Entry]] = {name: {} for name in self.kinds}
        self.groups: dict[str, dict[str, set[str]]] = {name: {} for name in self.kinds}
        self.head_seq = 0
        self.head_hash = GENESIS

    def kind_of(self, model: type[State]) -> StreamKind:
        """Raises StoreError for a model that no registered kind has."""
        kind = self._by_model.get(model)
        if kind is None:
            raise StoreError(
                f"No kind of thing is registered for {model.__name__}.", hint="Hand its StreamKind to SqlStore."
            )
        return kind

    def get(self, model: type[S], key: str) -> S | None:
        entry = self.things[self.kind_of(model).name].get(key)
        return entry.state if entry else None  # type: ignore[return-value]

    def find(self, model: type[S], group: str | None = None) -> list[S]:
        return [entry.state for _, entry in self.entries(self.kind_of(model).name, group)]  # type: ignore[misc]

    def entries(self, kind: str, group: str | None) -> list[tuple[str, Entry]]:
        """Key and entry of all things of a kind or of one list, ordered by key."""
        things = self.things[kind]
        with self._lock:
            keys = sorted(things if group is None else self.groups[kind].get(group, ()))
            return [(key, things[key]) for key in keys]

    def merge(self, entries: Mapping[Place, Entry], head_seq: int, head_hash: str) -> None:
        with self._lock:
            for (kind, key), entry in entries.items():
                self._put(kind, key, entry)
            self.head_seq, self.head_hash = head_seq, head_hash

    def _put(self, kind: str, key: str, entry: Entry) -> None:
        groups, before = self.groups[kind], self.things[kind].get(key)
        if before is None or before.group != entry.group:
            if before is not None:
                groups[before.group].discard(key)
            groups.setdefault(entry.group, set()).add(key)
        self.things[kind][key] = entry


def fold(kind: StreamKind, before: Entry | None, event: Event) -> Entry:
    """The thing after the event. Raises StoreError when the kind's fold gives something else than its state."""
    state = kind.apply(before.state if before else None, event)
    if not isinstance(state, kind.state):
        raise StoreError(f"The fold of {kind.name} gave {type(state).__name__} for event {event.type}.")
    return Entry(state, event.stream_seq, kind.group(state))


def canonical(value: Any) -> str:
    """JSON text in one form only: sorted keys, no spaces, no NaN. Raises StoreError for what is no JSON."""
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError) as error:
        raise StoreError(f"This is no JSON: {error}", code="not_json") from error


def chain_hash(prev_hash: str, plant: str, event: Event, data: str) -> str:
    """sha256 over the canonical JSON of an event; `data` is its canonical data, `prev_hash` ties it to the one before."""
    head = [
        plant,
        event.seq,
        event.kind,
        event.key,
        event.stream_seq,
        event.type,
        stamp(event.at),
        event.actor,
        event.cmd_id,
    ]
    return hashlib.sha256(f"[{json.dumps(prev_hash)},{canonical(head)},{data}]".encode()).hexdigest()


def stamp(at: datetime) -> str:
    """UTC text with microseconds, the same for the same instant."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def event_of(row: Any) -> Event:
    """The event of a row of the table `event`."""
    return Event(
        row.kind, row.key, row.type, row.at, row.actor, json.loads(row.data), row.seq, row.stream_seq, row.cmd_id or ""
    )
