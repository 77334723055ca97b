"""`mes bench faults`: a demo is killed at random moments and must still make every piece exactly once.

Mode `mes` kills the MES alone, which its supervisor starts again while the simulated PLCs live on. Mode `group` kills the
whole process group, PLCs and crew with it, and starts the demo again on the same folder: a power cut of the plant.
"""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mes.cli.children import last_words, mes_argv
from mes.core.errors import MesError

MODES = ("mes", "group")
POLL_S = 0.05
KEEP = (
    "components_ordered",
    "components_finished",
    "labels",
    "scanned",
    "double_starts",
    "lost_jobs",
    "faults",
    "invariants_violated",
    "scrapped",
    "unknown_settled",
    "refused_settled",
    "cube_tests",
    "jobs_done",
    "plc_starts",
    "events",
)


@dataclass
class Drill:
    """One demo under kills. They fall within about `within_s` seconds of the demo's life; `limit_s` bounds all of it."""

    data: Path
    files: Sequence[Path]
    mode: str
    kills: int
    seed: int
    within_s: float = 60.0
    limit_s: float = 900.0
    speed: float | None = None
    moments: list[float] = field(default_factory=list)
    _demo: subprocess.Popen[bytes] | None = None
    _began: float = 0.0

    def run(self) -> dict[str, Any]:
        """The document of the bench. Raises MesError when the demo fails or does not end in time."""
        if self.mode not in MODES:
            raise MesError(f"There is no mode {self.mode!r}.", code="mode_unknown", hint="Choose mes or group.")
        self.data.mkdir(parents=True, exist_ok=True)
        self._began = time.monotonic()
        rng = random.Random(self.seed)
        argv = self._argv()
        try:
            self._start(argv)
            for _ in range(self.kills):
                if not self._kill_once(rng.uniform(0.3, 2 * self.within_s / self.kills), argv):
                    break
            summary = self._end()
        finally:
            self._kill_group()
        return {
            "mode": self.mode,
            "kills": len(self.moments),
            "kills_at_s": self.moments,
            "seed": self.seed,
            **{name: summary[name] for name in KEEP},
            "wall_s": round(time.monotonic() - self._began, 1),
            "db_check": self._check(),
        }

    def _argv(self) -> list[str]:
        argv = mes_argv("demo", "--headless", "--until-complete", "--json", "--data", str(self.data))
        argv += ["--seed", str(self.seed)] + (["--speed", str(self.speed)] if self.speed else [])
        return argv + [part for file in self.files for part in ("--ifc", str(file))]

    def _start(self, argv: Sequence[str]) -> None:
        """The demo in a process group of its own, on the port it had before."""
        if "MES_HTTP_PORT" not in os.environ:
            os.environ["MES_HTTP_PORT"] = str(_free_port())
        (self.data / "mes.pid").unlink(missing_ok=True)
        with (self.data / "demo.json").open("wb") as out, (self.data / "demo.log").open("ab") as log:
            self._demo = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True
            )

    def _kill_once(self, after_s: float, argv: Sequence[str]) -> bool:
        """Kills some seconds after the MES was started; False when the demo was complete before."""
        pid = self._mes_pid()
        end = time.monotonic() + after_s
        while time.monotonic() < end:
            if self._ended():
                return False
            time.sleep(POLL_S)
        if self.mode == "mes":
            (self.data / "mes.pid").unlink(missing_ok=True)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        else:
            self._kill_group()
            self._start(argv)
        self.moments.append(round(time.monotonic() - self._began, 1))
        return True

    def _mes_pid(self) -> int:
        """Waits for the next MES of the demo."""
        while True:
            with contextlib.suppress(OSError, ValueError):
                return int((self.data / "mes.pid").read_text(encoding="utf-8"))
            if self._ended():
                raise MesError(f"The demo ended: {last_words(self.data / 'demo.log')}", code="demo_failed")
            time.sleep(POLL_S)

    def _ended(self) -> bool:
        assert self._demo is not None
        if time.monotonic() - self._began > self.limit_s:
            raise MesError(
                f"The demo was not complete after {self.limit_s:g} s.",
                code="demo_too_slow",
                hint=f"See the logs in {self.data}.",
            )
        return self._demo.poll() is not None

    def _end(self) -> dict[str, Any]:
        while not self._ended():
            time.sleep(POLL_S)
        assert self._demo is not None
        if self._demo.returncode != 0:
            raise MesError(f"The demo failed: {last_words(self.data / 'demo.log')}", code="demo_failed")
        document: dict[str, Any] = json.loads((self.data / "demo.json").read_text(encoding="utf-8"))
        return document

    def _kill_group(self) -> None:
        if self._demo is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._demo.pid, signal.SIGKILL)
            self._demo.wait()

    def _check(self) -> list[str]:
        """What `mes db check` finds wrong."""
        from mes.app_kinds import KINDS
        from mes.core.settings import read_settings
        from mes.store.upkeep import check

        return check(read_settings(data=self.data).database_url, KINDS)


def sound(document: dict[str, Any]) -> bool:
    """Every ordered piece was made exactly once and the memory holds."""
    made = document["components_finished"] + document["scrapped"] == document["components_ordered"] > 0
    wrong = document["double_starts"] or document["lost_jobs"] or document["invariants_violated"]
    return made and not wrong and not document["db_check"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
