"""What the web side is given when the house is put together: memory, people, readings, links, clock, ids and the stories."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mes.core.clock import Clock
from mes.core.ids import IdSource
from mes.core.ports import Store, TelemetrySink
from mes.lines.job import LineJob
from mes.lines.plant_file import PlantFolder
from mes.lines.run import PalletRun
from mes.orders.order import StoreyDue
from mes.plc.tags import TagTable
from mes.store.people import People
from mes.tracking.scan import ScanCommand, ScanException

Progress = Callable[[int, int, str], None]
"""Called with (done, of, what) while a file is read; may come from another thread."""


class Commands(Protocol):
    """The stories a person or a program may ask for over HTTP; `mes/app.py` wires them to `mes/flows`.

    `cmd_id` makes a repeat harmless: the same id gives the first answer again. All raise the errors of `core/errors.py`.
    """

    async def start_job(self, job_id: str, actor: str, roles: Sequence[str], cmd_id: str) -> LineJob: ...

    async def finish_job(
        self, job_id: str, data: Mapping[str, Any], actor: str, roles: Sequence[str], cmd_id: str
    ) -> LineJob: ...

    async def settle_job(
        self, job_id: str, decision: str, reason: str, actor: str, roles: Sequence[str], cmd_id: str
    ) -> LineJob: ...

    async def cube_test(self, run_id: str, strength_mpa: float, actor: str, cmd_id: str) -> PalletRun: ...

    async def record_scan(
        self, command: ScanCommand, actor: str, roles: Sequence[str]
    ) -> tuple[int, dict[str, Any]]: ...

    async def settle_exception(
        self, exception_id: str, status: str, reason: str, actor: str, cmd_id: str
    ) -> ScanException: ...

    async def import_order(
        self, path: Path, project: str | None, profile: str | None, actor: str, progress: Progress
    ) -> dict[str, Any]: ...

    async def set_due(self, order_id: str, rows: Sequence[StoreyDue], actor: str) -> Mapping[str, Any]: ...

    async def release_plan(self, order_ids: Sequence[str], actor: str) -> dict[str, Any]: ...


class LinkState(Protocol):
    """A PLC link as the board sees it; `since` is plant time."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> Any: ...

    @property
    def reason(self) -> str: ...

    @property
    def since(self) -> datetime | None: ...


@dataclass
class Services:
    """Handed to `create_app`. `people` runs on real time, not on plant time that may be fast. `links` may change while the program runs; it is read anew each time."""

    store: Store
    people: People
    telemetry: TelemetrySink
    tags: TagTable
    links: Iterable[LinkState]
    plant: PlantFolder
    clock: Clock
    ids: IdSource
    commands: Commands
