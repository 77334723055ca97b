"""Tags handshake: jobs for an existing PLC program whose tags are mapped to roles. Levels only, never edges.

Ids and parameters are written first, the command last. After any loss `done` and `last_job_id` are read first: done with my
job is my result, busy with my job is my run; what cannot be decided is `unknown` and waits for a person.
"""

import asyncio
import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mes.core.errors import PlcError, RuleBroken, TagWriteRefused
from mes.core.ports import CommandTable, PlcCommand
from mes.plc.driver import Driver
from mes.plc.handshake.command import (
    DECIDED_STATES,
    POLL_OPEN_S,
    POLL_WAIT_S,
    T_ALARM_S,
    T_REPEAT_S,
    Decision,
    JobOutcome,
    JobRequest,
    OnState,
    decided,
    ignore_state,
    outcome_of,
)
from mes.plc.handshake.config import TagsConfig
from mes.plc.handshake.mailbox_words import payload_words
from mes.plc.link import Link

Log = logging.getLogger("mes.plc.tag_handshake")
_LEVELS = ("ready", "busy", "done", "fault")
CHUNK = 120


@dataclass(frozen=True)
class Levels:
    """What the PLC shows in one read."""

    ready: bool
    busy: bool
    done: bool
    fault: bool
    job: str
    last_job: str | None
    counter: int | None
    alarm: int
    command: int


