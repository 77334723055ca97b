"""One library, one door: a third-party library is known to one folder only, and heavy ones wait until they are needed."""

import subprocess
import sys

import pytest

from tests.contracts.house import ROOT, imports, short, source_files

DOORS: dict[str, tuple[str, ...]] = {
    "asyncua": ("mes/plc/opcua/", "simulators/"),
    "pymodbus": ("mes/plc/modbus/", "simulators/"),
    "paho": ("mes/exchange/mqtt",),
    "sqlmodel": ("mes/store/",),
    "sqlalchemy": ("mes/store/",),
    "alembic": ("mes/store/",),
    "psycopg": ("mes/store/",),
    "fastapi": ("mes/api/", "mes/terminals/", "mes/site/", "mes/app"),
    "starlette": ("mes/api/", "mes/terminals/", "mes/site/", "mes/app"),
    "ortools": ("mes/planning/solver",),
    "qrcode": ("mes/tracking/label",),
    "ifcopenshell": ("mes/orders/intake/ifc", "mes/exchange/delivery", "simulators/building"),
    "pandas": ("mes/store/views/", "mes/orders/intake/table"),
    "typst": ("mes/tracking/label", "mes/exchange/delivery"),
}
HEAVY = ("pandas", "ortools", "numba", "ifcopenshell", "typst", "alembic.command")
# The simulated PLCs are a second opinion about the wire: they share the tag files' models with the product, nothing else.
TWINS_NEVER = ("mes.plc.handshake", "mes.plc.opcua", "mes.plc.modbus", "mes.store", "mes.flows", "mes.api", "mes.app")
TWINS_MAY = ("mes.plc.handshake.config.",)


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_imported_at_its_door_only(library: str) -> None:
    wrong = [
        f"{short(path)}:{line}"
        for path in source_files("mes", "simulators")
        for name, line in imports(path)
        if name.split(".")[0] == library and not short(path).startswith(DOORS[library])
    ]
    assert wrong == []


def test_the_product_never_imports_simulators_or_tests() -> None:
    wrong = [
        f"{short(path)}:{line} {name}"
        for path in source_files("mes")
        for name, line in imports(path)
        if name.split(".")[0] in ("simulators", "tests")
    ]
    assert wrong == []


def test_the_simulators_speak_to_the_product_over_the_wire_only() -> None:
    wrong = [
        f"{short(path)}:{line} {name}"
        for path in source_files("simulators")
        for name, line in imports(path)
        if any(name == never or name.startswith(never + ".") for never in TWINS_NEVER)
        and not name.startswith(TWINS_MAY)
    ]
    assert wrong == []


def test_a_started_product_has_not_loaded_the_heavy_libraries() -> None:
    modules = [name for name in ("mes.app", "mes.api.web", "mes.core.event") if _exists(name)]
    code = f"import sys, {', '.join(modules)}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def _exists(module: str) -> bool:
    base = ROOT / module.replace(".", "/")
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()
