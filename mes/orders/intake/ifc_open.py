"""The door of an IFC file: is it one, in a schema that can be read, whole, and with which text encoding."""

import re
from pathlib import Path
from typing import Any

from mes.core.errors import Finding, IntakeRejected

SCHEMAS = ("IFC2X3", "IFC4", "IFC4X3", "IFC4X3_ADD1", "IFC4X3_ADD2", "IFC4X3_TC1")
_SCHEMA = re.compile(rb"FILE_SCHEMA\s*\(\s*\(\s*'([^']*)'", re.IGNORECASE)
_INSTANCE = re.compile(rb"#\d+\s*=\s*[A-Za-z(]")
_HIGH = re.compile("[^\x00-\x7f]+")
_SAVE_AGAIN = "Export the model again as IFC2x3 or IFC4."


def open_ifc(path: Path, content: bytes) -> tuple[Any, list[Finding]]:
    """The opened model and remarks. Raises IntakeRejected: ifc_empty, ifc_broken, ifc_schema_unsupported, bim_missing."""
    schema = _checked_schema(path.name, content)
    try:
        import ifcopenshell
    except ImportError as error:
        raise IntakeRejected(
            "This installation cannot read IFC models.",
            code="bim_missing",
            hint="Install it with its BIM part: pip install 'precast-mes[bim]'.",
        ) from error
    findings: list[Finding] = []
    ifcopenshell.get_log()  # reading it empties it
    try:
        model = ifcopenshell.open(str(path)) if content.isascii() else _from_text(ifcopenshell, content, findings)
    except ifcopenshell.SchemaError as error:
        raise _unsupported(path.name, schema) from error
    except (ifcopenshell.Error, OSError, RuntimeError) as error:
        raise _broken(path.name, "it holds a syntax error", ifcopenshell.get_log()) from error
    log = [line for line in ifcopenshell.get_log().splitlines() if line.startswith("[error]")]
    if not model.by_type("IfcProject"):
        raise _broken(path.name, "it has no IfcProject", "\n".join(log))
    declared, held = len(_INSTANCE.findall(content)), len(model.entity_names())
    if held < 0.98 * declared:  # the parser may stop at garbage without a word
        raise _broken(path.name, f"only {held} of its {declared} instances can be read", "\n".join(log))
    if log:
        message = f"The file has {len(log)} error(s) that were read over, the first: {_plain(log[0])}"
        findings.append(Finding("warning", "ifc_errors", message, where=path.name))
    return model, findings


def _checked_schema(name: str, content: bytes) -> str:
    if not content.strip():
        raise IntakeRejected(f"{name} is empty.", code="ifc_empty", hint="Check the export or the download.")
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"ISO-10303-21"):
        raise IntakeRejected(
            f"{name} is not an IFC file: it does not start with ISO-10303-21.", code="ifc_broken", hint=_SAVE_AGAIN
        )
    match = _SCHEMA.search(content, 0, 200_000)
    if match is None:
        raise _broken(name, "its header names no schema", "")
    schema = match[1].decode("ascii", "replace").strip().upper()
    if schema not in SCHEMAS:
        raise _unsupported(name, schema)
    if b"END-ISO-10303-21" not in content[-4096:].upper():
        raise _broken(name, "its end is missing, so it was cut off", "")
    return schema


def _from_text(ifcopenshell: Any, content: bytes, findings: list[Finding]) -> Any:
    """Raw 8-bit text is no valid STEP, but common: it is rewritten with the \\X2\\ escapes before the parser sees it."""
    for encoding in ("utf-8-sig", "gb18030", "cp1252"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text, encoding = content.decode("latin-1"), "latin-1"
    findings.append(Finding("info", "text_encoding", f"The file's text is raw {encoding}, read as such."))
    escaped = _HIGH.sub(lambda m: f"\\X2\\{_utf16(m[0])}\\X0\\", text)
    return ifcopenshell.file.from_string(escaped)


def _utf16(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


def _unsupported(name: str, schema: str) -> IntakeRejected:
    return IntakeRejected(
        f"{name} is written in the IFC schema {schema}, which is not supported.",
        code="ifc_schema_unsupported",
        hint=f"{_SAVE_AGAIN} Supported: IFC2X3, IFC4, IFC4X3.",
    )


def _broken(name: str, why: str, log: str) -> IntakeRejected:
    lines = [_plain(line) for line in log.splitlines()[:20]]
    findings = [Finding("error", "ifc_broken", line, where=name) for line in lines]
    return IntakeRejected(
        f"{name} is a broken IFC file: {why}.", code="ifc_broken", hint=_SAVE_AGAIN, findings=findings
    )


def _plain(line: str) -> str:
    return re.sub(r"^(\[[^\]]*\]\s*)+", "", line)[:300]
