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
from mes.tracking.scan import ScanCommand

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


class UserRow(Protocol):
    name: str
    display: str
    roles: list[str]
    password_hash: str
    language: str
    active: bool


class SessionRow(Protocol):
    user: str
    expires_at: datetime


class People(Protocol):
    """Accounts as `mes/store/people.py` remembers them. Synchronous, callable from any thread; secrets come hashed."""

    def create_user(
        self, name: str, *, display: str, roles: Sequence[str], password_hash: str, language: str = "zh"
    ) -> Any: ...

    def get_user(self, name: str) -> UserRow | None: ...

    def users(self) -> Sequence[UserRow]: ...

    def set_password_hash(self, name: str, password_hash: str) -> None: ...

    def create_session(self, id_hash: str, user: str, expires_at: datetime) -> None: ...

    def find_session(self, id_hash: str) -> SessionRow | None: ...

    def delete_session(self, id_hash: str) -> None: ...

    def add_token(self, token_hash: str, user: str, label: str) -> None: ...

    def find_token(self, token_hash: str) -> Any | None: ...

    def record_try(self, key: str, ok: bool) -> None: ...

    def failed_tries(self, key: str, since: datetime) -> int: ...


@dataclass
class Services:
    """Handed to `create_app`. `links` may change while the program runs; it is read anew each time."""

    store: Store
    people: People
    telemetry: TelemetrySink
    tags: TagTable
    links: Iterable[LinkState]
    plant: PlantFolder
    clock: Clock
    ids: IdSource
    commands: Commands
