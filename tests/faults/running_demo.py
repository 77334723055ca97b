"""A real demo in a process group of its own: supervisor, simulated PLCs and the MES on loopback, without its crew."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.building import write_building
from tests.services import free_port

ROOT = Path(__file__).parents[2]
NODESET = ROOT / "mes/plc/_nodesets/opc.ua.isa95-jobcontrol.nodeset2.xml"
need_nodeset = pytest.mark.skipif(not NODESET.exists(), reason="mes/plc/_nodesets is empty: run `make web`")
PATIENCE_S = 90.0


def small_building(folder: Path, pieces: int) -> Path:
    """The first pieces of the demo building: three walls, then half-slabs."""
    return write_building(folder / "small.ifc", floors=1, bays=1, most=pieces)


class RunningDemo:
    """`http(user)` speaks as one of the demo's people, `fault` to the simulated PLCs."""

    def __init__(self, data: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.data, self.url, self.process = data, f"http://127.0.0.1:{port}", process

    def read(self, name: str) -> Any:
        return json.loads((self.data / name).read_text(encoding="utf-8"))

    def http(self, user: str | None = "lead") -> httpx.Client:
        headers = {}
        if user is not None:
            headers["Authorization"] = f"Bearer {self.read('demo-logins.json')['users'][user]['token']}"
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, trust_env=False)

    def fault(self, link: str, fault: str, **more: Any) -> dict[str, Any]:
        async def ask() -> dict[str, Any]:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.read("control.json")["port"])
            writer.write(json.dumps({"link": link, "fault": fault, **more}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await reader.readline())
            writer.close()
            return answer

        answer = asyncio.run(ask())
        assert answer["ok"], answer
        return answer

    def jobs(self, state: str = "open") -> list[dict[str, Any]]:
        with self.http() as http:
            found: list[dict[str, Any]] = http.get("/api/v1/jobs", params={"state": state}).raise_for_status().json()
        return found

    def job(self, job_id: str) -> dict[str, Any]:
        with self.http() as http:
            found: dict[str, Any] = http.get(f"/api/v1/jobs/{job_id}").raise_for_status().json()
        return found

    def stop(self) -> dict[str, Any]:
        """Ctrl-C; gives the summary that the demo prints at its end."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 0
        summary: dict[str, Any] = self.read("demo.json")
        return summary


@contextmanager
def running_demo(data: Path, pieces: int) -> Iterator[RunningDemo]:
    data.mkdir()
    port = free_port()
    argv = [sys.executable, "-m", "mes", "demo", "--headless", "--manual", "--json", "--speed", "40"]
    argv += ["--data", str(data), "--ifc", str(small_building(data, pieces))]
    with (data / "demo.json").open("wb") as out, (data / "demo.log").open("wb") as log:
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, "MES_HTTP_PORT": str(port)},
            stdout=out,
            stderr=log,
            start_new_session=True,
        )
    demo = RunningDemo(data, port, process)
    try:
        wait_for(lambda: _answers(demo), "the demo answers")
        yield demo
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def wait_for(look: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """The first true answer of `look`; fails with `what` when there is none."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"not within {seconds:g} s: {what}")


def _answers(demo: RunningDemo) -> bool:
    assert demo.process.poll() is None, (demo.data / "demo.log").read_text(encoding="utf-8")
    try:
        return httpx.get(f"{demo.url}/readyz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
