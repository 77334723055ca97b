"""A whole web side on a real store in a temporary SQLite file, for tests: app, people with tokens, and what was asked."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from mes.api.accounts import ensure_demo_users
from mes.api.services import Services
from mes.api.web import create_app
from mes.core.clock import FixedClock, system_clock
from mes.core.errors import IntakeRejected
from mes.core.ids import SeededIds
from mes.core.settings import demo_plant
from mes.flows.commands import PlantCommands
from mes.flows.line.record_cube_test import record_cube_test
from mes.flows.line.work_job import finish_job, settle_job, start_job
from mes.flows.set_due import set_due
from mes.lines.plant_file import PlantFolder, read_plant
from mes.plc.tags import TagTable
from mes.store.engine import make_engine
from mes.store.log import SqlStore
from mes.store.people import People
from mes.terminals import add_pages
from tests.api.seed import KINDS, START, seed_line, seed_order, seed_tags


@dataclass
class StoryCommands:
    """The stories themselves, without PLCs and planner."""

    store: SqlStore
    folder: PlantFolder
    calls: list[str] = field(default_factory=list)

    async def start_job(self, job_id: str, actor: str, roles: Sequence[str], cmd_id: str) -> Any:
        self.calls.append(f"start {job_id}")
        return await self.store.run(lambda tx: start_job(tx, job_id), actor=actor, cmd_id=cmd_id, body=["s", job_id])

    async def finish_job(
        self, job_id: str, data: Mapping[str, Any], actor: str, roles: Sequence[str], cmd_id: str
    ) -> Any:
        body = ["f", job_id, dict(data)]
        plant = self.folder.plant
        return await self.store.run(
            lambda tx: finish_job(tx, plant, job_id, data), actor=actor, cmd_id=cmd_id, body=body
        )

    async def settle_job(
        self, job_id: str, decision: str, reason: str, actor: str, roles: Sequence[str], cmd_id: str
    ) -> Any:
        plant = self.folder.plant
        return await self.store.run(
            lambda tx: settle_job(tx, plant, plant.lines[0], job_id, decision, reason),  # type: ignore[arg-type]
            actor=actor, cmd_id=cmd_id, body=[job_id, decision, reason],
        )  # fmt: skip

    async def cube_test(self, run_id: str, strength_mpa: float, actor: str, cmd_id: str) -> Any:
        return await self.store.run(
            lambda tx: record_cube_test(tx, run_id, strength_mpa),
            actor=actor,
            cmd_id=cmd_id,
            body=[run_id, strength_mpa],
        )

    async def record_scan(self, command: Any, actor: str, roles: Sequence[str]) -> tuple[int, dict[str, Any]]:
        return await PlantCommands.record_scan(self, command, actor, roles)  # type: ignore[arg-type]

    async def settle_exception(self, exception_id: str, status: str, reason: str, actor: str, cmd_id: str) -> Any:
        return await PlantCommands.settle_exception(self, exception_id, status, reason, actor, cmd_id)  # type: ignore[arg-type]

    async def import_order(
        self, path: Path, project: str | None, profile: str | None, actor: str, progress: Any
    ) -> Any:
        progress(1, 2, "reading")
        await asyncio.sleep(0)
        if not path.read_bytes().startswith(b"ISO-10303-21;"):
            raise IntakeRejected(f"{path.name} is no IFC file.", code="ifc_broken", hint="Export it again.")
        progress(2, 2, "reading")
        return {"components": [{"mark": "A", "quantity": 2}], "excluded": [], "findings": [], "order_id": "O1"}

    async def set_due(self, order_id: str, rows: Any, actor: str) -> Any:
        return await self.store.run(lambda tx: set_due(tx, order_id, rows), actor=actor)

    async def release_plan(self, order_ids: Sequence[str], actor: str) -> dict[str, Any]:
        return {"plan_id": "P", "orders": list(order_ids)}


@dataclass
class House:
    app: FastAPI
    services: Services
    codes: list[str]
    accounts: dict[str, dict[str, str]]
    commands: StoryCommands
    links: list[Any]

    def client(self, user: str | None = None, **headers: str) -> httpx2.AsyncClient:
        if user:
            headers["Authorization"] = f"Bearer {self.accounts[user]['token']}"
        transport = httpx2.ASGITransport(app=self.app, client=("127.0.0.1", 5000), raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url="http://plant", headers=headers)


@asynccontextmanager
async def open_house(folder: Path, *, seed: bool = True, https: bool = False, **options: Any) -> AsyncIterator[House]:
    clock = FixedClock(START)
    ids = SeededIds(7)
    plant = read_plant(demo_plant())
    engine = make_engine(f"sqlite:///{folder / 'mes.db'}")
    store = SqlStore(engine, KINDS, plant="demo", clock=clock, ids=ids, outbox=False)
    await store.start()
    codes = await store.run(seed_order, actor="planner") if seed else []
    if seed:
        await store.run(lambda tx: seed_line(tx, plant.plant, codes), actor="operator")
    clock.move(5400)
    tags = TagTable(asyncio.get_running_loop().time)
    links = seed_tags(tags, plant.plant, clock.now()) if seed else []
    commands = StoryCommands(store, plant)
    people = People(engine, system_clock())
    services = Services(store, people, None, tags, links, plant, clock, ids, commands)  # type: ignore[arg-type]
    accounts = await asyncio.to_thread(ensure_demo_users, people, plant.users)
    app = create_app(services, public_url="http://127.0.0.1:8080", https=https, **options)
    add_pages(app)
    async with app.router.lifespan_context(app):
        yield House(app, services, codes, accounts, commands, links)
    await store.close()
