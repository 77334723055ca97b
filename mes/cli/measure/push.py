"""How long a changed value of a PLC takes to the board in a real browser."""

import asyncio
import shutil
from typing import Any

from mes.cli.measure.plant import BenchPlant, bench_plant
from mes.core.errors import MesError

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
LINKS = {"oil": "opcua", "mark": "opcua", "vibration": "modbus", "levelling": "modbus"}
"""Links whose first gauge is pinned, and the protocol that carries it."""
WATCH = """() => {
  window.seen = {};
  for (const tile of document.querySelectorAll(".tile")) {
    const look = () => {
      const node = tile.querySelector(".gauges b");
      if (!node) return;
      const value = parseFloat(node.textContent.replace("▲ ", ""));
      const own = (window.seen[tile.dataset.station] ??= {});
      own[value] ??= performance.timeOrigin + performance.now();
    };
    new MutationObserver(look).observe(tile, { childList: true, subtree: true, characterData: true });
  }
}"""
LOST_S = 5.0


async def bench_push(changes: int) -> dict[str, Any]:
    """`{changes, lost, p50_ms, p99_ms, max_ms, by_protocol}`: from the write into the PLC's tag to the change of the page.

    Raises MesError(code="chromium_missing").
    """
    program = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if program is None:
        raise MesError("There is no Chromium on this machine.", code="chromium_missing", hint="Install chromium.")
    try:
        from playwright.async_api import async_playwright
    except ImportError as error:
        raise MesError("Playwright is not installed.", code="chromium_missing", hint="Install playwright.") from error
    async with bench_plant(orders=True, speed=1.0) as plant, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGS)
        try:
            page = await browser.new_page(viewport={"width": 1280, "height": 800})
            await page.goto(f"{plant.url}/")
            for station in LINKS:
                await page.wait_for_selector(f"#st-{station}:not(.t-nolink) .gauges b:not(.bad)", timeout=30_000)
            await page.evaluate(WATCH)
            spent = [await _change(plant, page, number) for number in range(changes)]
        finally:
            await browser.close()
    return _figures(spent)


async def _change(plant: BenchPlant, page: Any, number: int) -> tuple[str, float | None]:
    """One change of one gauge; gives protocol and ms, None when it never came."""
    link, protocol = list(LINKS.items())[number % len(LINKS)]
    value = 20.0 + (number // len(LINKS)) % 60
    await page.evaluate("([id, value]) => { delete (window.seen[id] ?? {})[value]; }", [link, value])
    await plant.tell(link, "pin", value)
    ends = asyncio.get_running_loop().time() + LOST_S
    while asyncio.get_running_loop().time() < ends:
        await asyncio.sleep(0.13 + 0.01 * (number % 13))  # out of step with polls and ticks
        seen = await page.evaluate("([id, value]) => window.seen[id]?.[value] ?? null", [link, value])
        if seen is not None:
            written = (await plant.tell(link, "state"))["pinned_shown_at"]
            return protocol, max(0.0, seen - 1000 * written)
    return protocol, None


def _figures(spent: list[tuple[str, float | None]]) -> dict[str, Any]:
    came = [(protocol, ms) for protocol, ms in spent if ms is not None]
    by_protocol = {name: _quantiles([ms for p, ms in came if p == name]) for name in sorted(set(LINKS.values()))}
    return {
        "changes": len(spent),
        "lost": len(spent) - len(came),
        **_quantiles([ms for _, ms in came]),
        "by_protocol": by_protocol,
        "from": "write into the simulated PLC's tag",
        "to": "change of the page's DOM",
    }


def _quantiles(values: list[float]) -> dict[str, float | None]:
    ranked = sorted(values)

    def at(share: float) -> float | None:
        return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))], 1) if ranked else None

    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)}