class TagHandshake:
    """The Handshake of one link with mapped tags."""

    def __init__(self, link: Link, config: TagsConfig, table: CommandTable) -> None:
        self._link, self._config, self._table = link, config, table
        self._jobs = asyncio.Lock()

    async def run(self, request: JobRequest, *, on_state: OnState = ignore_state) -> JobOutcome:
        if request.code == "abort":
            return await self._abort(request.job)
        unknown = set(request.parameters) - set(self._config.parameters)
        if unknown:
            raise PlcError(
                f"Link {self._link.name} has no tag for {', '.join(sorted(unknown))}.", code="parameter_unknown"
            )
        async with self._jobs:
            row = self._table.last(self._link.name, str(request.job))
            if row is not None and row.state in DECIDED_STATES:
                return outcome_of(row)
            other = self._table.open(self._link.name)
            if other is not None and other.job != str(request.job):
                await self._follow(other, None, ignore_state, fresh=False)
            fresh = row is None
            if row is None:
                row = await self._new_row(request.job, on_state)
            return await self._follow(row, request, on_state, fresh=fresh)

    async def resolve(self, job: int, decision: Decision) -> JobOutcome:
        row = self._table.last(self._link.name, str(job))
        if row is None or row.state != "unknown":
            raise RuleBroken(f"Job {job} on {self._link.name} is not in doubt.", code="job_not_unknown")
        outcome = JobOutcome("done" if decision == "done" else "aborted", "settled")
        await self._table.save(decided(row, outcome))
        return outcome

    async def _new_row(self, job: int, on_state: OnState) -> PlcCommand:
        """Waits for `ready`; a `done` left over from an earlier job is acknowledged meanwhile."""
        acknowledged, told = 0.0, False
        while True:
            levels = await self._levels()
            if levels is not None and levels.ready and not levels.busy:
                row = PlcCommand(
                    self._link.name,
                    str(job),
                    "start",
                    0,
                    self._table.next_seq(self._link.name),
                    () if levels.counter is None else (levels.counter & 0xFFFF,),
                    "sent",
                )
                await self._table.save(row)
                on_state("sent", "")
                return row
            now = asyncio.get_running_loop().time()
            if levels is not None and levels.done and now - acknowledged > T_REPEAT_S:
                await self._acknowledge()
                acknowledged = now
            if not told:
                told = True
                on_state("waiting", "")
            await asyncio.sleep(POLL_WAIT_S)

    async def _follow(
        self, row: PlcCommand, request: JobRequest | None, on_state: OnState, *, fresh: bool
    ) -> JobOutcome:
        now = asyncio.get_running_loop().time
        started, write_at, silent = now(), now() if fresh else now() + T_REPEAT_S, False
        while True:
            if request is not None and now() >= write_at and row.state == "sent":
                outcome = await self._start(request)
                write_at = now() + T_REPEAT_S
                if outcome is not None:
                    return await self._decide(row, outcome, on_state)
            levels = await self._levels()
            kind = "wait" if levels is None else self._judge(row, levels, settled=now() >= write_at - POLL_OPEN_S)
            if kind == "running" and row.state != "running":
                row = replace(row, state="running")
                await self._table.save(row)
                on_state("running", "")
            elif kind in ("done", "aborted", "unknown"):
                assert levels is not None
                return await self._decide(row, _outcome(kind, levels), on_state)
            if kind == "wait" and not silent and now() - started > T_ALARM_S:
                silent = True
                on_state("silent", f"no answer for {T_ALARM_S:g} s")
            await asyncio.sleep(POLL_OPEN_S)

    def _judge(self, row: PlcCommand, levels: Levels, *, settled: bool) -> str:
        """What the levels say about my job. `settled`: the command stands long enough that silence means something."""
        mine = levels.job == row.job
        if levels.done and (
            levels.last_job == row.job or (levels.last_job is None and mine and row.state == "running")
        ):
            return "done"
        if levels.last_job == row.job and not levels.busy:
            return "done"
        if levels.busy and mine:
            return "running"
        if levels.fault and mine and row.state == "running":
            return "aborted"
        if row.state == "running" and levels.ready and not levels.busy:
            return "unknown"
        if not settled or row.state != "sent":
            return "wait"
        moved = levels.counter is not None and row.words and levels.counter & 0xFFFF != row.words[0]
        taken = levels.command != self._config.command_values.start and mine and self._config.command_style == "level"
        if levels.last_job is None and (moved or taken):
            return "unknown"
        return "wait"

    async def _start(self, request: JobRequest) -> JobOutcome | None:
        """Ids, parameters and payload first, the command last. A value the PLC may not get is a refusal."""
        roles, driver = self._config.roles, await self._link.online()
        values: dict[str, Any] = {self._config.parameters[name]: value for name, value in request.parameters.items()}
        values[roles.job_id] = self._typed(roles.job_id, request.job)
        if roles.pallet_id:
            values[roles.pallet_id] = request.pallet
        try:
            await self._send_payload(driver, request, values)
            for name, value in values.items():
                await driver.write(self._link.tag(name), value)
            await self._command(driver, self._config.command_values.start)
        except TagWriteRefused as error:
            return JobOutcome("refused", "range", {"reason": str(error)})
        except PlcError as error:
            Log.debug("job %s: %s", request.job, error)
        return None

    async def _send_payload(self, driver: Driver, request: JobRequest, values: dict[str, Any]) -> None:
        area = self._config.payload
        if request.payload is None:
            return
        if area is None:
            raise TagWriteRefused(f"Link {self._link.name} has no payload area.", code="payload_area_missing")
        words = payload_words(request.payload, area.words)
        for start in range(0, len(words), CHUNK):
            await driver.write_words(area, words[start : start + CHUNK], offset=start)
        extra: Mapping[str, int] = {
            "payload_length": len(request.payload),
            "payload_crc32": zlib.crc32(request.payload),
        }
        values.update(
            {self._config.parameters[name]: value for name, value in extra.items() if name in self._config.parameters}
        )

    async def _command(self, driver: Driver, value: int) -> None:
        tag = self._link.tag(self._config.roles.command)
        await driver.write(tag, value)
        if self._config.command_style == "pulse":
            await asyncio.sleep(self._config.pulse_ms / 1000)
            await driver.write(tag, 0)

    async def _acknowledge(self) -> None:
        kind, driver = self._config.acknowledgement, await self._link.online()
        try:
            if kind == "command" and self._config.command_values.acknowledge is not None:
                await self._command(driver, self._config.command_values.acknowledge)
            elif kind == "reset":
                await driver.write(self._link.tag(self._config.roles.command), 0)
        except PlcError as error:
            Log.debug("link %s: not acknowledged: %s", self._link.name, error)

    async def _abort(self, job: int) -> JobOutcome:
        value = self._config.command_values.abort
        levels = await self._levels()
        if value is None or levels is None or not levels.busy or levels.job != str(job):
            return JobOutcome("refused", "not_active")
        await self._command(await self._link.online(), value)
        return JobOutcome("aborted")

    async def _decide(self, row: PlcCommand, outcome: JobOutcome, on_state: OnState) -> JobOutcome:
        await self._table.save(decided(row, outcome))
        on_state(outcome.state, outcome.result)
        if outcome.state == "done":
            await self._acknowledge()
        return outcome

    async def _levels(self) -> Levels | None:
        """All roles from one read, or None when one of them is not good. Waits through an outage."""
        roles, driver = self._config.roles, await self._link.online()
        names = {role: name for role, name in roles.model_dump(exclude_none=True).items() if role != "mes_heartbeat"}
        tags = [self._link.tag(name) for name in names.values() if self._link.tag(name).readable]
        try:
            found = await driver.read(tags)
        except PlcError:
            return None
        if any(not reading.good for reading in found.values()):
            return None
        values = {role: found[name].value for role, name in names.items() if name in found}
        shown = {level: bool(values.get(level, False)) for level in _LEVELS}
        if roles.state is not None:
            shown = {level: values["state"] in wanted for level, wanted in self._config.state_values.items()}
        return Levels(
            ready=shown.get("ready", False),
            busy=shown.get("busy", False),
            done=shown.get("done", False),
            fault=shown.get("fault", False),
            job=str(values.get("job_id", "")),
            last_job=str(values["last_job_id"]) if "last_job_id" in values else None,
            counter=int(values["counter"]) if "counter" in values else None,
            alarm=int(values.get("alarm_code", 0)),
            command=int(values.get("command", self._config.command_values.start)),
        )

    def _typed(self, name: str, job: int) -> str | int:
        return str(job) if self._link.tag(name).type.startswith("string") else job


def _outcome(kind: str, levels: Levels) -> JobOutcome:
    data = {"counter": levels.counter, "alarm_code": levels.alarm}
    if kind == "done":
        return JobOutcome("done", "ok", data)
    return (
        JobOutcome("aborted", f"alarm_{levels.alarm}", data)
        if kind == "aborted"
        else JobOutcome("unknown", "undecidable", data)
    )
