"""Children of the demo: how one of them ended is known for certain, also when it was killed while it started."""

import signal
from pathlib import Path

import pytest

from mes.cli.children import ready_line, start_child
from mes.core.errors import MesError

KILLED_AT_START = ["sh", "-c", "kill -KILL $$"]
TIMES = 150


async def test_a_child_that_was_killed_before_it_was_ready_is_known_as_killed(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    ends = set()
    for _ in range(TIMES):
        child = await start_child("The child", KILLED_AT_START, log=log, pipe=True)
        with pytest.raises(MesError, match="The child did not start"):
            await ready_line(child, log)
        ends.add(child.process.returncode)
    assert ends == {-signal.SIGKILL}


async def test_a_child_that_does_not_listen_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mes.cli.children.STOP_S", 0.3)
    deaf = "trap '' TERM; echo '{}'; while true; do sleep 0.1; done"
    child = await start_child("The child", ["sh", "-c", deaf], log=tmp_path / "child.log", pipe=True)
    assert await ready_line(child, tmp_path / "child.log") == {}
    await child.stop()
    assert child.process.returncode == -signal.SIGKILL
    await child.stop()
