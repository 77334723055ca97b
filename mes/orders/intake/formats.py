"""The file formats that orders may come in, each with its reader."""

from collections.abc import Callable
from pathlib import Path

from mes.core.errors import IntakeRejected
from mes.orders.intake.result import ImportResult

Progress = Callable[[int, int, str], None]
Reader = Callable[[Path, str | None, Progress], ImportResult]


def _ifc(path: Path, profile: str | None, progress: Progress) -> ImportResult:
    from mes.orders.intake.ifc import read_ifc  # heavy: geometry kernel

    return read_ifc(path, profile, progress)


FORMATS: dict[str, Reader] = {".ifc": _ifc}


def reader_for(path: Path) -> Reader:
    """The reader by the file's ending. Raises IntakeRejected("format_unknown") for any other ending."""
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        raise IntakeRejected(
            f"{path.name} has no format that can be read.",
            code="format_unknown",
            hint=f"Formats: {', '.join(sorted(FORMATS))}. A zipped model must be unpacked first.",
        )
    return reader
