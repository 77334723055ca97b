"""The simulated crew: acts through the product's HTTP API as separate people, each with a token of their own."""

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from mes.core.clock import Clock
from simulators.crew_policy import Act, CrewPolicy

Log = logging.getLogger("simulators.crew")

POLL_S = 0.25
WAIT_S = 0.5


@dataclass
class Crew:
    """`tokens` by user name. Survives restarts of the MES: what was not answered is done again under the same command id."""

    url: str
    tokens: Mapping[str, str]
    clock: Clock
    policy: CrewPolicy
    parent: int | None = None
    _refused: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=5.0, trust_env=False) as client:
            while self.parent is None or os.getppid() == self.parent:
                try:
                    await self._round(client)
                    await asyncio.sleep(POLL_S)
                except httpx.HTTPError as error:
                    Log.info("the MES does not answer: %s", type(error).__name__)
                    await asyncio.sleep(WAIT_S)

    async def _round(self, client: httpx.AsyncClient) -> None:
        jobs = await self._get(client, "/api/v1/jobs")
        runs = {run["id"]: run for run in await self._get(client, "/api/v1/runs")}
        now = asyncio.get_running_loop().time()
        for act in self.policy.acts(self.clock.now(), jobs, runs):
            if self._refused.get(act.cmd_id, 0.0) <= now:
                await self._do(client, act)

    async def _get(self, client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
        answer = await client.get(path, headers=self._as("lead"))
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    async def _do(self, client: httpx.AsyncClient, act: Act) -> None:
        path, body = request_of(act)
        answer = await client.post(path, json=body, headers={**self._as(act.user), "Idempotency-Key": act.cmd_id})
        if answer.status_code >= 400:
            Log.info("%s %s: %s %s", act.verb, act.target, answer.status_code, answer.text[:200])
            self._refused[act.cmd_id] = asyncio.get_running_loop().time() + 2.0

    def _as(self, user: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[user]}"}


def request_of(act: Act) -> tuple[str, dict[str, Any]]:
    """Path and body of one act."""
    match act.verb:
        case "scan":
            return "/api/v1/scans", dict(act.data)
        case "cube_test":
            return f"/api/v1/runs/{act.target}/cube-test", dict(act.data)
        case "finish":
            return f"/api/v1/jobs/{act.target}/finish", {"data": dict(act.data)}
        case "settle":
            return f"/api/v1/jobs/{act.target}/settle", dict(act.data)
    return f"/api/v1/jobs/{act.target}/{act.verb}", {}


def read_tokens(path: Path) -> dict[str, str]:
    users = json.loads(path.read_text(encoding="utf-8"))["users"]
    return {name: entry["token"] for name, entry in users.items()}
