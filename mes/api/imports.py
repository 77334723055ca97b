"""Imports that are going on: a file is read in the background while its page shows how far it is."""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mes.api.errors import body_of
from mes.api.services import Commands
from mes.core.errors import MesError, NotFound, StoreBusy

KEPT = 50
AT_ONCE = 2


@dataclass
class Import:
    """`state` is running, done or refused; `result` the import document, `problem` the refusal."""

    id: str
    file: str
    actor: str
    state: str = "running"
    done: int = 0
    of: int = 0
    what: str = ""
    result: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        names = ("id", "file", "state", "done", "of", "what", "result", "problem")
        return {name: getattr(self, name) for name in names}


class Imports:
    """The imports of this process; the last fifty are remembered."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._known: dict[str, Import] = {}

    def get(self, import_id: str) -> Import:
        if import_id not in self._known:
            raise NotFound(f"There is no import {import_id}.", hint="Look into the list of orders.")
        return self._known[import_id]

    def folder(self) -> Path:
        """A folder of its own for one uploaded file; `start` removes it at the end."""
        if sum(1 for one in self._known.values() if one.state == "running") >= AT_ONCE:
            raise StoreBusy("Two files are being read already.", hint="Wait until one of them is done.")
        return Path(tempfile.mkdtemp(prefix="mes-import-"))

    def start(self, import_id: str, path: Path, options: Mapping[str, str | None], actor: str) -> Import:
        one = Import(import_id, path.name, actor)
        self._known[import_id] = one
        for old in list(self._known)[:-KEPT]:
            del self._known[old]
        one.task = asyncio.create_task(self._read(one, path, options))
        return one

    async def _read(self, one: Import, path: Path, options: Mapping[str, str | None]) -> None:
        def progress(done: int, of: int, what: str) -> None:
            one.done, one.of, one.what = done, of, what

        try:
            one.result = await self._commands.import_order(
                path, options.get("project"), options.get("profile"), one.actor, progress
            )
            one.state = "done"
        except MesError as error:
            one.problem, one.state = body_of(error), "refused"
        finally:
            if one.state == "running":
                one.state = "refused"
                one.problem = {"status": 500, "code": "internal", "detail": "The file could not be read."}
            shutil.rmtree(path.parent, ignore_errors=True)
