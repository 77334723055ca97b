"""The demo plant as a test bench: simulated PLCs and `mes run` as processes of their own, in a folder that is thrown away."""

import asyncio
import json
import os
import socket
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mes.cli.children import Child, mes_argv, ready_line, start_child
from mes.cli.demo import demo_building, simulated_plant
from mes.cli.demo_site import DemoSite, prepare, save_clock, wind_clock
from mes.cli.output import say
from mes.core.errors import MesError
from mes.core.settings import read_settings

ONLINE_S = 30.0


@dataclass(frozen=True)
class BenchPlant:
    """`control` is the port on which the simulated PLCs take orders; `mes_pid` is the process that is measured."""

    url: str
    control: int
    mes_pid: int
    links: int

    async def tell(self, link: str, what: str, value: float | None = None) -> dict[str, Any]:
        """One order to the simulated PLCs, with their answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.control)
        try:
            writer.write((json.dumps({"link": link, "fault": what, "value": value}) + "\n").encode())
            answer: dict[str, Any] = json.loads(await reader.readline())
            return answer
        finally:
            writer.close()


@asynccontextmanager
async def bench_plant(*, orders: bool, speed: float = 1.0) -> AsyncIterator[BenchPlant]:
    """A running plant without a crew; with `orders` the demo building is taken in and planned before."""
    with tempfile.TemporaryDirectory(prefix="mes-bench-") as folder:
        site = DemoSite(Path(folder))
        port = free_port()
        settings = read_settings({**os.environ, "MES_HTTP_PORT": str(port)}, data=site.data)
        clock = wind_clock(site, speed, "Asia/Shanghai")
        if orders:
            building = await asyncio.to_thread(demo_building, site.data / "demo-building.ifc")
            await prepare(site, settings, clock, [building], say)
        save_clock(site, clock)
        clock = wind_clock(site, speed, "Asia/Shanghai")
        children: list[Child] = []
        try:
            argv = simulated_plant().serve_command(settings.plant, site.plcs, clock, ports="free", parent=os.getpid())
            children.append(await start_child("The simulated plant", argv, log=site.log("plcs"), pipe=True))
            ready = await ready_line(children[-1], site.log("plcs"))
            site.links.write_text(json.dumps(ready["links"]), encoding="utf-8")
            argv = mes_argv("run", "--data", str(site.data), "--clock", str(site.clock), "--links", str(site.links))
            argv += ["--parent", str(os.getpid())]
            env = {"MES_HTTP_PORT": str(port), "MES_PLANT": str(settings.plant)}
            children.append(await start_child("The MES", argv, log=site.log("mes"), env=env, pipe=True))
            await ready_line(children[-1], site.log("mes"))
            await _all_online(settings.url)
            yield BenchPlant(settings.url, int(ready["control"]), children[-1].pid, len(ready["links"]))
        finally:
            for child in reversed(children):
                await child.stop()


async def _all_online(url: str) -> None:
    """Waits until no PLC link is down. Raises MesError(code="links_down")."""
    ends = asyncio.get_running_loop().time() + ONLINE_S
    while (down := await asyncio.to_thread(_links_down, url)) and asyncio.get_running_loop().time() < ends:
        await asyncio.sleep(0.3)
    if down:
        raise MesError(f"These links do not come up: {', '.join(down)}.", code="links_down")


def _links_down(url: str) -> list[str]:
    with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310
        return list(json.load(answer)["links_down"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
