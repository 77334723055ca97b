"""Need-by dates of the site: reads `building,floor,need_by,sequence` lists and matches them with an order's storeys."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mes.core.errors import Finding, IntakeRejected
from mes.orders.order import Order, StoreyDue

HEADERS = {
    "building": ("building", "楼栋", "楼号"),
    "floor": ("floor", "storey", "楼层", "层"),
    "need_by": ("need_by", "due", "需要日期", "要货日期"),
    "sequence": ("sequence", "安装顺序", "吊装顺序"),
}
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")


@dataclass(frozen=True)
class DueRow:
    """One line of the list (1-based line number of the file). An empty building stands for every building of the order."""

    line: int
    building: str
    floor: str
    need_by: date | None
    sequence: int | None


def parse_due(content: bytes | str) -> list[DueRow]:
    """Reads the list; UTF-8 or GB18030, separated by comma, semicolon or tab. Raises IntakeRejected with all faulty lines."""
    text = content if isinstance(content, str) else _decode(content)
    lines = text.lstrip("\ufeff").splitlines()
    if not any(line.strip() for line in lines):
        raise IntakeRejected("The list of need-by dates is empty.", code="due_empty", hint=_HINT)
    separator = max(",;\t", key=lines[0].count)
    table = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
    columns = _columns(table[0])
    rows: list[DueRow] = []
    findings: list[Finding] = []
    for number, cells in enumerate(table[1:], start=2):
        if any(cell.strip() for cell in cells):
            _read_line(number, cells, columns, rows, findings)
    findings += _repeats(rows)
    if findings:
        raise IntakeRejected(
            f"The list of need-by dates has {len(findings)} faulty line(s); nothing was changed.",
            code="due_faulty",
            hint=_HINT,
            findings=findings,
        )
    return rows


def match_due(order: Order, rows: Sequence[DueRow]) -> list[StoreyDue]:
    """The order's storeys with their new dates. Raises IntakeRejected where a line names a storey the order has not."""
    result: dict[tuple[str, str], StoreyDue] = {}
    findings: list[Finding] = []
    for row in rows:
        hits = [s for s in order.storeys if s.storey == row.floor and row.building in ("", s.building)]
        if not hits:
            place = f"building {row.building!r}, floor {row.floor!r}" if row.building else f"floor {row.floor!r}"
            findings.append(
                Finding("error", "due_unknown_storey", f"The order has no {place}.", where=f"line {row.line}")
            )
        for storey in hits:
            result[storey.building, storey.storey] = storey.model_copy(
                update={"due": row.need_by, "sequence": row.sequence}
            )
    if findings:
        known = ", ".join(f"{s.building}/{s.storey}" for s in order.storeys)
        raise IntakeRejected(
            f"{len(findings)} line(s) name storeys that the order does not have; nothing was changed.",
            code="due_unknown_storey",
            hint=f"The order has: {known}.",
            findings=findings,
        )
    return list(result.values())


_HINT = "Columns: building,floor,need_by,sequence (楼栋,楼层,需要日期,安装顺序); dates like 2026-03-05."


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise IntakeRejected(
        "The list is neither UTF-8 nor GB18030 text.", code="due_encoding", hint="Save it as UTF-8 CSV."
    )


def _columns(header: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, cell in enumerate(header):
        for name, titles in HEADERS.items():
            if cell.strip().lower() in titles:
                found.setdefault(name, index)
    missing = [name for name in ("floor", "need_by") if name not in found]
    if missing:
        raise IntakeRejected(
            f"The first line of the list names no column {' and '.join(missing)}.",
            code="due_header",
            hint=_HINT,
            findings=[Finding("error", "due_header", "column missing: " + name, where="line 1") for name in missing],
        )
    return found


def _read_line(
    number: int, cells: Sequence[str], columns: dict[str, int], rows: list[DueRow], findings: list[Finding]
) -> None:
    value = {name: cells[index].strip() if index < len(cells) else "" for name, index in columns.items()}
    faults: list[Finding] = []
    where = f"line {number}"
    if not value["floor"]:
        faults.append(Finding("error", "due_no_floor", "The floor is empty.", where=where))
    need_by = _date(value["need_by"])
    if value["need_by"] and need_by is None:
        faults.append(Finding("error", "due_date", f"{value['need_by']!r} is no date like 2026-03-05.", where=where))
    order = value.get("sequence", "")
    if order and not (order.isascii() and order.isdigit() and len(order) < 10 and int(order) > 0):
        faults.append(Finding("error", "due_sequence", f"{order!r} is no whole number from 1.", where=where))
    findings += faults
    if not faults:
        rows.append(DueRow(number, value.get("building", ""), value["floor"], need_by, int(order) if order else None))


def _date(text: str) -> date | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def _repeats(rows: Sequence[DueRow]) -> list[Finding]:
    seen: dict[tuple[str, str], int] = {}
    findings = []
    for row in rows:
        first = seen.setdefault((row.building, row.floor), row.line)
        if first != row.line:
            message = f"The same building and floor already stand in line {first}."
            findings.append(Finding("error", "due_repeated", message, where=f"line {row.line}"))
    return findings
