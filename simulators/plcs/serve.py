"""All PLCs of a plant in one process: builds them from the plant folder, scans them, and ends when its parent is gone."""

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

from mes.core.clock import Clock
from mes.lines.plant_file import read_plant
from mes.plc.tagmap import TagMap, load_tagmap
from simulators.machines import TWINS
from simulators.plcs.faults import Faults
from simulators.plcs.modbus_plc import ModbusPlc
from simulators.plcs.opcua_plc import OpcUaPlc, OpcUaServer
from simulators.plcs.program import Battery, Journal, PlcProgram
from simulators.twin import Hall

Log = logging.getLogger("simulators.serve")
TICK_S = 0.05
NODESET = "opc.ua.isa95-jobcontrol.nodeset2.xml"
JOURNAL = "starts.jsonl"


@dataclass(frozen=True)
class Order:
    """How a plant is served: folder, memory folder, plant clock, ports of the file or free ones, seed."""

    folder: Path
    data: Path
    clock: Clock
    free_ports: bool = False
    seed: int = 1


class SimulatedPlant:
    """The PLCs of all links that have a machine in plant.yaml."""

    def __init__(self, order: Order) -> None:
        self.order = order
        order.data.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(order.data / JOURNAL)
        plant = read_plant(order.folder).plant
        chamber = next((line.chamber for line in plant.lines if line.chamber), None)
        self.hall = Hall(columns=chamber.columns, levels=chamber.levels) if chamber else Hall()
        self._machines = {
            s.link: s.machine for line in plant.lines for s in line.stations if s.link and s.machine in TWINS
        }
        self.modbus: dict[str, ModbusPlc] = {}
        self.opcua: dict[str, OpcUaPlc] = {}
        self.servers: dict[str, OpcUaServer] = {}
        self._build(load_tagmap(order.folder / "tags.yaml"))
        self.faults = Faults(self)

    @property
    def plcs(self) -> Mapping[str, ModbusPlc | OpcUaPlc]:
        return {**self.opcua, **self.modbus}

    async def start(self) -> dict[str, Any]:
        """Opens all ports; gives the ready message. Raises OSError when one is taken."""
        for modbus in self.modbus.values():
            await modbus.start()
        nodeset = Path(str(files("mes.plc").joinpath("_nodesets", NODESET)))
        for server in self.servers.values():
            await server.start(nodeset)
        control = await self.faults.listen()
        return {"ready": True, "links": {name: plc.place for name, plc in self.plcs.items()}, "control": control}

    async def run(self, parent: int | None = None) -> None:
        """Scans until cancelled, or until the process `parent` is no longer the parent."""
        while parent is None or os.getppid() == parent:
            await self.tick()
            await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """One scan of every PLC; a fault in one never stops the others."""
        now = asyncio.get_running_loop().time()
        frozen = {name for name, server in self.servers.items() if server.frozen(now)}
        for name, plc in self.plcs.items():
            try:
                if isinstance(plc, ModbusPlc):
                    plc.scan(now)
                elif plc.server.endpoint not in frozen:
                    await plc.scan(now)
            except Exception:  # noqa: BLE001
                Log.exception("the scan of %s failed", name)

    async def stop(self) -> None:
        self.faults.close()
        for plc in self.plcs.values():
            plc.program.remember()
        for modbus in self.modbus.values():
            await modbus.stop()
        for server in self.servers.values():
            with contextlib.suppress(Exception):
                await asyncio.wait_for(server.stop(), 2.0)

    def program(self, link: str) -> PlcProgram:
        """The program of a link as it comes up when power returns."""
        rng = Random(f"{self.order.seed}/{link}")
        twin = TWINS[self._machines[link]](self.hall, Random(rng.random()))
        epochs = Random(os.urandom(8))
        battery = Battery(self.order.data / f"{link}.json")
        return PlcProgram(link, twin, battery, self.journal, self.order.clock, epochs)

    def _build(self, tagmap: TagMap) -> None:
        for name, link in tagmap.links.items():
            if name not in self._machines:
                continue
            kind = getattr(link.handshake, "kind", "")
            if link.protocol == "modbus" and kind == "mailbox":
                moved = link.model_copy(update={"host": "127.0.0.1", "port": 0}) if self.order.free_ports else link
                self.modbus[name] = ModbusPlc(self.program(name), moved, tagmap.tags_of(name))
            elif link.protocol == "opcua" and kind == "job_control":
                server = self.servers.get(link.endpoint)
                if server is None:
                    server = self.servers[link.endpoint] = OpcUaServer(link.endpoint, free_port=self.order.free_ports)
                self.opcua[name] = OpcUaPlc(self.program(name), server, link, tagmap.tags_of(name))
        self.servers = {server.endpoint: server for server in self.servers.values()}


async def serve(order: Order, parent: int | None) -> None:
    """Serves until SIGTERM, SIGINT or the end of the parent. Prints one JSON line when ready."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    plant = SimulatedPlant(order)
    try:
        ready = await plant.start()
        os.write(1, (json.dumps(ready) + "\n").encode())
        running = asyncio.create_task(plant.run(parent))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([running, stopped], return_when=asyncio.FIRST_COMPLETED)
        running.cancel()
        stopped.cancel()
    finally:
        await plant.stop()
