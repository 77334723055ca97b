"""Reads a plant folder (plant.yaml, shifts.yaml, users.yaml) and names every fault at once with file and line."""

from collections.abc import Iterator
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
    faults += _check(folder / "plant.yaml", machine_types)
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


def _check(path: Path, machine_types: set[str] | None) -> list[Fault]:
    """Faults that no single field shows: ids used twice, machines that do not exist. Reads what is there, however faulty the rest is."""
    try:
        file = YamlFile(path)
    except ConfigError:
        return []
    faults: list[Fault] = []
    seen: set[str] = set()
    for where, station in stations_of(file.data):
        faults += _station(file, where, station, seen, machine_types)
    for name in ("mixes", "curing_programs", "yard"):
        ids = [item.get("id") if isinstance(item, dict) else None for item in _list(file.data, name)]
        faults += [
            file.fault([name, i, "id"], "duplicate", f"{x!r} stands twice")
            for i, x in enumerate(ids)
            if x is not None and x in ids[:i]
        ]
    return faults


def stations_of(data: Any) -> Iterator[tuple[list[str | int], dict[str, Any]]]:
    """Path and fields of every station of a plant file as it was read, checked or not."""
    for a, area in enumerate(_list(data, "areas")):
        for n, line in enumerate(_list(area, "lines")):
            for s, station in enumerate(_list(line, "stations")):
                if isinstance(station, dict):
                    yield ["areas", a, "lines", n, "stations", s], station


def _list(data: Any, name: str) -> list[Any]:
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def _station(
    file: YamlFile,
    where: list[str | int],
    station: dict[str, Any],
    seen: set[str],
    machine_types: set[str] | None,
) -> Iterator[Fault]:
    name, machine = str(station.get("id")), station.get("machine")
    if name in seen:
        yield file.fault([*where, "id"], "duplicate", f"station {name!r} stands twice")
    seen.add(name)
    if not isinstance(machine, str) or machine == "manual":
        return
    if machine_types is not None and machine not in machine_types:
        names = ", ".join(sorted(machine_types))
        text = f"machine type {machine!r} does not exist; known: {names}"
        yield file.fault([*where, "machine"], "machine_unknown", text)
    if station.get("link") is None:
        yield file.fault(where, "link_missing", f"station {name!r} has a machine and needs a link")
