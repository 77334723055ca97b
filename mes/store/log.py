"""The plant's memory as the rest of the house sees it: run a story, read states and events, be told of new ones.

The messages that were written with the events wait here too, until they are marked as sent.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import DBAPIError

from mes.core.clock import Clock
from mes.core.errors import StoreBusy, StoreError
from mes.core.event import Event, State, StreamKind
from mes.core.ids import IdSource
from mes.core.ports import Tx
from mes.store.engine import is_memory, translate, writing
from mes.store.memory import Memory, event_of
from mes.store.rows import table
from mes.store.story import Address, body_hash
from mes.store.upkeep import make_ready
from mes.store.writer import Wish, Writer

T = TypeVar("T")
S = TypeVar("S", bound=State)
Observer = Callable[[Sequence[Event]], None]
log = logging.getLogger(__name__)
OUTBOX = table("outbox")

GROUP_LIMIT = 256
WAITING_LIMIT = 20_000
IDLE_S = 1.0


class SqlStore:
    """The Store on SQLite or PostgreSQL: one writer thread with group commit, all states in memory.

    `place` is "enterprise/site" of the message topics, `areas` the area of each line; `outbox=False` writes no messages (no broker is configured).
    `inline=True` works without a thread, in the caller: for deterministic simulation, and for SQLite in memory.
    """

    def __init__(
        self,
        engine: Engine,
        kinds: Sequence[StreamKind],
        *,
        plant: str,
        clock: Clock,
        ids: IdSource,
        publish_prefix: str = "mes",
        place: str = "",
        areas: Mapping[str, str] | None = None,
        outbox: bool = True,
        inline: bool = False,
        group_limit: int = GROUP_LIMIT,
    ) -> None:
        if is_memory(str(engine.url)) and not inline:
            raise StoreError("A database in memory has one connection only.", hint="Use inline=True or a file.")
        self.engine, self.plant, self._clock, self._inline, self._limit = engine, plant, clock, inline, group_limit
        self._memory = Memory(kinds)
        address = Address(publish_prefix, place, outbox, areas or {})
        self._writer = Writer(engine, self._memory, plant=plant, ids=ids, address=address)
        self._queue: queue.SimpleQueue[list[Wish] | None] = queue.SimpleQueue()
        self._gathered: list[Wish] = []
        self._waiting = 0
        self._observers: list[Observer] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open = False

    async def start(self) -> None:
        """Upgrades a SQLite file if needed, loads the states and starts the writer. Raises SchemaTooNew, SchemaTooOld."""
        self._loop = asyncio.get_running_loop()
        if self._inline:
            self._prepare()
        else:
            await asyncio.to_thread(self._prepare)
            self._thread = threading.Thread(target=self._work, name="mes-writer", daemon=True)
            self._thread.start()
        self._open = True

    async def close(self) -> None:
        """Carries out what waits, then ends the writer."""
        if not self._open:
            return
        self._open = False
        self._hand_over()
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        else:
            self._writer.close()

    async def run(self, story: Callable[[Tx], T], *, actor: str, cmd_id: str | None = None, body: Any = None) -> T:
        """See the port. Raises what the story raises, StoreBusy or StoreFull when nothing could be written."""
        if not self._open:
            raise StoreError("The store is not open.", code="store_closed")
        if self._waiting >= WAITING_LIMIT:
            raise StoreBusy(f"{self._waiting} commands wait already.", hint="Repeat it in a moment.")
        wish = Wish(story, actor, self._clock.now(), cmd_id or "", body_hash(body) if cmd_id else "")
        if self._inline:
            events = self._writer.carry_out([wish])
            self._tell(events)
            if wish.error is not None:
                raise wish.error
            return cast(T, wish.answer)
        return cast(T, await self._in_line(wish))

    def get(self, model: type[S], key: str) -> S | None:
        return self._memory.get(model, key)

    def find(self, model: type[S], group: str | None = None) -> list[S]:
        return self._memory.find(model, group)

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last event."""
        return self._memory.head_seq, self._memory.head_hash

    def events(
        self, *, after: int = 0, kind: str | None = None, key: str | None = None, limit: int = 1000
    ) -> list[Event]:
        rows = table("event")
        query = select(rows).where(rows.c.plant == self.plant, rows.c.seq > after).order_by(rows.c.seq).limit(limit)
        if kind is not None:
            query = query.where(rows.c.kind == kind)
        if key is not None:
            query = query.where(rows.c.key == key)
        try:
            with self.engine.connect() as conn:
                return [event_of(row) for row in conn.execute(query)]
        except DBAPIError as error:
            raise translate(error) from error

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        self._observers.append(observer)

        def end() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return end

    def _prepare(self) -> None:
        make_ready(self.engine)
        self._writer.load()

    async def _in_line(self, wish: Wish) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        wish.extra["future"] = future
        self._waiting += 1
        self._gathered.append(wish)
        # Callers woken by the same commit ask in the same turn of the loop: they are handed over together.
        if len(self._gathered) == 1:
            loop.call_soon(self._hand_over)
        return await future

    def _hand_over(self) -> None:
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered = []

    def _work(self) -> None:
        """The writer thread: until None comes."""
        left: list[Wish] = []
        going = True
        while going or left:
            group, left, going = self._next_group(left, going)
            try:
                events = self._writer.carry_out(group) if group else self._writer.catch_up()
            except Exception as error:  # noqa: BLE001  the writer outlives every fault; the callers get it
                events = []
                for wish in group:
                    wish.answer, wish.error = None, error
                if not group:
                    log.debug("store: could not look for events of other processes: %s", error)
            if group or events:
                self._answer(group, events)
        self._writer.close()

    def _next_group(self, left: list[Wish], going: bool) -> tuple[list[Wish], list[Wish], bool]:
        """(group, left over, whether more may come); an empty group when nothing came for IDLE_S."""
        try:
            while going and len(left) < self._limit:
                more = self._queue.get_nowait() if left else self._queue.get(timeout=IDLE_S)
                if more is None:
                    going = False
                else:
                    left = left + more
        except queue.Empty:
            pass
        return left[: self._limit], left[self._limit :], going

    def _answer(self, group: Iterable[Wish], events: Sequence[Event]) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        try:
            self._loop.call_soon_threadsafe(self._settle, group, events)
        except RuntimeError:
            log.warning("store: the event loop ended before %d events could be told", len(events))

    def _settle(self, group: Iterable[Wish], events: Sequence[Event]) -> None:
        self._tell(events)
        for wish in group:
            self._waiting -= 1
            future: asyncio.Future[Any] = wish.extra["future"]
            if future.done():
                continue
            if wish.error is not None:
                future.set_exception(wish.error)
            else:
                future.set_result(wish.answer)

    def _tell(self, events: Sequence[Event]) -> None:
        if not events:
            return
        for observer in tuple(self._observers):
            try:
                observer(events)
            except Exception:
                log.exception("store: an observer failed")


