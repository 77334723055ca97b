"""Every folder with Python is a package (import rules silently skip one that is not), and its `__init__` only exports."""

import ast
from pathlib import Path

import pytest

from tests.contracts.house import ROOT, parsed, short, source_files

MIGRATIONS = "mes/store/migrations"


def test_every_folder_with_python_is_a_package() -> None:
    files = (*source_files(), *source_files("tests"))
    folders = {p.parent for p in files if MIGRATIONS not in short(p)}
    assert [short(f) for f in sorted(folders) if not (f / "__init__.py").is_file()] == []


def _only_exports(node: ast.stmt) -> bool:
    """Imports, a docstring, `__all__`, or a registry (an upper-case constant)."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return bool(targets) and all(
        isinstance(t, ast.Name) and (t.id in ("__all__", "__version__") or t.id.isupper()) for t in targets
    )


@pytest.mark.parametrize("path", [p for p in source_files() if p.name == "__init__.py"], ids=short)
def test_an_init_file_says_what_the_folder_is_and_exports(path: Path) -> None:
    tree = parsed(path)
    assert ast.get_docstring(tree), f"{short(path)} does not say what the folder is"
    assert [f"{short(path)}:{n.lineno}" for n in tree.body if not _only_exports(n)] == []


def test_every_module_says_what_it_is() -> None:
    assert [short(p) for p in source_files() if not ast.get_docstring(parsed(p))] == []


def test_the_root_is_found() -> None:
    assert (ROOT / "pyproject.toml").is_file()
    assert len(source_files()) > 10
