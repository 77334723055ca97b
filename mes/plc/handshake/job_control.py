"""Job Control handshake (OPC 10031-4, ISA-95 Job Control v2): the JobOrderID is the job's number, given once, looked up ever after.

The row is saved before the call. After a lost answer the machine's job list and its report are read first; an id found there
was taken, whatever the call returned.
"""

import asyncio
import logging
import zlib
from dataclasses import replace
from typing import Any

from mes.core.errors import PlcError, RuleBroken
from mes.core.ports import CommandTable, PlcCommand
from mes.plc.driver import JobDoor, JobEntry, JobReport
from mes.plc.handshake.command import (
    BUSY_WAIT_S,
    DECIDED_STATES,
    POLL_WAIT_S,
    T_REPEAT_S,
    Decision,
    JobOutcome,
    JobRequest,
    OnState,
    decided,
    ignore_state,
    outcome_of,
)
from mes.plc.handshake.config import JobControlConfig
from mes.plc.link import Link

Log = logging.getLogger("mes.plc.job_control")
SUCCESS, UNKNOWN_JOB, WRONG_STATE, UNABLE = 1, 2, 8, 16
RUNNING, INTERRUPTED, ENDED, ABORTED = 3, 4, 5, 6
WAKE_S = 1.0


class JobControl:
    """The Handshake of one link with a job order receiver."""

    def __init__(self, link: Link, config: JobControlConfig, table: CommandTable) -> None:
        self._link, self._config, self._table = link, config, table
        self._jobs = asyncio.Lock()

    async def run(self, request: JobRequest, *, on_state: OnState = ignore_state) -> JobOutcome:
        if request.code == "abort":
            status = await (await self._door()).abort(str(request.job))
            return JobOutcome("aborted") if status & SUCCESS else JobOutcome("refused", "not_active")
        async with self._jobs:
            row = self._table.last(self._link.name, str(request.job))
            if row is not None and row.state in DECIDED_STATES and outcome_of(row).result != "busy":
                return outcome_of(row)
            other = self._table.open(self._link.name)
            if other is not None and other.job != str(request.job):
                await self._finish(other, None, ignore_state)
            on_state("waiting", "")
            while True:
                if row is None or row.state in DECIDED_STATES:
                    row = await self._new_row(request.job)
                    on_state("sent", "")
                outcome = await self._finish(row, request, on_state)
                if (outcome.state, outcome.result) != ("refused", "busy"):
                    on_state(outcome.state, outcome.result)
                    return outcome
                on_state("waiting", "busy")
                await asyncio.sleep(BUSY_WAIT_S)
                row = None

    async def resolve(self, job: int, decision: Decision) -> JobOutcome:
        row = self._table.last(self._link.name, str(job))
        if row is None or row.state != "unknown":
            raise RuleBroken(f"Job {job} on {self._link.name} is not in doubt.", code="job_not_unknown")
        door = await self._door()
        if _find(await door.jobs(), str(job)) is not None:
            await (door.stop if decision == "done" else door.abort)(str(job))
            await door.clear(str(job))
        outcome = JobOutcome("done" if decision == "done" else "aborted", "settled")
        await self._table.save(decided(row, outcome))
        return outcome

    async def _door(self) -> JobDoor:
        driver = await self._link.online()
        return await driver.job_door(self._config.receiver, self._config.responses)

    async def _new_row(self, job: int) -> PlcCommand:
        name = self._link.name
        row = PlcCommand(name, str(job), "start", 0, self._table.next_seq(name), (), "sent")
        await self._table.save(row)
        return row

    async def _finish(self, row: PlcCommand, request: JobRequest | None, on_state: OnState) -> JobOutcome:
        """Steps until the job is decided; an outage only costs time."""
        while True:
            try:
                door = await self._door()
                stepped = await self._step(door, row, request, on_state)
            except PlcError as error:
                Log.debug("job %s: %s", row.job, error)
                await asyncio.sleep(POLL_WAIT_S)
                continue
            if isinstance(stepped, JobOutcome):
                await self._table.save(decided(row, stepped))
                await self._forget(door, row, stepped)
                return stepped
            if stepped.state == row.state:
                await door.changed(WAKE_S)
            row = stepped

    async def _step(
        self, door: JobDoor, row: PlcCommand, request: JobRequest | None, on_state: OnState
    ) -> PlcCommand | JobOutcome:
        entries = await door.jobs()
        entry = _find(entries, row.job)
        if entry is None or entry.state in (ENDED, ABORTED):
            report = await door.response(row.job)
            if report is not None and report.state in (ENDED, ABORTED):
                return _outcome(report)
        if entry is not None:
            return await self._seen(entry, row, on_state)
        if row.state != "sent":
            return JobOutcome("unknown", "job_vanished")
        if request is None:
            return JobOutcome("refused", "not_sent")
        status = await door.store_and_start(row.job, _parameters(request), request.pallet)
        if status & SUCCESS or _find(await door.jobs(), row.job) is not None:
            return row
        return await self._refused(door, status, entries, row)

    async def _seen(self, entry: JobEntry, row: PlcCommand, on_state: OnState) -> PlcCommand | JobOutcome:
        if entry.state in (ENDED, ABORTED):
            return _outcome(JobReport(entry.job, entry.state, entry.text))
        if entry.state == INTERRUPTED and entry.text.lower() == "unknown":
            return JobOutcome("unknown", "power_cut")
        state = "running" if entry.state in (RUNNING, INTERRUPTED) else "accepted"
        if state != row.state:
            row = replace(row, state=state)
            await self._table.save(row)
            on_state(state, entry.text)
            return replace(row)
        return row

    async def _refused(self, door: JobDoor, status: int, entries: list[JobEntry], row: PlcCommand) -> JobOutcome:
        if status & WRONG_STATE:
            report = await door.response(row.job)
            if report is not None and report.state in (ENDED, ABORTED):
                return _outcome(report)
            return JobOutcome("unknown", "duplicate")
        if status & UNABLE and any(entry.state not in (ENDED, ABORTED) for entry in entries):
            return JobOutcome("refused", "busy")
        return JobOutcome("refused", "range" if status & UNABLE else f"status_{status}")

    async def _forget(self, door: JobDoor, row: PlcCommand, outcome: JobOutcome) -> None:
        """Clears the machine's record of an ended job, so that its list does not fill up."""
        if outcome.state not in ("done", "aborted"):
            return
        try:
            await asyncio.wait_for(door.clear(row.job), T_REPEAT_S)
        except (PlcError, TimeoutError) as error:
            Log.debug("job %s stays in the list of %s: %s", row.job, row.link, error)


def _find(entries: list[JobEntry], job: str) -> JobEntry | None:
    return next((entry for entry in entries if entry.job == job), None)


def _outcome(report: JobReport) -> JobOutcome:
    result = str(report.data.get("result", "ok" if report.state == ENDED else "aborted"))
    return JobOutcome("done" if report.state == ENDED else "aborted", result, dict(report.data))


def _parameters(request: JobRequest) -> dict[str, Any]:
    values: dict[str, Any] = dict(request.parameters)
    if request.payload is not None:
        values["payload"] = request.payload
        values["payload_crc32"] = zlib.crc32(request.payload)
    return values