class Message(NamedTuple):
    """One row of the outbox that is not sent yet."""

    id: int
    topic: str
    payload: bytes
    retain: bool
    qos: int


class Outgoing:
    """The outbox of one plant. Raises StoreError when the database does not answer."""

    def __init__(self, engine: Engine, plant: str) -> None:
        self._engine, self._plant = engine, plant

    def unsent(self, limit: int = 100) -> list[Message]:
        query = select(OUTBOX).where(
            OUTBOX.c.plant == self._plant, OUTBOX.c.sent_at.is_(None), OUTBOX.c.refused.is_(None)
        )
        try:
            with self._engine.connect() as conn:
                rows = conn.execute(query.order_by(OUTBOX.c.id).limit(limit))
                return [Message(row.id, row.topic, row.payload.encode(), row.retain, row.qos) for row in rows]
        except DBAPIError as error:
            raise translate(error) from error

    def mark_sent(self, ids: Sequence[int], at: datetime) -> None:
        self._write(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(sent_at=at))

    def mark_refused(self, id_: int, reason: str) -> None:
        """Puts a message into quarantine: it is kept, but no longer stands in the way of the others."""
        self._write(update(OUTBOX).where(OUTBOX.c.id == id_).values(refused=reason[:500]))

    def prune(self, before: datetime) -> None:
        """Forgets messages that were sent before a time."""
        self._write(delete(OUTBOX).where(OUTBOX.c.plant == self._plant, OUTBOX.c.sent_at < before))

    def _write(self, statement: object) -> None:
        try:
            with writing(self._engine) as conn, conn.begin():
                conn.execute(statement)  # type: ignore[call-overload]
        except DBAPIError as error:
            raise translate(error) from error
