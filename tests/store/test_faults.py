"""Full disks, killed writers, databases of another time."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from mes.core.errors import ConfigError, MesError, SchemaTooNew, SchemaTooOld, StoreFull
from mes.store.engine import make_engine
from mes.store.upkeep import backup, check, restore, upgrade
from tests.store.conftest import PALLET, Pallet, move, store_on

KILLS = 20
VICTIM = """
import asyncio, sys
from tests.store.conftest import move, store_on

async def main():
    store = store_on(sys.argv[1])
    await store.start()
    async def caller(n):
        while True:
            answer = await store.run(move(f"P{n}", "s"), actor="victim")
            print(answer["key"], answer["moves"], flush=True)
    await asyncio.gather(*(caller(n) for n in range(8)))

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mes.db"
    acked: dict[str, int] = {}
    draw = random.Random(3)
    for _ in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", VICTIM, url], stdout=subprocess.PIPE, text=True) as victim:
            assert victim.stdout is not None
            for _ in range(draw.randrange(1, 200)):
                line = victim.stdout.readline().split()
                acked[line[0]] = max(acked.get(line[0], 0), int(line[1]))
            victim.kill()
            for line in (
                rest.split() for rest in victim.stdout.read().splitlines(keepends=True) if rest.endswith("\n")
            ):
                acked[line[0]] = max(acked.get(line[0], 0), int(line[1]))
    assert check(url, [PALLET]) == []
    store = store_on(url, inline=True)
    asyncio.run(store.start())
    stored = {pallet.name: pallet.moves for pallet in store.find(Pallet)}
    assert all(stored[key] >= moves for key, moves in acked.items())
    assert store.head[0] == sum(stored.values())
    store.engine.dispose()


async def test_full_disk_is_one_sentence_and_the_store_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mes.db"
    store = store_on(url)
    await store.start()
    await store.run(move("P01", "s1"), actor="a")
    conn = store._writer._connection()
    pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
    conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    conn.rollback()
    before = store.head[0]

    async def fill() -> None:
        for n in range(500):
            await store.run(move(f"P{n}", "s" * 500), actor="a")

    with pytest.raises(StoreFull, match="disk of the database is full"):
        await fill()
    kept = store.head[0]
    assert kept >= before
    assert sum(p.moves for p in store.find(Pallet)) == kept
    assert await asyncio.gather(*(store.run(lambda tx: 7, actor="a") for _ in range(3))) == [7] * 3
    conn.exec_driver_sql("PRAGMA max_page_count = 1000000")
    conn.rollback()
    await asyncio.gather(*(store.run(move(f"Q{n}", "s1"), actor="a") for n in range(20)))
    assert store.head[0] == kept + 20
    await store.close()
    store.engine.dispose()
    assert check(url, [PALLET]) == []


async def test_database_from_the_future_is_refused_and_untouched(url: str) -> None:
    engine = make_engine(url)
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store = store_on(url)
    for refused in (store.start(), asyncio.to_thread(upgrade, url), asyncio.to_thread(check, url, [PALLET])):
        with pytest.raises(SchemaTooNew, match="9999"):
            await refused
    store.engine.dispose()
    engine.dispose()


async def test_empty_postgresql_waits_for_a_person(empty_pg_url: str) -> None:
    store = store_on(empty_pg_url)
    with pytest.raises(SchemaTooOld, match="empty") as refused:
        await store.start()
    assert "mes db upgrade" in refused.value.hint
    upgrade(empty_pg_url)
    await store.start()
    await store.close()
    store.engine.dispose()


def test_migrated_tables_equal_the_declared_ones(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from mes.store.rows import METADATA
    from mes.store.upkeep import MIGRATIONS, REVISIONS

    engine = make_engine(url)
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()
    steps = sorted(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v*.py"))
    assert tuple(steps) == REVISIONS


async def test_backup_of_a_living_database_can_be_restored(tmp_path: Path) -> None:
    url, copy = f"sqlite:///{tmp_path}/mes.db", tmp_path / "copy.db"
    store = store_on(url)
    await store.start()
    await store.run(move("P01", "s1"), actor="a")
    backup(url, copy)
    await store.run(move("P01", "s2"), actor="a")
    await store.close()
    store.engine.dispose()
    restore(copy, url)
    again = store_on(url)
    await again.start()
    assert again.get(Pallet, "P01") == Pallet(name="P01", place="s1", moves=1)
    await again.close()
    again.engine.dispose()
    assert check(url, [PALLET]) == []
    assert (tmp_path / "mes.db.before").exists()


def test_restore_of_what_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    url, junk = f"sqlite:///{tmp_path}/mes.db", tmp_path / "junk.db"
    upgrade(url)
    junk.write_bytes(b"no database" * 1000)
    for file in (junk, tmp_path / "absent.db"):
        with pytest.raises(MesError, match=file.name):
            restore(file, url)
    assert check(url, [PALLET]) == []


def test_other_databases_are_refused() -> None:
    with pytest.raises(ConfigError, match="mysql"):
        make_engine("mysql://x/y")
