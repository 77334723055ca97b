"""The door to the database: SQLite or PostgreSQL by URL, and the translation of their failures into store errors.

Sizes are bytes, times seconds. SQLite runs in WAL mode; `durable` decides between `synchronous=FULL` (a returned commit
survives a power cut) and `NORMAL` (the last commits may be lost, the file never breaks).
"""

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import StaticPool

from mes.core.errors import ConfigError, Fault, StoreBusy, StoreError, StoreFull

SQLITE_PRAGMAS = (
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    "busy_timeout=5000",
    "foreign_keys=ON",
    "cache_size=-65536",
    "temp_store=MEMORY",
    "wal_autocheckpoint=1000",
    "journal_size_limit=67108864",
)
PG_ARGS = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 2000,
    "application_name": "mes",
}
PG_DISK_FULL = "53100"
PG_BUSY = ("55P03", "57014", "53300", "40001", "40P01")


def make_engine(url: str, *, durable: bool = True) -> Engine:
    """An engine for `sqlite:///file`, `sqlite://` (in memory, one connection) or `postgresql://…` (psycopg 3).

    Raises ConfigError for any other scheme.
    """
    backend = _backend(url)
    if backend == "postgresql":
        return create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=16, connect_args=PG_ARGS)
    if backend != "sqlite":
        fault = Fault("environment", 0, "MES_DATABASE_URL", "scheme", f"{backend} is neither sqlite nor postgresql")
        raise ConfigError([fault])
    if is_memory(url):
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = create_engine(url)
    _tame_sqlite(engine, durable)
    return engine


def _backend(url: str) -> str:
    try:
        return make_url(url).get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        text = "is no database URL; write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        raise ConfigError([Fault("environment", 0, "MES_DATABASE_URL", "url", text)]) from error


def is_memory(url: str) -> bool:
    """Whether the URL names a SQLite database that lives in this process only."""
    parts = make_url(url)
    return parts.get_backend_name() == "sqlite" and parts.database in (None, "", ":memory:")


def writing(engine: Engine) -> Connection:
    """A connection whose transactions take SQLite's write lock at once: a read that upgrades later would fail instead of wait."""
    return engine.connect().execution_options(mes_write=True)


def translate(error: DBAPIError) -> StoreError:
    """The store error for what the database said."""
    origin: Any = error.orig
    code = getattr(origin, "sqlite_errorcode", None)
    state = getattr(origin, "sqlstate", None)
    text = str(origin).strip().splitlines()[0] if str(origin).strip() else type(origin).__name__
    if code == sqlite3.SQLITE_FULL or state == PG_DISK_FULL or "No space left" in text:
        return StoreFull(
            "The disk of the database is full; nothing was written.",
            hint="Free space on the database's disk, then repeat the command.",
        )
    if code is not None and code & 0xFF == sqlite3.SQLITE_IOERR:  # a full disk has no room for the files beside it
        return StoreFull(
            "The disk of the database is full or fails; nothing was written.",
            hint="Free space on the database's disk or mend it, then repeat the command.",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or state in PG_BUSY:
        return StoreBusy(f"The database is busy: {text}", hint="Repeat the command; stop other programs that hold it.")
    if error.connection_invalidated or (isinstance(error, OperationalError) and code is None):
        return StoreBusy(f"The database does not answer: {text}", hint="Check the database server, then repeat.")
    return StoreError(f"The database refused: {text}", hint="Run `mes db check`.")


def _tame_sqlite(engine: Engine, durable: bool) -> None:
    """PRAGMAs on connect, and transactions begun by us: sqlite3's own start too late for a consistent read."""

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        raw.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        for pragma in SQLITE_PRAGMAS:
            raw.execute("PRAGMA " + pragma)

    @event.listens_for(engine, "begin")
    def _begun(conn: Connection) -> None:
        write = conn.get_execution_options().get("mes_write", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def claim(engine: Engine, name: str) -> Callable[[], None] | None:
    """Takes a name for this process alone, as long as it lives: two processes never run the same line.

    Gives the function that lets it go, or None when another process holds it. SQLite: a lock file beside the database;
    PostgreSQL: an advisory lock of a connection of its own.
    """
    if engine.dialect.name == "postgresql":
        return _claim_postgres(engine, name)
    database = engine.url.database
    if is_memory(str(engine.url)) or database is None:
        return lambda: None
    handle = os.open(f"{database}.{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return lambda: os.close(handle)


def _claim_postgres(engine: Engine, name: str) -> Callable[[], None] | None:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    conn = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    conn.detach()  # out of the pool: closing it must end the session, which lets the lock go
    if conn.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar():
        return conn.close
    conn.close()
    return None
