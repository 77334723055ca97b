"""What a story sees and leaves behind: reads through to the group it runs in, and rows that are only buffered.

    committed memory  ←  Batch (the stories of one commit)  ←  StoryTx (one story)

A story that raises leaves its StoryTx behind unused, so it has written nothing.
"""

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from mes.core.errors import RuleBroken, StoreError
from mes.core.event import Event, State
from mes.core.ids import IdSource
from mes.store.memory import Entry, Memory, Place, canonical, chain_hash, fold

S = TypeVar("S", bound=State)
KINDS = ("state", "value", "event", "alarm")
RETAINED = ("state", "value")
_UNFIT = re.compile(r"[\s+#$/]+")


class Answer(NamedTuple):
    """The kept first answer of a command."""

    body_hash: str
    type: str
    text: str


class Address(NamedTuple):
    """Where messages of the plant go: `<prefix>/v1/<enterprise>/<site>/…`; without `on` no message is written.

    `areas` names the area of each line, so that a story needs to know its line only.
    """

    prefix: str
    site: str
    on: bool
    areas: Mapping[str, str] = {}

    def place(self, place: str) -> str:
        """ "area/line/unit" of "line/unit"; other places stay as they are."""
        area = self.areas.get(place.partition("/")[0])
        return f"{area}/{place}" if area else place


class Batch:
    """The stories of one commit: their states, rows and new head."""

    def __init__(self, memory: Memory, plant: str, address: Address) -> None:
        self.memory, self.plant, self.address = memory, plant, address
        self.head_seq, self.head_hash = memory.head_seq, memory.head_hash
        self.entries: dict[Place, Entry] = {}
        self.events: list[Event] = []
        self.answers: dict[str, Answer] = {}
        self.event_rows: list[dict[str, Any]] = []
        self.command_rows: list[dict[str, Any]] = []
        self.outbox_rows: list[dict[str, Any]] = []

    def entry(self, kind: str, key: str) -> Entry | None:
        return self.entries.get((kind, key)) or self.memory.things[kind].get(key)

    def absorb(self, tx: "StoryTx") -> None:
        """Takes over what a story that went well has written, and chains its events to the head."""
        for event, data in tx.events:
            prev, self.head_hash = self.head_hash, chain_hash(self.head_hash, self.plant, event, data)
            self.event_rows.append(_event_row(self.plant, event, data, prev, self.head_hash))
            self.events.append(event)
        self.head_seq += len(tx.events)
        self.entries.update(tx.entries)
        self.outbox_rows.extend(tx.messages)

    def keep_answer(self, tx: "StoryTx", body_hash: str, answer: Any) -> None:
        kept = Answer(body_hash, *pack_answer(answer))
        self.answers[tx.cmd_id] = kept
        self.command_rows.append(
            {"plant": self.plant, "cmd_id": tx.cmd_id, "body_hash": kept.body_hash, "answer_type": kept.type}
            | {"answer": kept.text, "actor": tx.actor, "at": tx.now}
        )

    def state_rows(self) -> list[dict[str, Any]]:
        return [
            {"plant": self.plant, "kind": kind, "key": key, "grp": entry.group}
            | {"doc": entry.state.model_dump_json(), "stream_seq": entry.stream_seq}
            for (kind, key), entry in self.entries.items()
        ]


