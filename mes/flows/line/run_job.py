"""Process: runs one job of a machine on its PLC and books how it ended. Called again after a restart, it goes on with the same job."""

import json
from typing import Any, Literal

from mes.core.errors import MesError, PlcError, RuleBroken
from mes.core.ports import Store
from mes.flows.line.pallet_work import pallet_work
from mes.flows.line.work_job import finish_job, resolve_job, start_job, stop_job
from mes.lines.job import LineJob
from mes.lines.machines import MACHINE_TYPES
from mes.lines.plant import Line, Plant
from mes.lines.run import PalletRun
from mes.lines.work import MachineJob
from mes.plc.handshake.command import Handshake, JobRequest

ACTOR = "line"


async def run_job(store: Store, plant: Plant, line: Line, handshake: Handshake, job_id: str) -> None:
    """Ends when the job is booked as done or stopped. A recipe that cannot be sent stops the job before it starts."""
    job = store.get(LineJob, job_id)
    assert job is not None
    try:
        recipe = machine_job(store, plant, line, job)
        await store.run(lambda tx: start_job(tx, job_id, recipe.parameters), actor=ACTOR)
        outcome = await handshake.run(request_of(job, recipe))
    except PlcError as error:
        await _stop(store, job_id, "refused", str(error))
        return
    except MesError as error:
        if error.code in ("store_full", "store_busy"):
            raise
        await _stop(store, job_id, "refused", str(error))
        return
    result: dict[str, Any] = {"result": outcome.result, **outcome.data}
    if outcome.state == "done":
        await store.run(lambda tx: finish_job(tx, plant, job_id, result), actor=ACTOR)
    else:
        stop = outcome.state
        reason = f"{job.machine}: {stop} ({outcome.result})"
        await store.run(lambda tx: stop_job(tx, job_id, stop, reason, result), actor=ACTOR)


def machine_job(store: Store, plant: Plant, line: Line, job: LineJob) -> MachineJob:
    run = store.get(PalletRun, job.run)
    assert run is not None
    return MACHINE_TYPES[job.machine].job(pallet_work(store, plant, line, run), job.operation)


def request_of(job: LineJob, recipe: MachineJob) -> JobRequest:
    """Bulk data travels as canonical JSON: sorted keys, no blanks, UTF-8."""
    payload = None
    if recipe.payload is not None:
        payload = json.dumps(recipe.payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return JobRequest(int(job.id), "start", dict(recipe.parameters), payload, job.pallet)


async def _stop(store: Store, job_id: str, stop: str, reason: str) -> None:
    await store.run(lambda tx: stop_job(tx, job_id, stop, reason), actor=ACTOR)


async def resolve_on_plc(store: Store, handshake: Handshake, job: LineJob) -> None:
    """Tells the PLC how a person settled its undecided job, so that it is free for the next one. Raises LinkDown when it does not answer."""
    decision: Literal["done", "scrap"] = "done" if job.settled == "done" else "scrap"
    try:
        await handshake.resolve(int(job.id), decision)
    except RuleBroken as error:
        if error.code != "job_not_unknown":
            raise
    await store.run(lambda tx: resolve_job(tx, job.id), actor=ACTOR)
