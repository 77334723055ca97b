"""What product code does not do: speak Chinese outside catalogues, read the machine's clock, leave stubs behind."""

import ast
import re

from tests.contracts.house import docstrings, parsed, short, source_files

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
# Bilingual data that stands beside what it names; texts of screens belong into mes/locale.
BILINGUAL = (
    "mes/cli/commands.py",
    "mes/lines/machines/",
    "mes/lines/plant.py",
    "mes/orders/due.py",
    "mes/orders/intake/",
    "mes/tracking/",
)
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("time", "time"),
    ("uuid", "uuid4"),
    ("uuid", "uuid1"),
    ("date", "today"),
}
# The command line is where the machine's own time enters: certificates are valid by it, runs are measured by it.
GIVERS = ("mes/core/clock.py", "mes/core/ids.py", "mes/cli/")


def test_texts_in_code_are_english() -> None:
    wrong = []
    for path in source_files("mes"):
        if short(path).startswith(BILINGUAL):
            continue
        tree = parsed(path)
        skip = docstrings(tree)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in skip
                and HAN.search(node.value)
            ):
                wrong.append(f"{short(path)}:{node.lineno}")
    assert wrong == []


def test_time_and_ids_are_handed_in() -> None:
    wrong = []
    for path in source_files("mes"):
        if short(path).startswith(GIVERS):
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                name = (
                    owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
                )
                if (name, node.func.attr) in CLOCKS:
                    wrong.append(f"{short(path)}:{node.lineno} {name}.{node.func.attr}()")
    assert wrong == []


def test_nothing_is_left_as_a_stub() -> None:
    wrong = [
        f"{short(path)}:{node.lineno}"
        for path in source_files()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Name) and node.id == "NotImplementedError"
    ]
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b")
    wrong += [
        f"{short(path)}:{number}"
        for path in source_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert wrong == []
