"""The messages that wait to go out: read in order, marked when the broker has acknowledged them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import DBAPIError

from mes.store.engine import translate, writing
from mes.store.rows import table

OUTBOX = table("outbox")


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
