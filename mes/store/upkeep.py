"""Care for the database: upgrade it to this program, check that nothing was tampered with, back it up, restore it."""

import fcntl
import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from mes.core.errors import NotFound, SchemaTooNew, SchemaTooOld, StoreBusy, StoreError
from mes.core.event import StreamKind
from mes.store.engine import is_memory, make_engine, translate, writing
from mes.store.memory import GENESIS, Entry, Place, chain_hash, event_of, fold
from mes.store.rows import METADATA, SQLITE_GUARDS, table

REVISIONS = ("0001",)
"""All steps this program knows, oldest first; the last is the one it works with."""
HEAD = REVISIONS[-1]
MIGRATIONS = Path(__file__).parent / "migrations"


def revision_of(engine: Engine) -> str | None:
    """The database's step, or None for an empty one."""
    try:
        with engine.connect() as conn:
            if not inspect(conn).has_table("alembic_version"):
                return None
            return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError as error:
        raise translate(error) from error


def make_ready(engine: Engine) -> None:
    """Refuses a database of another time; a SQLite file is upgraded after a copy of it was made.

    Raises SchemaTooNew, and SchemaTooOld for PostgreSQL, whose upgrade is a person's decision (`mes db upgrade`).
    """
    revision = revision_of(engine)
    if revision == HEAD:
        return
    if revision is not None and revision not in REVISIONS:
        raise SchemaTooNew(
            f"The database is at step {revision}, which this program ({HEAD}) does not know.",
            hint="Start the newer program, or restore a backup made by this one.",
        )
    if engine.dialect.name == "postgresql":
        state = "empty" if revision is None else f"at step {revision}"
        raise SchemaTooOld(
            f"The database is {state}; this program needs step {HEAD}.", hint="Back it up, then run `mes db upgrade`."
        )
    _grow(engine, revision)


def upgrade(url: str) -> None:
    """Brings a database to this program's step. SQLite is copied beside itself first. Raises SchemaTooNew."""
    engine = make_engine(url)
    try:
        revision = revision_of(engine)
        if engine.dialect.name == "sqlite" or (revision is not None and revision not in REVISIONS):
            make_ready(engine)
        elif revision != HEAD:
            _grow(engine, revision)
    finally:
        engine.dispose()


def check(url: str, kinds: Iterable[StreamKind]) -> list[str]:
    """What is wrong with a database, one sentence each: file, chain of hashes, gaps, folds against states, outbox."""
    engine = make_engine(url)
    known = {kind.name: kind for kind in kinds}
    try:
        make_ready(engine)
        with engine.connect() as conn, conn.begin():
            if engine.dialect.name == "postgresql":
                conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            problems = _check_file(conn)
            for plant in conn.execute(text("SELECT plant FROM event UNION SELECT plant FROM state")).scalars().all():
                things, found = _check_log(conn, plant, known)
                problems += found + _check_states(conn, plant, known, things)
            return problems + _check_outbox(conn)
    except DBAPIError as error:
        raise translate(error) from error
    finally:
        engine.dispose()


