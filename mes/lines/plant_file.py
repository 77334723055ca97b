"""Reads a plant folder (plant.yaml, shifts.yaml, users.yaml) and names every fault at once with file and line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mes.core.errors import ConfigError, Fault
from mes.core.yamlfile import YamlFile
from mes.lines.plant import Plant, Segment, Shifts, Users

M = TypeVar("M", bound=BaseModel)

ALL_DAY = Shifts(
    week={
        day: [Segment(**{"from": "00:00", "to": "24:00"})] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    }
)


@dataclass(frozen=True)
class PlantFolder:
    """A plant as its folder describes it. Without shifts.yaml it works round the clock."""

    path: Path
    plant: Plant
    shifts: Shifts
    users: Users


def read_plant(folder: Path, *, machine_types: set[str] | None = None) -> PlantFolder:
    """Raises ConfigError with all faults of all three files. `machine_types` are the machines that exist ("manual" always does)."""
    faults: list[Fault] = []
    plant = _read(folder / "plant.yaml", Plant, faults, required=True)
    shifts = _read(folder / "shifts.yaml", Shifts, faults)
    users = _read(folder / "users.yaml", Users, faults)
    if plant is not None:
        faults += _check(folder / "plant.yaml", plant, machine_types)
    if faults or plant is None:
        raise ConfigError(faults)
    return PlantFolder(folder, plant, shifts or ALL_DAY, users or Users())


def validate(file: YamlFile, model: type[M], faults: list[Fault]) -> M | None:
    """Builds a model from a file; each fault is added with its line. Shared by all configuration files."""
    faults += file.duplicates
    try:
        return model.model_validate(file.data)
    except ValidationError as error:
        for item in error.errors():
            where = [part for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
            faults.append(file.fault(where, str(item["type"]), _sentence(item)))
        return None


def _read(path: Path, model: type[M], faults: list[Fault], *, required: bool = False) -> M | None:
    if not path.exists() and not required:
        return None
    try:
        file = YamlFile(path)
    except ConfigError as error:
        faults += error.faults
        return None
    return validate(file, model, faults)


def _sentence(item: Any) -> str:
    if item["type"] == "missing":
        return "is missing"
    if item["type"] == "extra_forbidden":
        return "is not a known field"
    return f"{item['msg']} (found {str(item.get('input'))[:60]!r})"


def _check(path: Path, plant: Plant, machine_types: set[str] | None) -> list[Fault]:
    """Faults that one model alone cannot see: ids used twice, machines that do not exist."""
    file = YamlFile(path)
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for a, area in enumerate(plant.areas):
        for n, line in enumerate(area.lines):
            for s, station in enumerate(line.stations):
                where: list[str | int] = ["areas", a, "lines", n, "stations", s]
                if station.id in seen:
                    faults.append(file.fault([*where, "id"], "duplicate", f"station {station.id!r} stands twice"))
                seen[station.id] = line.id
                known = machine_types is None or station.machine == "manual" or station.machine in machine_types
                if not known:
                    names = ", ".join(sorted(machine_types or ()))
                    faults.append(
                        file.fault(
                            [*where, "machine"],
                            "machine_unknown",
                            f"machine type {station.machine!r} does not exist; known: {names}",
                        )
                    )
                if station.machine != "manual" and station.link is None:
                    faults.append(
                        file.fault(where, "link_missing", f"station {station.id!r} has a machine and needs a link")
                    )
    for name, items in (("mixes", plant.mixes), ("curing_programs", plant.curing_programs), ("yard", plant.yard)):
        ids = [item.id for item in items]
        faults += [
            file.fault([name, i, "id"], "duplicate", f"{x!r} stands twice") for i, x in enumerate(ids) if x in ids[:i]
        ]
    return faults
