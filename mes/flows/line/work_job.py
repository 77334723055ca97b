"""Stories: a person or a machine starts a job, finishes it, or cannot; a person settles what stopped."""

from collections.abc import Mapping
from typing import Any, Literal

from mes.core.errors import NotFound, NotPermitted, RuleBroken
from mes.core.ports import Tx
from mes.flows.line.book_step import book_scrap, book_step
from mes.flows.line.ready_job import new_job
from mes.lines.job import LineJob, need_state
from mes.lines.plant import Line, Plant
from mes.lines.run import PalletRun

Decision = Literal["retry", "done", "scrap"]


def start_job(tx: Tx, job_id: str, parameters: Mapping[str, Any] | None = None) -> LineJob:
    """Marks a ready job as running; a running one stays as it is, so a repeat does no harm."""
    job = _job(tx, job_id)
    if job.state == "running":
        return job
    need_state(job, "ready")
    if job.operation in ("inspect_prepour", "inspect_outgoing"):
        _other_than_producer(tx, job)
    tx.append(LineJob, job_id, "job_started", {"parameters": dict(parameters or {})})
    tx.publish("state", "job", "running", place=f"{job.line}/{job.station}")
    return _job(tx, job_id)


def finish_job(tx: Tx, plant: Plant, job_id: str, result: Mapping[str, Any]) -> LineJob:
    """Books a job as done and moves the run on. Failed inspections stop the pallet instead (result {"result": "fail"})."""
    job = _job(tx, job_id)
    if job.state == "done":
        return job
    need_state(job, "ready", "running")
    if job.operation in ("inspect_prepour", "inspect_outgoing"):
        _other_than_producer(tx, job)
        if result.get("result") == "fail":
            reason = str(result.get("reason") or "inspection failed")
            return stop_job(tx, job_id, "refused", reason, result)
    if job.state == "ready":
        tx.append(LineJob, job_id, "job_started", {})
    tx.append(LineJob, job_id, "job_done", {"result": dict(result)})
    tx.publish("state", "job", "done", place=f"{job.line}/{job.station}")
    book_step(tx, plant, job, result)
    return _job(tx, job_id)


def stop_job(tx: Tx, job_id: str, stop: str, reason: str, result: Mapping[str, Any] | None = None) -> LineJob:
    """A refused, aborted or undecidable job stops its pallet until a person settles it."""
    job = _job(tx, job_id)
    if job.state == "stopped":
        return job
    need_state(job, "ready", "running")
    tx.append(LineJob, job_id, "job_stopped", {"stop": stop, "reason": reason, "result": dict(result or {})})
    tx.append(PalletRun, job.run, "run_stopped", {"reason": reason})
    tx.publish("state", "job", "stopped", place=f"{job.line}/{job.station}")
    tx.publish("alarm", "job-stopped", f"{stop}: {reason}", place=f"{job.line}/{job.station}")
    return _job(tx, job_id)


def settle_job(tx: Tx, plant: Plant, line: Line, job_id: str, decision: Decision, reason: str) -> LineJob:
    """A person decides a stopped job: retry makes a new job, done books it, scrap ends the run and its pieces."""
    job = _job(tx, job_id)
    need_state(job, "stopped")
    if not reason.strip():
        raise RuleBroken("A decision needs a reason.", code="reason_missing", hint="Write in a few words what you saw.")
    tx.append(LineJob, job_id, "job_settled", {"decision": decision, "reason": reason})
    if decision == "scrap":
        book_scrap(tx, job, reason)
        tx.publish("state", "job", "scrapped", place=f"{job.line}/{job.station}")
        return _job(tx, job_id)
    tx.append(PalletRun, job.run, "run_resumed", {})
    if decision == "done":
        book_step(tx, plant, job, {"settled": True, "reason": reason})
    else:
        run = tx.get(PalletRun, job.run)
        assert run is not None
        new_job(tx, line, run, attempt=job.attempt + 1)
    return _job(tx, job_id)


def resolve_job(tx: Tx, job_id: str) -> LineJob:
    """The PLC of a settled job has been told."""
    if not _job(tx, job_id).resolved:
        tx.append(LineJob, job_id, "job_resolved", {})
    return _job(tx, job_id)


def _job(tx: Tx, job_id: str) -> LineJob:
    job = tx.get(LineJob, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job


def _other_than_producer(tx: Tx, job: LineJob) -> None:
    """Who laid rebar or embeds, or demoulded and labelled the pieces, does not inspect them."""
    made = [
        j for j in tx.find(LineJob, f"{job.line}/ended") if j.run == job.run and j.link is None and j.role == "operator"
    ]
    if any(j.by == tx.actor for j in made):
        raise NotPermitted(
            f"{tx.actor} worked on this pallet and cannot inspect it.",
            code="inspector_is_producer",
            hint="Ask another inspector to sign.",
        )
