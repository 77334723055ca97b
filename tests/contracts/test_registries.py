"""Registries are explicit dicts; each is compared with the folder it describes."""

import ast
from pathlib import Path

import pytest
import yaml

from mes.lines.machines import MACHINE_TYPES
from tests.contracts.house import ROOT, parsed

MACHINES = ROOT / "mes/lines/machines"
TWINS = ROOT / "simulators/machines"


def _modules(folder: Path) -> set[str]:
    return {p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")}


def test_every_machine_file_is_registered_and_every_entry_has_its_file() -> None:
    assert set(MACHINE_TYPES) == _modules(MACHINES)


@pytest.mark.parametrize("machine", sorted(MACHINE_TYPES))
def test_a_machine_type_explains_itself(machine: str) -> None:
    assert ast.get_docstring(parsed(MACHINES / f"{machine}.py"))


def test_every_machine_type_has_a_twin_among_the_simulators() -> None:
    assert sorted(set(MACHINE_TYPES) - _modules(TWINS)) == []


def test_every_station_of_the_demo_plant_has_a_known_machine_type() -> None:
    plant = yaml.safe_load((ROOT / "config/plants/demo/plant.yaml").read_text(encoding="utf-8"))
    named = set(_values(plant, "machine"))
    assert named, "the demo plant names no machine"
    assert sorted(named - set(MACHINE_TYPES) - {"manual"}) == []


def _values(node: object, key: str) -> list[str]:
    """Every text stored under `key`, at any depth."""
    if isinstance(node, dict):
        here = [v for k, v in node.items() if k == key and isinstance(v, str)]
        return here + [found for child in node.values() for found in _values(child, key)]
    if isinstance(node, list):
        return [found for child in node for found in _values(child, key)]
    return []
