"""Mailbox handshake: a START happens exactly once through lost messages, late copies, torn writes, restarts and power cuts.

The row with its 24 words is saved before the write; a repeat writes the same words; the answer is polled and judged by the
pure function `judge`. Epoch, sequence number and the PLC's ring of started jobs do the rest.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from mes.core.errors import LinkDown, PlcError, RuleBroken
from mes.core.ports import CommandTable, PlcCommand
from mes.plc.handshake.command import (
    BUSY_WAIT_S,
    DECIDED_STATES,
    POLL_OPEN_S,
    POLL_WAIT_S,
    T_ALARM_S,
    T_REPEAT_S,
    Decision,
    JobOutcome,
    JobRequest,
    OnState,
    abort_job,
    decided,
    ignore_state,
    outcome_of,
)
from mes.plc.handshake.config import WORDS, MailboxConfig
from mes.plc.handshake.mailbox_words import (
    ABORT,
    RESOLVE_DONE,
    RESOLVE_SCRAP,
    START,
    Answer,
    command_words,
    parameter_words,
    payload_words,
    read_answer,
)
from mes.plc.link import Link

FREE = ("idle", "done", "refused", "aborted")
CHUNK = 120


@dataclass(frozen=True)
class Verdict:
    """What an answer says about a command: `wait` (not acted on yet), a state, or `busy`."""

    kind: Literal["wait", "accepted", "running", "busy", "done", "refused", "aborted", "unknown"]
    result: str = "ok"


def judge(row: PlcCommand, answer: Answer) -> Verdict:
    """What `answer` says about the start `row`. Pure; the exhaustive model of the protocol runs on it."""
    job = int(row.job)
    if answer.epoch != row.epoch:
        return Verdict("unknown", "wrong_epoch")
    acted = answer.seq == row.seq and answer.acted_epoch == row.epoch
    if answer.job == job and answer.state in ("running", "done", "aborted", "unknown"):
        return _state(answer)
    if not acted:
        return Verdict("wait")
    if answer.result == "duplicate":
        if answer.job == job and answer.state == "accepted":
            return Verdict("accepted")
        return Verdict("done") if answer.last_done == job else Verdict("unknown", "duplicate")
    if answer.result == "busy":
        return Verdict("busy", "busy")
    if answer.result != "ok":
        return Verdict("refused", answer.result)
    return _state(answer) if answer.job == job else Verdict("unknown", "strange_job")


def _state(answer: Answer) -> Verdict:
    match answer.state:
        case "accepted":
            return Verdict("accepted")
        case "running":
            return Verdict("running")
        case "done":
            return Verdict("done")
        case "aborted":
            return Verdict("aborted", "aborted")
        case "refused":
            return Verdict("refused", answer.result)
    return Verdict("unknown", "power_cut")


class Mailbox:
    """The Handshake of one link with a mailbox."""

    def __init__(self, link: Link, config: MailboxConfig, table: CommandTable) -> None:
        self._link, self._config, self._table = link, config, table
        self._jobs = asyncio.Lock()
        self._wire = asyncio.Lock()

    async def run(self, request: JobRequest, *, on_state: OnState = ignore_state) -> JobOutcome:
        if request.code == "abort":
            return await self._command(request.job, ABORT)
        parameters = parameter_words(request.parameters, self._config.parameters, request.payload)
        payload = self._payload(request)
        async with self._jobs:
            row = self._table.last(self._link.name, str(request.job))
            if row is not None and row.state in DECIDED_STATES and outcome_of(row).result != "busy":
                return outcome_of(row)
            other = self._table.open(self._link.name)
            if other is not None and other.job != str(request.job):
                await self._follow(other, [], ignore_state, fresh=False)
            fresh = row is None or row.state in DECIDED_STATES
            while True:
                if fresh or row is None:
                    row = await self._new_row(request.job, parameters, on_state)
                outcome = await self._follow(row, payload, on_state, fresh=fresh)
                if outcome.result != "busy" or outcome.state != "refused":
                    return outcome
                on_state("waiting", "busy")
                await asyncio.sleep(BUSY_WAIT_S)
                fresh = True

    async def resolve(self, job: int, decision: Decision) -> JobOutcome:
        row = self._table.last(self._link.name, str(job))
        if row is None or row.state != "unknown":
            raise RuleBroken(f"Job {job} on {self._link.name} is not in doubt.", code="job_not_unknown")
        answer = await self._read()
        if answer is None:
            raise LinkDown(
                f"Link {self._link.name} gives no answer; job {job} is not settled in the PLC.",
                hint="It is tried again.",
            )
        if answer.job == job and answer.state == "unknown":
            await self._command(job, RESOLVE_DONE if decision == "done" else RESOLVE_SCRAP)
        outcome = JobOutcome("done" if decision == "done" else "aborted", "settled")
        await self._table.save(decided(row, outcome))
        return outcome

    def _payload(self, request: JobRequest) -> list[int]:
        if request.payload is None:
            return []
        if self._config.payload is None:
            raise PlcError(f"Link {self._link.name} has no payload area.", code="payload_area_missing")
        return payload_words(request.payload, self._config.payload.words)

    async def _new_row(self, job: int, parameters: Sequence[int], on_state: OnState) -> PlcCommand:
        """Waits until the PLC is free and saves the command with its words, before anything is written."""
        told = ""
        while True:
            answer = await self._read()
            if answer is not None and answer.state in FREE:
                row = self._row(job, "start", START, answer, str(job), "sent", parameters)
                await self._table.save(row)
                on_state("sent", "")
                return row
            state = "no answer" if answer is None else answer.state
            if state != told:
                told = state
                on_state("waiting", state)
            await asyncio.sleep(POLL_WAIT_S)

    def _row(
        self, job: int, name: str, code: int, answer: Answer, key: str, state: str, parameters: Sequence[int] = ()
    ) -> PlcCommand:
        seq = self._table.next_seq(self._link.name)
        if seq == answer.seq:  # the number comes from a restored backup: the PLC would take the command for an old one
            seq = answer.seq % 65535 + 1
        words = command_words(answer.epoch, code, job, seq, parameters)
        return PlcCommand(self._link.name, key, name, answer.epoch, seq, words, state)

    async def _follow(self, row: PlcCommand, payload: Sequence[int], on_state: OnState, *, fresh: bool) -> JobOutcome:
        """Writes the row's words until the PLC has acted on them, then waits for the end of the job."""
        now = asyncio.get_running_loop().time
        write_at = now() if fresh else now() + T_REPEAT_S
        matched_at, silent = now(), False
        while True:
            if now() >= write_at:
                await self._write(row, payload)
                write_at = now() + T_REPEAT_S
            answer = await self._read()
            verdict = Verdict("wait") if answer is None else judge(row, answer)
            if answer is not None and verdict.kind not in ("wait", "accepted", "running"):
                return await self._decide(row, verdict, answer, on_state)
            if verdict.kind == "wait":
                if not silent and now() - matched_at > T_ALARM_S:
                    silent = True
                    on_state("silent", f"no answer for {T_ALARM_S:g} s")
            else:
                matched_at, silent, write_at = now(), False, now() + T_REPEAT_S
                if verdict.kind != row.state:
                    row = replace(row, state=verdict.kind)
                    await self._table.save(row)
                    on_state(verdict.kind, "")
            await asyncio.sleep(POLL_OPEN_S)

    async def _decide(self, row: PlcCommand, verdict: Verdict, answer: Answer, on_state: OnState) -> JobOutcome:
        state = "refused" if verdict.kind == "busy" else verdict.kind
        data = {"starts": answer.starts, "ends": answer.ends, "boots": answer.boots}
        outcome = JobOutcome(state, verdict.result, data)  # type: ignore[arg-type]
        await self._table.save(decided(row, outcome))
        if verdict.kind != "busy":
            on_state(outcome.state, outcome.result)
        return outcome

    async def _write(self, row: PlcCommand, payload: Sequence[int]) -> None:
        """Payload first, the block with its commit word last. The outcome is ignored: the answer block tells."""
        driver = await self._link.online()
        async with self._wire:
            try:
                if payload and self._config.payload:
                    for start in range(0, len(payload), CHUNK):
                        await driver.write_words(self._config.payload, payload[start : start + CHUNK], offset=start)
                await driver.write_words(self._config.command, row.words)
            except PlcError:
                return

    async def _read(self) -> Answer | None:
        """A valid answer, or None when there was none just now. Waits through an outage of the link."""
        driver = await self._link.online()
        try:
            return read_answer(await driver.read_words(self._config.answer, WORDS))
        except PlcError:
            return None

    async def _command(self, job: int, code: int) -> JobOutcome:
        """An abort or a settlement: saved, written and repeated until acted on; both do no harm twice."""
        async with self._wire:
            answer = None
            while answer is None:
                answer = await self._read()
                await asyncio.sleep(0 if answer else POLL_OPEN_S)
            row = self._row(job, "abort", code, answer, abort_job(job), "done")
            await self._table.save(row)
            while True:
                driver = await self._link.online()
                with suppress(PlcError):
                    await driver.write_words(self._config.command, row.words)
                end = asyncio.get_running_loop().time() + T_REPEAT_S
                while asyncio.get_running_loop().time() < end:
                    answer = await self._read()
                    if answer and answer.epoch != row.epoch:
                        return JobOutcome("unknown", "wrong_epoch")
                    if answer and (answer.seq, answer.acted_epoch) == (row.seq, row.epoch):
                        done = answer.result == "ok"
                        return JobOutcome("aborted" if done else "refused", answer.result)
                    await asyncio.sleep(POLL_OPEN_S)
