"""The one that writes: takes the stories that wait, runs them in order, and makes the whole group durable in one commit.

Stories read from memory and only buffer rows; the group is written at its end. A refused story has written nothing. When
the database refuses the group, its stories are run again one by one, each in a transaction of its own. Head, hash and
states become visible only after the commit. Another process that wrote meanwhile is noticed at the head of the log
and caught up with, before any story runs.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from mes.core.errors import StoreBusy, StoreError, StoreFull
from mes.core.event import Event
from mes.core.ids import IdSource
from mes.store.engine import translate, writing
from mes.store.memory import Entry, Memory, Place, event_of, fold
from mes.store.rows import table
from mes.store.story import Address, Answer, Batch, StoryTx, unpack_answer

EVENT, COMMAND, STATE, OUTBOX = table("event"), table("command"), table("state"), table("outbox")
_HEAD = (
    select(EVENT.c.seq, EVENT.c.hash).where(EVENT.c.plant == bindparam("plant")).order_by(EVENT.c.seq.desc()).limit(1)
)
_NEWER = (
    select(EVENT).where(EVENT.c.plant == bindparam("plant"), EVENT.c.seq > bindparam("after")).order_by(EVENT.c.seq)
)
_KNOWN = select(COMMAND.c.cmd_id, COMMAND.c.body_hash, COMMAND.c.answer_type, COMMAND.c.answer).where(
    COMMAND.c.plant == bindparam("plant"), COMMAND.c.cmd_id.in_(bindparam("ids", expanding=True))
)
_ALL_STATES = select(STATE).where(STATE.c.plant == bindparam("plant"))


@dataclass(eq=False)
class Wish:
    """A story that waits to be run, and how it ended. `now` is the plant time at which it was asked for."""

    story: Callable[[Any], Any]
    actor: str
    now: datetime
    cmd_id: str = ""
    body_hash: str = ""
    answer: Any = None
    error: BaseException | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Writer:
    """Runs groups of wishes against one database for one plant. Not thread-safe: one thread owns it."""

    def __init__(self, engine: Engine, memory: Memory, *, plant: str, ids: IdSource, address: Address) -> None:
        self._engine, self._memory, self._plant, self._ids, self._address = engine, memory, plant, ids, address
        self._conn: Connection | None = None
        self._postgres = engine.dialect.name == "postgresql"
        self._lock_number = int.from_bytes(hashlib.sha256(plant.encode()).digest()[:8], "big", signed=True)
        self._upsert = _upsert_state(self._postgres)

    def load(self) -> None:
        """Reads all states and the head of the log. Raises StoreError when the database does not answer."""
        self._memory.clear()
        entries: dict[Place, Entry] = {}
        try:
            conn = self._connection()
            with conn.begin():
                self._lock(conn)
                for row in conn.execute(_ALL_STATES, {"plant": self._plant}):
                    kind = self._memory.kinds.get(row.kind)
                    if kind is not None:
                        state = kind.state.model_validate_json(row.doc)
                        entries[row.kind, row.key] = Entry(state, row.stream_seq, row.grp)
                head = conn.execute(_HEAD, {"plant": self._plant}).first()
        except DBAPIError as error:
            raise self._failed(error) from error
        self._memory.merge(entries, *(head or (0, self._memory.head_hash)))

    def carry_out(self, wishes: Sequence[Wish]) -> list[Event]:
        """Runs and commits; each wish then holds its answer or its error. Returns the events that are now durable."""
        try:
            return self._group(wishes)
        except DBAPIError as error:
            failure = self._failed(error)
        if len(wishes) == 1 or isinstance(failure, StoreFull | StoreBusy):
            for wish in wishes:
                wish.answer, wish.error = None, failure
            return []
        return [event for wish in wishes for event in self.carry_out([wish])]

    def catch_up(self) -> list[Event]:
        """Takes over what another process has appended since."""
        try:
            conn = self._connection()
            with conn.begin():
                self._lock(conn)
                return self._catch_up(conn)
        except DBAPIError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        if self._conn is not None:
            if not self._postgres:
                self._conn.exec_driver_sql("PRAGMA optimize")
            self._conn.close()
            self._conn = None

    def _group(self, wishes: Sequence[Wish]) -> list[Event]:
        conn = self._connection()
        with conn.begin():
            self._lock(conn)
            foreign = self._catch_up(conn)
            batch = Batch(self._memory, self._plant, self._address)
            batch.answers.update(self._known(conn, wishes))
            for wish in wishes:
                self._one(batch, wish)
            self._write(conn, batch)
        self._memory.merge(batch.entries, batch.head_seq, batch.head_hash)
        return foreign + batch.events

    def _one(self, batch: Batch, wish: Wish) -> None:
        wish.answer = wish.error = None
        try:
            if wish.cmd_id in batch.answers:
                wish.answer = unpack_answer(batch.answers[wish.cmd_id], wish.body_hash)
                return
            tx = StoryTx(batch, wish.now, wish.actor, self._ids, wish.cmd_id)
            wish.answer = wish.story(tx)
            if wish.cmd_id:
                batch.keep_answer(tx, wish.body_hash, wish.answer)
            batch.absorb(tx)
        except Exception as error:  # noqa: BLE001  whatever a story raises is its caller's, never the writer's end
            wish.answer, wish.error = None, error

    def _write(self, conn: Connection, batch: Batch) -> None:
        if batch.event_rows:
            conn.execute(insert(EVENT), batch.event_rows)
            conn.execute(self._upsert, batch.state_rows())
        if batch.command_rows:
            conn.execute(insert(COMMAND), batch.command_rows)
        if batch.outbox_rows:
            conn.execute(insert(OUTBOX), batch.outbox_rows)

    def _known(self, conn: Connection, wishes: Sequence[Wish]) -> dict[str, Answer]:
        ids = list({wish.cmd_id for wish in wishes if wish.cmd_id})
        if not ids:
            return {}
        rows = conn.execute(_KNOWN, {"plant": self._plant, "ids": ids})
        return {row.cmd_id: Answer(row.body_hash, row.answer_type, row.answer) for row in rows}

    def _catch_up(self, conn: Connection) -> list[Event]:
        head = conn.execute(_HEAD, {"plant": self._plant}).first()
        memory = self._memory
        if head is None or head.seq <= memory.head_seq:
            if (head.seq, head.hash) != (memory.head_seq, memory.head_hash) if head else memory.head_seq:
                raise StoreError(
                    "The event log is not the one this program has read.", hint="Stop, then `mes db check`."
                )
            return []
        entries: dict[Place, Entry] = {}
        events = [event_of(row) for row in conn.execute(_NEWER, {"plant": self._plant, "after": memory.head_seq})]
        for event in events:
            kind, place = memory.kinds.get(event.kind), (event.kind, event.key)
            if kind is not None:
                entries[place] = fold(kind, entries.get(place) or memory.things[event.kind].get(event.key), event)
        memory.merge(entries, head.seq, head.hash)
        return events

    def _lock(self, conn: Connection) -> None:
        if self._postgres:
            conn.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": self._lock_number})

    def _connection(self) -> Connection:
        if self._conn is None:
            self._conn = writing(self._engine)
        return self._conn

    def _failed(self, error: DBAPIError) -> StoreError:
        if self._conn is not None and (error.connection_invalidated or self._postgres):
            self._conn.close()
            self._conn = None
        return translate(error)


def _upsert_state(postgres: bool) -> Any:
    statement: Any = (postgresql if postgres else sqlite).insert(STATE)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["plant", "kind", "key"],
        set_={"grp": new.grp, "doc": new.doc, "stream_seq": new.stream_seq},
    )
