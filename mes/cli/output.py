"""How the command line speaks: one JSON document on standard output, sentences on standard error, and the exit codes of the contract."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from mes.core.errors import ConfigError, IntakeRejected, MesError, StoreError

REFUSED, FAILED = 2, 1


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
        say(f"{error}{' ' + error.hint if error.hint else ''}")
        if as_json:
            show(_document(error), True)
        raise typer.Exit(
            FAILED if isinstance(error, StoreError) and error.code == "store_error" else REFUSED
        ) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except OSError as error:
        say(f"{error.filename or 'The system'}: {error.strerror or error}.")
        raise typer.Exit(FAILED) from error


def _document(error: MesError) -> dict[str, Any]:
    document: dict[str, Any] = {"error": {"code": error.code, "message": str(error), "hint": error.hint}}
    if isinstance(error, IntakeRejected):
        document["findings"] = [vars(finding) for finding in error.findings]
    if isinstance(error, ConfigError):
        document["faults"] = [vars(fault) for fault in error.faults]
    return document
