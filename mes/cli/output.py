"""How the command line speaks: one JSON document on standard output, sentences on standard error, and the exit codes of the contract."""

import errno
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer

from mes.core.errors import ConfigError, IntakeRejected, MesError

REFUSED, FAILED = 2, 1
FAILURES = ("store_error", "store_full", "store_busy", "disk_full", "system_failed", "answer_unreadable")
TRACEBACK = "MES_TRACEBACK"
FINDINGS_SHOWN = 20


def say(text: str) -> None:
    """A line for people: standard error, so that standard output stays one JSON document."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show(document: Any, as_json: bool, human: Callable[[Any], str] | None = None) -> None:
    """Prints the document as JSON, or as text for people."""
    text = (
        json.dumps(document, ensure_ascii=False, default=str, indent=2) if as_json or human is None else human(document)
    )
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def refusals(as_json: bool = False) -> Iterator[None]:
    """Turns deliberate errors into one sentence and exit code 2 (1 when the program's own memory failed); never a traceback."""
    try:
        yield
    except MesError as error:
        _refuse(error, as_json)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except OSError as error:
        _refuse(_of_system(error), as_json)


def failed(error: Exception) -> int:
    """The one sentence about a fault of the program itself, and its exit code."""
    say(f"The program failed: {type(error).__name__}: {error}. Set {TRACEBACK}=1 and repeat it to see where.")
    return FAILED


def _refuse(error: MesError, as_json: bool) -> NoReturn:
    say(_sentence(error))
    if as_json:
        show(_document(error), True)
    elif isinstance(error, IntakeRejected):
        for finding in error.findings[:FINDINGS_SHOWN]:
            say(f"  {finding.where}: {finding.message}" if finding.where else f"  {finding.message}")
    raise typer.Exit(FAILED if error.code in FAILURES else REFUSED) from error


def _sentence(error: MesError) -> str:
    text = str(error).strip()
    if "\n" in text:
        return f"{text}\n{error.hint}".strip()
    return f"{text if text.endswith(('.', '!', '?')) else text + '.'} {error.hint}".strip()


def _of_system(error: OSError) -> MesError:
    """A file that cannot be used is a refused input; anything else is the machine's failure."""
    told = f"{error.filename or 'The system'}: {error.strerror or error}."
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError | PermissionError):
        return MesError(told, code="file_unusable", hint="Check the path and its permissions.")
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return MesError(told, code="disk_full", hint="Free space on that disk, then repeat the command.")
    return MesError(told, code="system_failed")


def _document(error: MesError) -> dict[str, Any]:
    document: dict[str, Any] = {"error": {"code": error.code, "message": str(error), "hint": error.hint}}
    if isinstance(error, IntakeRejected):
        document["findings"] = [vars(finding) for finding in error.findings]
    if isinstance(error, ConfigError):
        document["faults"] = [vars(fault) for fault in error.faults]
    return document
