"""The log proves itself: folds equal states, and whoever tampers is found."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from mes.core.errors import RuleBroken
from mes.store.engine import make_engine
from mes.store.upkeep import check
from tests.store.conftest import PALLET, Pallet, move, store_on

_DATA = st.fixed_dictionaries(
    {}, optional={"place": st.text(max_size=8), "weights_kg": st.lists(st.floats(-1e9, 1e9), max_size=3)}
)
_STEPS = st.lists(st.tuples(st.sampled_from(["P1", "P2", "模台3"]), _DATA, st.booleans()), max_size=20)


@given(_STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fold_equals_states_whatever_happens(tmp_path: Path, steps: list[tuple[str, dict[str, object], bool]]) -> None:
    file = tmp_path / "mes.db"
    for tail in ("", "-wal", "-shm"):
        (tmp_path / f"mes.db{tail}").unlink(missing_ok=True)

    async def live() -> list[Pallet]:
        store = store_on(f"sqlite:///{file}", inline=True)
        await store.start()
        for key, data, refuse in steps:

            def story(tx: object, key: str = key, data: object = data, refuse: bool = refuse) -> None:
                tx.append(Pallet, key, "moved", data)  # type: ignore[attr-defined]
                if refuse:
                    raise RuleBroken("no")

            try:
                await store.run(story, actor="a")
            except RuleBroken:
                assert refuse
        found = store.find(Pallet)
        await store.close()
        again = store_on(f"sqlite:///{file}", inline=True)
        await again.start()
        assert again.find(Pallet) == found
        await again.close()
        for one in (store, again):
            one.engine.dispose()
        return found

    found = asyncio.run(live())
    assert check(f"sqlite:///{file}", [PALLET]) == []
    assert sum(p.moves for p in found) == sum(not refuse for _, _, refuse in steps)


TAMPERS = {
    "data": ('UPDATE event SET data = \'{"place":"s9"}\' WHERE seq = 2', "event 2: the chain"),
    "actor": ("UPDATE event SET actor = 'eve' WHERE seq = 1", "event 1: the chain"),
    "hole": ("DELETE FROM event WHERE seq = 2", "follows 1"),
    "tail": ("DELETE FROM event WHERE seq = 3", "differs from the fold"),
    "state": ("UPDATE state SET doc = replace(doc, 's3', 's4')", "differs from the fold"),
    "list": ("UPDATE state SET grp = 'x'", "differs from the fold"),
    "gone": ("DELETE FROM state", "is missing"),
    "message": ("UPDATE outbox SET payload = '{}' WHERE id = 1", "outbox 1: the message is damaged"),
}


@pytest.mark.parametrize("tamper", TAMPERS)
async def test_tampering_is_found(url: str, tamper: str) -> None:
    store = store_on(url)
    await store.start()
    for n in (1, 2, 3):
        await store.run(move("P01", f"s{n}"), actor="a")
    await store.close()
    store.engine.dispose()
    assert check(url, [PALLET]) == []
    statement, says = TAMPERS[tamper]
    engine = make_engine(url)
    with engine.begin() as conn:
        if engine.dialect.name == "sqlite":
            conn.execute(text("DROP TRIGGER event_no_update"))
            conn.execute(text("DROP TRIGGER event_no_delete"))
        else:
            conn.execute(text("DROP TRIGGER event_never_changed ON event"))
        conn.execute(text(statement))
    engine.dispose()
    assert any(says in problem for problem in check(url, [PALLET]))
