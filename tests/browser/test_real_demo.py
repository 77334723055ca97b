"""The board of a real running demo: supervisor, simulated PLCs on sockets and MES; it lives, goes stale and comes back."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from simulators.building import write_building

pytestmark = [pytest.mark.service, pytest.mark.slow]
WAIT_MS = 40_000
STATES = "() => [...document.querySelectorAll('.tile')].map(t => t.querySelector('.state-text').textContent + t.querySelector('.what').textContent)"


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """`mes demo` with a small building; gives its address and its folder."""
    building = await asyncio.to_thread(write_building, folder / "small.ifc", floors=1, bays=1, most=6)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", "mes", "demo", "--headless", "--speed", "120", "--ifc", str(building)]
    with (folder / "demo.log").open("wb") as log:
        demo = await asyncio.create_subprocess_exec(
            *argv,
            "--data",
            str(folder / "demo"),
            env={**os.environ, "MES_HTTP_PORT": str(port)},
            stdout=log,
            stderr=log,
        )
    try:
        pid = folder / "demo" / "mes.pid"
        async with asyncio.timeout(120):
            while not (pid.exists() and await asyncio.to_thread(_answers, port)):
                assert demo.returncode is None, (folder / "demo.log").read_text(encoding="utf-8")
                await asyncio.sleep(0.2)
        yield f"http://127.0.0.1:{port}", pid
    finally:
        if demo.returncode is None:
            demo.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(demo.wait(), 30)
            except TimeoutError:
                demo.kill()
                await demo.wait()


async def test_the_board_of_a_running_demo_lives_goes_stale_and_recovers(browser: Browser, tmp_path: Path) -> None:
    async with running_demo(tmp_path) as (url, pid_file):
        page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
        await page.goto(f"{url}/?lang=en")
        await expect(page.locator("#pulse")).to_have_attribute("data-live", "live", timeout=WAIT_MS)
        await expect(page.locator(".tile.t-nolink")).to_have_count(0, timeout=WAIT_MS)
        await expect(page.locator(".tile.t-running")).not_to_have_count(0, timeout=WAIT_MS)
        before = await page.evaluate(STATES)
        await page.wait_for_function(
            f"before => JSON.stringify(({STATES})()) !== before", arg=_text(before), timeout=WAIT_MS
        )
        first = int(pid_file.read_text(encoding="utf-8"))
        os.kill(first, signal.SIGKILL)
        await expect(page.locator("#stale")).to_be_visible(timeout=WAIT_MS)
        await expect(page.locator("#stale")).to_be_hidden(timeout=WAIT_MS)
        await expect(page.locator(".tile.t-nolink")).to_have_count(0, timeout=WAIT_MS)
        assert int(pid_file.read_text(encoding="utf-8")) != first


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _text(states: list[str]) -> str:
    return json.dumps(states, ensure_ascii=False, separators=(",", ":"))
