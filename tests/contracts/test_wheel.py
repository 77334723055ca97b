"""The wheel carries what it needs: pages, fonts, nodesets, plant configuration and simulators; or it is not built at all."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.contracts.house import ROOT

NEEDED = (
    "mes/_web/htmx.js",
    "mes/_web/THIRD-PARTY.txt",
    "mes/_fonts/NotoSansSC-Regular.ttf",
    "mes/plc/_nodesets/opc.ua.isa95-jobcontrol.nodeset2.xml",
    "config/plants/demo/plant.yaml",
    "mes/core/event.py",
)


def _build(target: Path, root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_the_wheel_ships_the_built_parts(tmp_path: Path) -> None:
    if not (ROOT / "mes/_web/htmx.js").is_file():
        pytest.fail("the web parts are not built: run `make web` (make test does)")
    done = _build(tmp_path, ROOT)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert [name for name in NEEDED if name not in names] == []
    assert not [name for name in names if name.startswith(("tests/", "node_modules/", ".tools/"))]


def test_a_wheel_without_the_built_parts_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "clone"
    (root / "mes").mkdir(parents=True)
    (root / "mes/__init__.py").write_text('"""Empty."""\n')
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    done = _build(tmp_path / "out", root)
    assert done.returncode != 0
    assert "run `make web` first" in done.stdout + done.stderr
