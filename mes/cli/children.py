"""Child processes of a demo: simulated PLCs, the MES itself and the crew; each ends when its parent is gone."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mes.core.errors import MesError

STOP_S = 8.0


@dataclass
class Child:
    """One child process; `name` is how it is spoken of."""

    name: str
    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        return self.process.pid

    async def stop(self) -> None:
        """Asks it to end, and ends it when it does not."""
        if self.process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), STOP_S)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.process.wait()

    def _signal(self, number: int) -> None:
        """Not by `process.send_signal`: that reaps a child which has just ended, and asyncio then reports 255 for it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)


async def start_child(
    name: str, argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, pipe: bool = False
) -> Child:
    """Starts a child whose messages go to `log`; with `pipe` its standard output can be read."""
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if pipe else out,
            stderr=out,
            env={**os.environ, **(env or {})},
        )
    return Child(name, process)


async def ready_line(child: Child, log: Path, timeout_s: float = 60.0) -> dict[str, Any]:
    """The one JSON line a child prints when it is ready. Raises MesError with the child's own words when it ends before."""
    assert child.process.stdout is not None
    try:
        line = await asyncio.wait_for(child.process.stdout.readline(), timeout_s)
    except TimeoutError:
        line = b""
    if not line:
        await child.stop()
        raise MesError(f"{child.name} did not start: {last_words(log)}", code="child_failed", hint=f"See {log}.")
    document: dict[str, Any] = json.loads(line)
    return document


def last_words(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def mes_argv(*args: str) -> list[str]:
    return [sys.executable, "-m", "mes", *args]
