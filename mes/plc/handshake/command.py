"""A command to a PLC and its states: what is asked of a machine once, and how it ends. Shared by all handshake kinds.

    waiting → sent → accepted | running → done
       ↑        └→ refused (busy: waits, then a new sequence number)
                └→ aborted
                └→ unknown            a person decides: resolve(job, "done" | "scrap")

The row of a command is saved in the CommandTable before the wire is touched. A start is repeated only in a way the PLC
recognises as a repeat, so a job starts exactly once through lost messages, restarts and power cuts (see `mailbox.py`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from mes.core.errors import RuleBroken
from mes.core.ports import PlcCommand

Code = Literal["start", "abort"]
OutcomeState = Literal["done", "refused", "aborted", "unknown"]
Decision = Literal["done", "scrap"]

OPEN_STATES = ("sent", "accepted", "running")
DECIDED_STATES = ("done", "refused", "aborted", "unknown")

T_REPEAT_S = 2.0
T_ALARM_S = 10.0
POLL_OPEN_S = 0.08
POLL_WAIT_S = 0.2
BUSY_WAIT_S = 0.5

OnState = Callable[[str, str], None]
"""Called with (state, detail) at each change: waiting, sent, accepted, running, silent (no answer for T_ALARM_S), done, refused, aborted, unknown."""


def ignore_state(state: str, detail: str) -> None:
    """The observer of who does not want to know."""


@dataclass(frozen=True)
class JobRequest:
    """One job for one machine. `job` is unique for ever (1..2^63-1); `parameters` by name, units in the names.

    `payload` is bulk data, sent before the start (canonical JSON, UTF-8). `pallet` is for PLCs that show it.
    """

    job: int
    code: Code = "start"
    parameters: Mapping[str, float | int | str] = field(default_factory=dict)
    payload: bytes | None = None
    pallet: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.job < 2**63:
            raise RuleBroken(f"Job number {self.job} is not in 1..2^63-1.", code="job_number")


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended. `result` is a slug (ok, range, busy, wrong_epoch, …); `data` is what the PLC reported with it."""

    state: OutcomeState
    result: str = "ok"
    data: Mapping[str, Any] = field(default_factory=dict)


class Handshake(Protocol):
    """Runs jobs on one PLC, one after the other."""

    async def run(self, request: JobRequest, *, on_state: OnState = ignore_state) -> JobOutcome:
        """Runs a job to its end exactly once, through outages of the link; the same job again resumes or gives the same outcome.

        A PLC that is busy is waited for; every other refusal is returned. Raises PlcError only when the request can
        never be sent (a parameter or payload that does not fit).
        """

    async def resolve(self, job: int, decision: Decision) -> JobOutcome:
        """Settles a job in state unknown by a person's decision, here and in the PLC."""


def outcome_of(command: PlcCommand) -> JobOutcome:
    """The outcome that a decided row keeps in its `detail`."""
    kept: dict[str, Any] = (
        json.loads(command.detail) if command.detail.startswith("{") else {"result": command.detail or "ok"}
    )
    state: Any = command.state
    return JobOutcome(state, str(kept.get("result", "ok")), kept.get("data", {}))


def decided(command: PlcCommand, outcome: JobOutcome) -> PlcCommand:
    """The row with its outcome."""
    detail = json.dumps({"result": outcome.result, "data": dict(outcome.data)}, sort_keys=True, default=str)
    return replace(command, state=outcome.state, detail=detail)


def abort_job(job: int) -> str:
    """Key of the row of an abort or a settlement, so that the job's own row stays the last one of its key."""
    return f"abort/{job}"


class MemoryCommands:
    """A CommandTable that forgets at the end of the process: for checks, drills and simulation."""

    def __init__(self) -> None:
        self.rows: list[PlcCommand] = []

    def next_seq(self, link: str) -> int:
        last = next((row.seq for row in reversed(self.rows) if row.link == link), 0)
        return last % 65535 + 1

    def open(self, link: str) -> PlcCommand | None:
        return next((row for row in reversed(self.rows) if row.link == link and row.state in OPEN_STATES), None)

    def last(self, link: str, job: str) -> PlcCommand | None:
        return next((row for row in reversed(self.rows) if row.link == link and row.job == job), None)

    async def save(self, command: PlcCommand) -> None:
        for index, row in enumerate(self.rows):
            if (row.link, row.job, row.seq) == (command.link, command.job, command.seq):
                self.rows[index] = command
                return
        self.rows.append(command)
