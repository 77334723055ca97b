"""Where the shared sample files are, and a demo building written once."""

import os
from pathlib import Path

import pytest

from simulators.building import write_building

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shared_ifc() -> Path:
    folder = Path(os.environ.get("MES_SHARED_DATA") or ROOT.parent / "shared" / "data") / "ifc"
    if not folder.is_dir():
        pytest.skip(f"sample models are not at {folder} (set MES_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def demo_ifc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("ifcopenshell")
    return write_building(tmp_path_factory.mktemp("ifc") / "demo.ifc", floors=2, bays=2)
