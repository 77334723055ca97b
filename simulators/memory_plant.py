"""The simulated plant in this process: the same twins behind PLCs in memory, for a whole day in seconds."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from mes.core.clock import Clock
from mes.lines.plant import Plant
from mes.orders.component_type import ComponentDraft
from mes.plc.soft import ENDED, OK, RUNNING, UNABLE, MemoryJobs, MemoryPlc
from mes.plc.tagmap import Tag, TagMap
from simulators.crew_policy import CrewPolicy
from simulators.machines import TWINS
from simulators.paper_order import paper_order
from simulators.twin import Hall, Twin

TICK_S = 0.2


class MemoryMachine:
    """One twin behind one PLC in memory."""

    def __init__(self, link: str, twin: Twin, tagmap: TagMap, clock: Clock) -> None:
        self.link, self.twin, self.clock = link, twin, clock
        self._tags = {tag.name: tag for tag in tagmap.tags_of(link)}
        self._beat = 0
        self.starts: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.refuse_next = False
        self.jobs = MemoryJobs(self._start)
        self.plc = MemoryPlc({name: _raw(tag, _zero(tag.type)) for name, tag in self._tags.items()}, jobs=self.jobs)
        self._job = ""

    def tick(self) -> None:
        """One scan of the PLC: the machine moves on, gauges and heartbeat are written, a finished job is reported."""
        self.twin.step(self.clock.now())
        self._beat = self._beat % 30_000 + 1
        values: dict[str, Any] = {f"{self.link}/heartbeat": self._beat}
        values |= {f"{self.link}/{name}": value for name, value in self.twin.gauges().items()}
        known = {name: _raw(self._tags[name], value) for name, value in values.items() if name in self._tags}
        self.plc.set_many(known)
        if self._job and self.twin.done:
            job, self._job = self._job, ""
            self.ends[job] += 1
            self.jobs.move(job, ENDED, data=dict(self.twin.result))

    def _start(self, job: str, parameters: Any) -> int:
        if self.refuse_next:
            self.refuse_next = False
            return UNABLE
        values = dict(parameters)
        payload = values.pop("payload", None)
        values.pop("payload_crc32", None)
        geometry = json.loads(payload) if payload else None
        if self.twin.start(int(job), values, geometry) is not None:
            return UNABLE
        self.starts[job] += 1
        self._job = job
        asyncio.get_running_loop().call_soon(self._running, job)
        return OK

    def _running(self, job: str) -> None:
        if self._job == job:
            self.jobs.move(job, RUNNING)


class MemoryPlant:
    """All machines of a plant. `plcs` are handed to the links; `run` moves the machines until cancelled."""

    def __init__(self, plant: Plant, tagmap: TagMap, clock: Clock, rng: Random, *, faults: bool = False) -> None:
        chamber = next((line.chamber for line in plant.lines if line.chamber), None)
        hall = Hall(columns=chamber.columns, levels=chamber.levels) if chamber else Hall()
        self.machines = {
            station.link: MemoryMachine(station.link, TWINS[station.machine](hall, Random(rng.random())), tagmap, clock)
            for line in plant.lines
            for station in line.stations
            if station.link is not None
        }
        self.plcs = {link: machine.plc for link, machine in self.machines.items()}
        self._rng, self._faults = rng, faults

    async def run(self) -> None:
        while True:
            for machine in self.machines.values():
                machine.tick()
            if self._faults:
                self._disturb()
            await asyncio.sleep(TICK_S)

    def double_starts(self) -> int:
        return sum(count - 1 for machine in self.machines.values() for count in machine.starts.values())

    def ended(self) -> set[str]:
        """Jobs that a machine has finished."""
        return {job for machine in self.machines.values() for job in machine.ends}

    def paper_order(self) -> list[ComponentDraft]:
        return paper_order(Random(self._rng.random()))

    def policy(self, seed: int, bay_of: Callable[[str], str]) -> CrewPolicy:
        return CrewPolicy(seed, bay_of)

    def _disturb(self) -> None:
        """Now and then a cable is cut for some seconds or a machine refuses its next job."""
        for machine in self.machines.values():
            chance = self._rng.random()
            if chance < 0.0004:
                machine.plc.reachable = False
                asyncio.get_running_loop().call_later(self._rng.uniform(1, 8), _mend, machine.plc)
            elif chance < 0.0006:
                machine.refuse_next = True


def _mend(plc: MemoryPlc) -> None:
    plc.reachable = True


def _raw(tag: Tag, value: Any) -> Any:
    """What the PLC holds for a value: its own units, whole numbers unless the tag is a float."""
    if isinstance(value, str | bool):
        return value
    raw = (value - tag.offset) / tag.scale
    return raw if tag.type.startswith("float") else round(raw)


def _zero(kind: str) -> Any:
    return "" if kind == "string" else False if kind in ("bool", "bit") else 0
