"""What the house rules look at: the source files of the product, parsed once."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("mes", "simulators", "config")


@cache
def source_files(*folders: str) -> tuple[Path, ...]:
    """Every Python file below these folders of the project, migrations included."""
    found = (p for folder in folders or SOURCES for p in (ROOT / folder).rglob("*.py"))
    return tuple(sorted(p for p in found if "__pycache__" not in p.parts))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[tuple[str, int]]:
    """The absolute names a file imports with their lines; `from a import b` counts as `a.b`."""
    tree = parsed(path)
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def docstrings(tree: ast.Module) -> set[int]:
    """Identities of the nodes that are docstrings."""
    owners = [
        n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    first = [n.body[0] for n in owners if n.body]
    return {id(s.value) for s in first if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)}