def backup(url: str, out: Path) -> None:
    """Copies a SQLite database, while it is in use, into the file `out`. Raises NotFound without a database, StoreError for PostgreSQL."""
    source_file = _file(url)
    if not source_file.exists():
        raise NotFound(f"There is no database {source_file}.", hint="Name its data folder with --data.")
    try:
        with closing(sqlite3.connect(source_file)) as source, closing(sqlite3.connect(out)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise StoreError(
            f"The backup to {out} failed: {error}.", code="backup_failed", hint="Check the path and the free space."
        ) from error


def restore(file: Path, url: str) -> None:
    """Puts a backup in the place of a SQLite database; the old one is kept as `….before`. Raises StoreBusy when a line runs on it."""
    target = _file(url)
    if not file.exists():
        raise NotFound(f"{file} does not exist.", hint="Name a file that `mes db backup` wrote.")
    if not _is_sound(file):
        raise StoreError(
            f"{file} is damaged or no database; nothing was restored.",
            code="backup_damaged",
            hint="Name a file that `mes db backup` wrote.",
        )
    if any(_is_held(lock) for lock in target.parent.glob(target.name + ".*.lock")):
        raise StoreBusy(f"A program runs on {target}.", code="database_in_use", hint="Stop the MES, then restore.")
    if target.exists():
        shutil.copy2(target, target.with_name(target.name + ".before"))
    for tail in ("", "-wal", "-shm"):
        target.with_name(target.name + tail).unlink(missing_ok=True)
    shutil.copy2(file, target)


def _is_held(lock: Path) -> bool:
    with lock.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _grow(engine: Engine, revision: str | None) -> None:
    if is_memory(str(engine.url)) and revision is None:
        _create(engine)
        return
    if revision is not None and engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        backup(str(engine.url), file.with_name(f"{file.name}.step-{revision}"))
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with writing(engine) as conn, conn.begin():
        if engine.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(7305)"))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def _create(engine: Engine) -> None:
    """A new database in memory, straight from the tables: a simulation starts many of them."""
    with writing(engine) as conn, conn.begin():
        METADATA.create_all(conn)
        for guard in SQLITE_GUARDS:
            conn.execute(text(guard))
        conn.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        conn.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def _file(url: str) -> Path:
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or is_memory(url):
        raise StoreError("Only a SQLite file is backed up here.", hint="Use pg_dump and pg_restore for PostgreSQL.")
    return Path(str(parts.database))


def _is_sound(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as probe:
        try:
            tables = probe.execute("SELECT count(*) FROM sqlite_master WHERE name = 'event'").fetchone()
            return bool(tables[0]) and probe.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        except sqlite3.DatabaseError:
            return False


def _check_file(conn: Connection) -> list[str]:
    if conn.dialect.name != "sqlite":
        return []
    return [f"file: {row[0]}" for row in conn.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]


def _check_log(conn: Connection, plant: str, kinds: dict[str, StreamKind]) -> tuple[dict[Place, Entry], list[str]]:
    rows, problems = table("event"), list[str]()
    things: dict[Place, Entry] = {}
    last: dict[Place, int] = {}
    prev_hash, seq = GENESIS, 0
    for row in conn.execute(select(rows).where(rows.c.plant == plant).order_by(rows.c.seq)):
        event, place = event_of(row), (row.kind, row.key)
        if row.seq != seq + 1:
            problems.append(f"event {row.seq}: follows {seq}, so {row.seq - seq - 1} events are missing")
        if row.prev_hash != prev_hash or chain_hash(row.prev_hash, plant, event, row.data) != row.hash:
            problems.append(f"event {row.seq}: the chain of hashes is broken ({row.kind}/{row.key} {row.type})")
        if row.stream_seq != last.get(place, 0) + 1:
            problems.append(f"event {row.seq}: {row.kind}/{row.key} goes from {last.get(place, 0)} to {row.stream_seq}")
        prev_hash, seq, last[place] = row.hash, row.seq, row.stream_seq
        if row.kind in kinds:
            try:
                things[place] = fold(kinds[row.kind], things.get(place), event)
            except (StoreError, ValueError, AttributeError, TypeError, KeyError) as error:
                problems.append(f"event {row.seq}: cannot be folded: {error}")
    return things, problems


def _check_states(conn: Connection, plant: str, kinds: dict[str, StreamKind], things: dict[Place, Entry]) -> list[str]:
    rows, problems, left = table("state"), [], dict(things)
    for row in conn.execute(select(rows).where(rows.c.plant == plant).order_by(rows.c.kind, rows.c.key)):
        if row.kind not in kinds:
            problems.append(f"state {row.kind}/{row.key}: this program does not know the kind {row.kind}")
            continue
        entry = left.pop((row.kind, row.key), None)
        if entry is None:
            problems.append(f"state {row.kind}/{row.key}: has no events")
        elif (json.loads(row.doc), row.stream_seq, row.grp) != _plain(entry):
            problems.append(f"state {row.kind}/{row.key}: differs from the fold of its events")
    return [*problems, *(f"state {kind}/{key}: is missing" for kind, key in left)]


def _plain(entry: Entry) -> tuple[Any, int, str]:
    return json.loads(entry.state.model_dump_json()), entry.stream_seq, entry.group


def _check_outbox(conn: Connection) -> list[str]:
    rows, problems, seen = table("outbox"), [], set()
    for row in conn.execute(select(rows).order_by(rows.c.id)):
        try:
            known = json.loads(row.payload).get("id")
        except (ValueError, AttributeError):
            known = None
        if known != row.msg_id:
            problems.append(f"outbox {row.id}: the message is damaged")
        if row.msg_id in seen:
            problems.append(f"outbox {row.id}: the message {row.msg_id} stands there twice")
        seen.add(row.msg_id)
        if row.refused:
            problems.append(f"outbox {row.id}: the broker refused {row.topic}: {row.refused}")
    return problems
