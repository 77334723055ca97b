"""How each product family is made: its operations in order, read from the rule data, fitted to what a line can do."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from mes.core.errors import ConfigError, Fault, RuleBroken
from mes.core.yamlfile import YamlFile
from mes.lines.plant import Line, Part, Text, operation_of
from mes.lines.plant_file import validate

CHAMBER_OPERATIONS = ("chamber_in", "cure", "chamber_out")


class FamilyEntry(Part):
    """One product family as data. `mould` names a mould that stands on the pallet; without one the side forms are set."""

    name: Text
    routing: list[str]
    finish: Literal["float", "rake", "none"]
    demould: Literal["tilt", "lift"]
    mould: str | None = None
    curing_program: str
    rotate: bool = True
    label_face: str = ""


class Family(FamilyEntry):
    id: str


class Families(Part):
    """`families.yaml`; `operations` names all operations a routing may use."""

    version: int = 1
    operations: list[str] = []
    families: dict[str, FamilyEntry]


@dataclass(frozen=True)
class Step:
    """One operation of a routing and the station that does it; `cure` stands in the chamber and has no station work."""

    operation: str
    station: str


@cache
def load_families() -> dict[str, Family]:
    """All families of `config/rules/families.yaml`; raises ConfigError with all faults."""
    file = YamlFile(Path(str(files("config.rules") / "families.yaml")))
    faults: list[Fault] = []
    model = validate(file, Families, faults)
    if model is None or faults:
        raise ConfigError(faults)
    return {key: Family(id=key, **entry.model_dump()) for key, entry in model.families.items()}


def family(family_id: str) -> Family:
    families = load_families()
    if family_id not in families:
        raise RuleBroken(
            f"There is no product family {family_id!r}; known: {', '.join(sorted(families))}.",
            code="family_unknown",
            hint="Correct the import profile or add the family to config/rules/families.yaml.",
        )
    return families[family_id]


def steps_on(line: Line, of: Family) -> list[Step]:
    """The family's routing on this line. Operations the line has no station for are left out (a line without an oiler oils nothing)."""
    by_operation = {operation_of(station): station.id for station in line.stations}
    chamber = by_operation.get("cure")
    steps = []
    for operation in of.routing:
        if operation == "finish" and of.finish == "none":
            continue
        station = chamber if operation in CHAMBER_OPERATIONS else by_operation.get(operation)
        if station is not None:
            steps.append(Step(operation, station))
    return steps
