"""Reads a file of a designer in a process of its own, so that a hostile or broken file can harm nothing but that process.

`python -m mes.orders.intake.worker FILE [--profile NAME]` prints one JSON document per line:
`{"progress": [done, total, stage]}` …, then `{"result": {…}}` or `{"rejected": {code, message, hint, findings}}`.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mes.core.errors import Finding, IntakeRejected
from mes.orders.intake.formats import reader_for
from mes.orders.intake.result import ImportResult

Progress = Callable[[int, int, str], None]
MAX_LINE = 256 * 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one reading may use: address space (bytes), CPU time and wall time (s), size of the file (bytes)."""

    memory_bytes: int = 6 * 1024**3
    cpu_s: int = 900
    timeout_s: float = 1200.0
    file_bytes: int = 1024**3


LIMITS = Limits()


def read_file(
    path: Path,
    *,
    profile: str | None = None,
    project: str | None = None,
    progress: Progress | None = None,
    limits: Limits = LIMITS,
) -> ImportResult:
    """Reads a file in a child process; `project` replaces the file's own project name. Raises IntakeRejected."""
    _check(path, limits)
    child = subprocess.Popen(
        _command(path, profile, limits), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
    )
    listener = _Listener(path.name, project, progress)
    timed_out = threading.Event()

    def stop() -> None:
        timed_out.set()
        child.kill()

    timer = threading.Timer(limits.timeout_s, stop)
    timer.start()
    try:
        assert child.stdout is not None
        for line in child.stdout:
            listener.hear(line)
        code = child.wait()
    finally:
        timer.cancel()
        if child.poll() is None:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()
    return listener.outcome(code, timed_out.is_set())


async def read_file_async(
    path: Path,
    *,
    profile: str | None = None,
    project: str | None = None,
    progress: Progress | None = None,
    limits: Limits = LIMITS,
) -> ImportResult:
    """The same without blocking the event loop; a cancelled reading ends its child process."""
    _check(path, limits)
    child = await asyncio.create_subprocess_exec(
        *_command(path, profile, limits),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        limit=MAX_LINE,
    )
    listener = _Listener(path.name, project, progress)
    timed_out = False
    try:
        async with asyncio.timeout(limits.timeout_s):
            assert child.stdout is not None
            async for line in child.stdout:
                listener.hear(line)
            await child.wait()
    except TimeoutError:
        timed_out = True
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return listener.outcome(child.returncode or 0, timed_out)


def main(arguments: list[str] | None = None) -> int:
    """The child process. Exits 0 after a result and 2 after a refusal."""
    parser = argparse.ArgumentParser(prog="python -m mes.orders.intake.worker")
    parser.add_argument("file", type=Path)
    parser.add_argument("--profile")
    parser.add_argument("--memory-bytes", type=int, default=LIMITS.memory_bytes)
    parser.add_argument("--cpu-s", type=int, default=LIMITS.cpu_s)
    given = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (given.memory_bytes, given.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (given.cpu_s, given.cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    last = [-1, ""]

    def progress(done: int, total: int, stage: str) -> None:
        percent = 100 * done // max(total, 1)
        if [percent, stage] != last:
            last[:] = [percent, stage]
            _say({"progress": [done, total, stage]})

    try:
        result = reader_for(given.file)(given.file, given.profile, progress)
    except IntakeRejected as error:
        findings = [asdict(finding) for finding in error.findings]
        _say({"rejected": {"code": error.code, "message": str(error), "hint": error.hint, "findings": findings}})
        return 2
    except MemoryError:
        _say({"rejected": {"code": "file_too_heavy", "message": _HEAVY.format(given.file.name), "hint": _SPLIT}})
        return 2
    _say({"result": result.model_dump(mode="json")})
    return 0


_HEAVY = "{} needs more memory or time than one import may use."
_SPLIT = "Export it in parts, for example one storey per file, or without furniture and installations."


class _Listener:
    """Collects what the child says."""

    def __init__(self, name: str, project: str | None, progress: Progress | None) -> None:
        self._name = name
        self._project = project
        self._progress = progress
        self._result: dict[str, Any] | None = None
        self._rejected: dict[str, Any] | None = None

    def hear(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:  # a library of the child printed something
            return
        if not isinstance(message, dict):
            return
        if "progress" in message and self._progress is not None:
            done, total, stage = message["progress"]
            self._progress(done, total, stage)
        self._result = message.get("result", self._result)
        self._rejected = message.get("rejected", self._rejected)

    def outcome(self, code: int, timed_out: bool) -> ImportResult:
        if self._rejected is not None:
            raise IntakeRejected(
                self._rejected["message"],
                code=self._rejected["code"],
                hint=self._rejected["hint"],
                findings=[Finding(**finding) for finding in self._rejected.get("findings", ())],
            )
        if timed_out or -code in (24, 9):  # SIGXCPU, SIGKILL
            raise IntakeRejected(_HEAVY.format(self._name), code="file_too_heavy", hint=_SPLIT)
        if self._result is None or code != 0:
            raise IntakeRejected(
                f"{self._name} made its reader stop, so it is broken or hostile; nothing was imported.",
                code="file_broken",
                hint="Export the model again, or open and save it with another program.",
            )
        result = ImportResult.model_validate(self._result)
        return result.model_copy(update={"project": self._project}) if self._project else result


def _check(path: Path, limits: Limits) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise IntakeRejected(f"{path} cannot be read: {error.strerror}.", code="file_missing") from error
    if not path.is_file():
        raise IntakeRejected(f"{path} is no file.", code="file_missing")
    if size > limits.file_bytes:
        raise IntakeRejected(f"{path.name} is larger than an import may be.", code="file_too_heavy", hint=_SPLIT)
    reader_for(path)


def _command(path: Path, profile: str | None, limits: Limits) -> list[str]:
    command = [sys.executable, "-m", "mes.orders.intake.worker", str(path.resolve())]
    command += ["--memory-bytes", str(limits.memory_bytes), "--cpu-s", str(limits.cpu_s)]
    return [*command, "--profile", profile] if profile else command


def _environment() -> dict[str, str]:
    """Numeric libraries reserve address space per thread: one thread keeps the memory limit meaningful."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
