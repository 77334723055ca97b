"""`mes demo`: the demo plant with simulated PLCs on real sockets, the MES, and a simulated crew."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from mes.cli.children import Child, last_words, mes_argv, ready_line, start_child
from mes.cli.demo_site import DemoSite, claim, logins, prepare, save_clock, wind_clock
from mes.cli.demo_summary import summary
from mes.cli.output import say
from mes.core.clock import ScaledClock
from mes.core.errors import MesError, NotFound
from mes.core.settings import Settings

RESTART_S = 0.5
STARTS = 10
CLOCK_S = 1.0


@dataclass
class Demo:
    """One run of the demo. `speed` scales process times only."""

    site: DemoSite
    settings: Settings
    speed: float
    files: Sequence[Path]
    headless: bool
    manual: bool
    until_complete: bool
    seed: int = 1
    clock: ScaledClock | None = None
    started: float = field(default_factory=time.monotonic)
    _children: list[Child] = field(default_factory=list)

    async def run(self) -> dict[str, Any]:
        """Runs until complete, interrupted or failed; all children are ended. Returns the summary of the contract."""
        with claim(self.site):
            need_free_port(self.settings.http_host, self.settings.http_port)
            plant = simulated_plant()
            self.clock = wind_clock(self.site, self.speed, "Asia/Shanghai")
            stop = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            try:
                await self._start(plant)
                await self._watch(stop)
            finally:
                save_clock(self.site, self.clock)
                for child in reversed(self._children):
                    await child.stop()
            return await summary(self.site, self.settings, self.clock, plant, time.monotonic() - self.started)

    async def _start(self, plant: Any) -> None:
        assert self.clock is not None
        last = await prepare(self.site, self.settings, self.clock, self.files, say, demo_building)
        save_clock(self.site, self.clock)
        self.clock = wind_clock(self.site, self.speed, "Asia/Shanghai", not_before=last)
        await self._start_plcs(plant)
        await self._start_mes()
        if not self.manual:
            await self._start_crew(plant)

    async def _start_plcs(self, plant: Any) -> None:
        assert self.clock is not None
        ports = "free" if self.headless else "config"
        argv = plant.serve_command(
            self.settings.plant, self.site.plcs, self.clock, ports=ports, parent=os.getpid(), seed=self.seed
        )
        child = await start_child("The simulated plant", argv, log=self.site.log("plcs"), pipe=True)
        self._children.append(child)
        ready = await ready_line(child, self.site.log("plcs"))
        self.site.links.write_text(json.dumps(ready["links"]), encoding="utf-8")
        self.site.control.write_text(json.dumps({"port": ready["control"]}), encoding="utf-8")
        say(f"{len(ready['links'])} simulated PLC links are up.")

    async def _start_mes(self) -> None:
        argv = mes_argv(
            "run", "--data", str(self.site.data), "--clock", str(self.site.clock), "--links", str(self.site.links)
        )
        argv += ["--parent", str(os.getpid())] + (["--until-complete"] if self.until_complete else [])
        env = {"MES_HTTP_PORT": str(self.settings.http_port), "MES_PLANT": str(self.settings.plant)}
        for left in range(STARTS, 0, -1):
            child = await start_child("The MES", argv, log=self.site.log("mes"), env=env, pipe=True)
            self._children.append(child)
            (self.site.data / "mes.pid").write_text(str(child.pid), encoding="utf-8")
            try:
                await ready_line(child, self.site.log("mes"))
                return
            except MesError:
                self._children.remove(child)
                if left == 1 or child.process.returncode != -signal.SIGKILL:
                    raise

    async def _start_crew(self, plant: Any) -> None:
        argv = plant.crew_command(self.settings.url, self.site.people, self.clock, seed=self.seed, parent=os.getpid())
        self._children.append(await start_child("The crew", argv, log=self.site.log("crew")))

    async def _watch(self, stop: asyncio.Event) -> None:
        """Starts the MES again when it was killed; ends when it says that all is done, or when it fails by itself."""
        assert self.clock is not None
        self._announce()
        while not stop.is_set():
            save_clock(self.site, self.clock)
            mes = next(child for child in self._children if child.name == "The MES")
            ended = asyncio.create_task(mes.process.wait())
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait([ended, stopped], timeout=CLOCK_S, return_when=asyncio.FIRST_COMPLETED)
            for task in (ended, stopped):
                task.cancel()
            if mes.process.returncode is None:
                continue
            if mes.process.returncode == 0:
                return
            if mes.process.returncode > 0:
                raise MesError(
                    f"The MES ended: {last_words(self.site.log('mes'))}",
                    code="mes_failed",
                    hint=f"See {self.site.log('mes')}.",
                )
            self._children.remove(mes)
            await asyncio.sleep(RESTART_S)
            await self._start_mes()

    def _announce(self) -> None:
        say(f"Board:  {self.settings.url}/\nOrders: {self.settings.url}/orders   Plan: {self.settings.url}/plan")
        if self.headless:
            return
        say("Demo logins (kept in " + str(self.site.people) + "):")
        for name, entry in logins(self.site).items():
            say(f"  {name:<11} {entry['password']}")
        say("Ctrl-C stops everything; the next start goes on where it stopped.")


def simulated_plant() -> Any:
    found = [entry for entry in entry_points(group="mes.plants") if entry.name == "simulated"]
    if not found:
        raise NotFound("No simulated plant is installed.", hint="Install the product with its simulators.")
    return found[0].load()


def demo_building(path: Path) -> Path:
    """The demo's own building, written by the simulated plant's generator."""
    return Path(simulated_plant().write_building(path))


def need_free_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise MesError(
                f"Port {port} on {host} is taken by another program.",
                code="port_taken",
                hint="Stop that program, or choose another port with MES_HTTP_PORT.",
            ) from error


def run_demo(demo: Demo) -> dict[str, Any]:
    return asyncio.run(demo.run())
