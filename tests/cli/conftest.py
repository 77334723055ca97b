"""One small order, taken in once by the real command and copied for each test."""

from pathlib import Path

import pytest

from simulators.building import write_building
from tests.cli.house import Desk


@pytest.fixture(scope="session")
def building(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_building(tmp_path_factory.mktemp("model") / "house.ifc", floors=1, bays=1, most=4)


@pytest.fixture(scope="session")
def ordered(tmp_path_factory: pytest.TempPathFactory, building: Path) -> Desk:
    """A desk with one order that nobody has planned; tests that write take a copy."""
    desk = Desk(tmp_path_factory.mktemp("ordered") / "data")
    said = desk.mes("import", str(building), "--json")
    assert said.code == 0, said.err
    return desk


@pytest.fixture
def desk(tmp_path: Path, ordered: Desk) -> Desk:
    return ordered.copy(tmp_path)


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory, ordered: Desk) -> Desk:
    desk = ordered.copy(tmp_path_factory.mktemp("planned"))
    said = desk.mes("plan", "--evaluations", "50", "--json")
    assert said.code == 0, said.err
    (desk.data / "plan.json").write_text(said.out, encoding="utf-8")
    return desk
