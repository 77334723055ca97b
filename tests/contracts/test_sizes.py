"""Small files, small functions, small folders: what one person can read in one sitting."""

import ast
from pathlib import Path

from tests.contracts.house import ROOT, parsed, short, source_files

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_FOLDER_FILES = 12
# Folders that hold one file for each of many equal things; their number grows with the product, not with untidiness.
ONE_FILE_EACH = ("mes/cli", "mes/flows", "mes/api/routes", "mes/lines/machines", "simulators/machines")


def _functions(path: Path) -> list[tuple[int, str]]:
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{short(path)}:{node.lineno} {node.name}")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _report(title: str, sizes: list[tuple[int, str]]) -> None:
    print(f"\n{title}")
    for size, name in sorted(sizes, reverse=True)[:5]:
        print(f"  {size:4d}  {name}")


def test_no_file_is_longer_than_400_lines() -> None:
    sizes = [(len(p.read_text(encoding="utf-8").splitlines()), short(p)) for p in source_files()]
    _report("longest files", sizes)
    assert [(n, name) for n, name in sizes if n > MAX_FILE_LINES] == []


def test_no_function_is_longer_than_50_lines() -> None:
    # A revision of the schema is a list of tables and columns, never changed once it is out.
    read = [path for path in source_files() if not short(path).startswith("mes/store/migrations/versions/")]
    sizes = [entry for path in read for entry in _functions(path)]
    _report("longest functions", sizes)
    assert [(n, name) for n, name in sizes if n > MAX_FUNCTION_LINES] == []


def test_no_folder_holds_more_than_twelve_modules() -> None:
    folders: dict[Path, int] = {}
    for path in source_files():
        folders[path.parent] = folders.get(path.parent, 0) + (path.name != "__init__.py")
    sizes = [(count, folder.relative_to(ROOT).as_posix()) for folder, count in folders.items()]
    _report("fullest folders", sizes)
    assert [(n, name) for n, name in sizes if n > MAX_FOLDER_FILES and name not in ONE_FILE_EACH] == []