class StoryTx:
    """The Tx of one story."""

    def __init__(self, batch: Batch, now: datetime, actor: str, ids: IdSource, cmd_id: str = "") -> None:
        self.now, self.actor, self.ids, self.cmd_id = now, actor, ids, cmd_id
        self._batch = batch
        self.entries: dict[Place, Entry] = {}
        self.events: list[tuple[Event, str]] = []
        self.messages: list[dict[str, Any]] = []

    def get(self, model: type[S], key: str) -> S | None:
        entry = self._entry(self._batch.memory.kind_of(model).name, key)
        return entry.state if entry else None  # type: ignore[return-value]

    def find(self, model: type[S], group: str | None = None) -> list[S]:
        kind = self._batch.memory.kind_of(model).name
        found = dict(self._batch.memory.entries(kind, group))
        size = len(found)
        for layer in (self._batch.entries, self.entries):
            for (a_kind, key), entry in layer.items():
                if a_kind != kind:
                    continue
                if group is None or entry.group == group:
                    found[key] = entry
                else:
                    found.pop(key, None)
        keys = found if len(found) == size and not self._batch.entries and not self.entries else sorted(found)
        return [found[key].state for key in keys]  # type: ignore[misc]

    def append(self, model: type[State], key: str, type_: str, data: Mapping[str, Any]) -> None:
        kind = self._batch.memory.kind_of(model)
        before = self._entry(kind.name, key)
        text = canonical(data)
        seq = self._batch.head_seq + len(self.events) + 1
        number = before.stream_seq + 1 if before else 1
        # The fold sees the data as it will be read back, so that a later fold of the log gives the same state.
        event = Event(kind.name, key, type_, self.now, self.actor, json.loads(text), seq, number, self.cmd_id)
        self.entries[kind.name, key] = fold(kind, before, event)
        self.events.append((event, text))

    def publish(self, kind: str, name: str, value: Any, *, unit: str = "", place: str = "") -> None:
        if kind not in KINDS:
            raise StoreError(f"A message is a state, value, event or alarm, not {kind!r}.")
        address = self._batch.address
        if not address.on:
            return
        message = {
            "ts": int(self.now.timestamp() * 1000),
            "v": value,
            "q": "good",
            "unit": unit,
            "seq": self._batch.head_seq + len(self.events),
            "src": self._batch.plant,
            "id": self.ids.uuid(),
            "schema": f"mes/v1/{kind}",
        }
        self.messages.append(
            {"plant": self._batch.plant, "msg_id": message["id"], "payload": canonical(message)}
            | {"topic": topic(address.prefix, address.site, address.place(place), kind, name)}
            | {"retain": kind in RETAINED, "qos": 1, "created_at": self.now}
        )

    def _entry(self, kind: str, key: str) -> Entry | None:
        return self.entries.get((kind, key)) or self._batch.entry(kind, key)


def topic(prefix: str, site: str, place: str, kind: str, name: str) -> str:
    """`<prefix>/v1/<enterprise>/<site>/<area>/<line>/<unit>/<kind>/<name>`, lower case; a level that is not given is `-`.

    `site` is "enterprise/site", `place` up to "area/line/unit". Spaces, `+`, `#`, `$` inside a level become `-`.
    """
    levels = _levels(site, 2) + _levels(place, 3)
    return "/".join([prefix.strip("/"), "v1", *levels, kind, _level(name)])


def body_hash(body: Any) -> str:
    """sha256 of the canonical JSON of a command's body."""
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def pack_answer(answer: Any) -> tuple[str, str]:
    """(type, JSON text) under which an answer is kept; type is `module:Class` of a pydantic model, or "" for plain JSON."""
    if isinstance(answer, BaseModel):
        return f"{type(answer).__module__}:{type(answer).__qualname__}", answer.model_dump_json()
    return "", canonical(answer)


def unpack_answer(kept: Answer, body: str) -> Any:
    """The first answer again. Raises RuleBroken (id_reused) for another body, StoreError when its model is gone."""
    if kept.body_hash != body:
        raise RuleBroken(
            "This command id was already used for another command.", code="id_reused", hint="Take a new id per command."
        )
    if not kept.type:
        return json.loads(kept.text)
    module, _, name = kept.type.partition(":")
    model: Any = sys.modules.get(module)
    for part in name.split("."):
        model = getattr(model, part, None)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise StoreError(
            f"The kept answer is a {kept.type}, which this program does not know.", code="answer_unreadable"
        )
    return model.model_validate_json(kept.text)


def _event_row(plant: str, event: Event, data: str, prev_hash: str, own_hash: str) -> dict[str, Any]:
    return {
        "plant": plant,
        "seq": event.seq,
        "kind": event.kind,
        "key": event.key,
        "stream_seq": event.stream_seq,
        "type": event.type,
        "at": event.at,
        "actor": event.actor,
        "cmd_id": event.cmd_id or None,
        "data": data,
        "prev_hash": prev_hash,
        "hash": own_hash,
    }


def _levels(path: str, count: int) -> list[str]:
    parts = [_level(part) for part in path.strip("/").split("/")] if path.strip("/") else []
    if len(parts) > count:
        raise StoreError(f"{path!r} has more than {count} levels.", hint="A place is area/line/unit.")
    return parts + ["-"] * (count - len(parts))


def _level(text: str) -> str:
    return _UNFIT.sub("-", text.strip().lower()) or "-"
