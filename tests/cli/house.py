"""The command line as a person uses it: real processes, a data folder of their own, a small order."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "config" / "plants" / "demo"
WAIT_S = 100


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def sentences(self) -> list[str]:
        """Lines on standard error without the progress of a file that is read."""
        return [line for line in self.err.splitlines() if not line.startswith("  ")]


@dataclass(frozen=True)
class Desk:
    """A data folder and the settings of the commands that use it."""

    data: Path
    plant: Path = DEMO

    def mes(self, *args: str, **env: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "mes", *args],
            cwd=ROOT,
            env=self.env(**env),
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def env(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MES_")}
        return {**kept, "MES_DATA": str(self.data), "MES_PLANT": str(self.plant), **more}

    def head(self) -> tuple[int, str]:
        """Number of events and hash of the last one."""
        conn = sqlite3.connect(self.data / "mes.db")
        try:
            row = conn.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        finally:
            conn.close()
        return tuple(row) if row else (0, "")

    def copy(self, folder: Path) -> "Desk":
        shutil.copytree(self.data, folder / "data")
        return Desk(folder / "data", self.plant)

    def with_plant(self, folder: Path, *changes: tuple[str, str], tags: tuple[str, str] | None = None) -> "Desk":
        """The same desk with a changed copy of the demo plant; each change must hit."""
        shutil.copytree(DEMO, folder / "plant")
        for file, old, new in [("plant.yaml", *c) for c in changes] + ([("tags.yaml", *tags)] if tags else []):
            path = folder / "plant" / file
            text = path.read_text(encoding="utf-8")
            assert old in text, old
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return Desk(self.data, folder / "plant")


def refused(said: Said, code: int = 2) -> str:
    """The one clear sentence of a refusal."""
    assert said.code == code, said
    assert "Traceback" not in said.err + said.out, said
    assert len(said.sentences) == 1, said.err
    assert said.sentences[0].endswith("."), said.err
    return said.sentences[0]


@contextmanager
def taken_port() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])
