"""The simulated plant as the product sees it: how to start its processes, how to build it in memory, what really happened in it."""

import json
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from mes.core.clock import Clock, ScaledClock
from mes.lines.plant import Plant
from mes.plc.tagmap import TagMap

if TYPE_CHECKING:
    from simulators.memory_plant import MemoryPlant


class SimulatedFactory:
    """Registered under the entry point `mes.plants`."""

    def serve_command(
        self,
        plant_dir: Path,
        data_dir: Path,
        clock: ScaledClock,
        *,
        ports: Literal["config", "free"] = "config",
        parent: int | None = None,
        seed: int = 1,
    ) -> list[str]:
        """Command of the process that serves all PLCs; it prints one JSON line when ready."""
        command = [sys.executable, "-m", "simulators", "serve", str(plant_dir), "--data", str(data_dir)]
        return [*command, *_clock_options(clock), "--ports", ports, *_common(seed, parent)]

    def crew_command(
        self, url: str, credentials: Path, clock: ScaledClock, *, seed: int = 1, parent: int | None = None
    ) -> list[str]:
        """Command of the process that acts as the crew. `credentials` holds a token per user."""
        command = [sys.executable, "-m", "simulators", "crew", "--url", url, "--credentials", str(credentials)]
        return [*command, *_clock_options(clock), *_common(seed, parent)]

    def in_memory(
        self, plant: Plant, tagmap: TagMap, clock: Clock, rng: Random, *, faults: bool = False
    ) -> "MemoryPlant":
        """The same machines behind PLCs in this process."""
        from simulators.memory_plant import MemoryPlant

        return MemoryPlant(plant, tagmap, clock, rng, faults=faults)

    def journal(self, data_dir: Path) -> dict[str, Any]:
        """`double_starts`, `starts` by link and `jobs` (started, ended, settled by job id) as the machines wrote them."""
        from simulators.plcs.program import tally

        path = data_dir / "starts.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return tally([line for line in map(_line, text.splitlines()) if line is not None])

    def write_building(self, path: Path) -> Path:
        """Writes the demo building as an IFC file."""
        from simulators.building import write_building

        write_building(path)
        return path


def _line(text: str) -> dict[str, Any] | None:
    """A line torn by a power cut tells nothing."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def _clock_options(clock: ScaledClock) -> list[str]:
    return [
        *("--plant-start", clock.plant_start.isoformat()),
        *("--real-start", repr(clock.real_start)),
        *("--speed", repr(clock.speed)),
    ]


def _common(seed: int, parent: int | None) -> list[str]:
    return ["--seed", str(seed), *(["--parent", str(parent)] if parent is not None else [])]


PLANT = SimulatedFactory()
