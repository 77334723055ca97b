"""A real headless Chromium for tests: skipped loudly where there is none, a failure where services are required."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"


def need_chromium() -> None:
    if CHROMIUM.exists():
        return
    if os.environ.get("MES_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{CHROMIUM} is missing and MES_REQUIRE_SERVICES=1")
    pytest.skip(f"SKIPPED LOUDLY: no Chromium at {CHROMIUM}; install the package chromium")


@asynccontextmanager
async def open_chromium() -> AsyncIterator[Browser]:
    need_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        try:
            yield browser
        finally:
            await browser.close()
