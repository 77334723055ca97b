"""The handshake's memory survives a restart, and each command stands in the log."""

from dataclasses import replace

from mes.core.clock import FixedClock
from mes.core.ids import SystemIds
from mes.core.ports import CommandTable, PlcCommand
from mes.store.commands import PLC_KINDS, StoreCommands
from mes.store.engine import make_engine
from mes.store.log import SqlStore
from mes.store.upkeep import check
from tests.store.conftest import AT

_TABLE: type[CommandTable] = StoreCommands
FIRST = PlcCommand("vib1", "4711", "start", 3, 1, (1, 65535, 0), "sent")


async def _open(url: str) -> tuple[SqlStore, StoreCommands]:
    store = SqlStore(make_engine(url), PLC_KINDS, plant="demo", clock=FixedClock(AT), ids=SystemIds())
    await store.start()
    return store, StoreCommands(store)


async def test_open_command_is_found_after_a_restart_and_decided_once(url: str) -> None:
    store, commands = await _open(url)
    assert (commands.next_seq("vib1"), commands.open("vib1")) == (1, None)
    await commands.save(FIRST)
    await store.close()
    store, commands = await _open(url)
    assert commands.open("vib1") == commands.last("vib1", "4711") == FIRST
    assert commands.open("vib2") is None
    assert commands.next_seq("vib1") == 2
    for state in ("accepted", "running", "running", "done"):
        await commands.save(replace(FIRST, state=state, detail=state))
    assert commands.open("vib1") is None
    assert commands.last("vib1", "4711") == replace(FIRST, state="done", detail="done")
    types = [e.type for e in store.events(kind="plc_command")]
    assert types == ["command_sent", "command_accepted", "command_running", "command_done"]
    await store.close()
    store.engine.dispose()
    assert check(url, PLC_KINDS) == []


async def test_numbers_go_round_without_zero_and_a_retry_takes_a_new_one(url: str) -> None:
    store, commands = await _open(url)
    await commands.save(replace(FIRST, seq=65534, state="refused"))
    await commands.save(replace(FIRST, seq=65535))
    assert commands.next_seq("vib1") == 1
    assert commands.last("vib1", "4711") == replace(FIRST, seq=65535)
    await store.close()
    store.engine.dispose()
