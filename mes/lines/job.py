"""A line job: one operation on one pallet at one station, from ready to done, and how it is settled when it is not."""

from datetime import datetime
from typing import Any, Literal

from mes.core.errors import RuleBroken
from mes.core.event import Event, State, StreamKind

JobState = Literal["ready", "running", "done", "stopped", "scrapped"]


class LineJob(State):
    """`id` is the job number that travels to the PLC (decimal). A retry is a new job with the next `attempt`.

    `stop` says why a stopped job stopped: refused, aborted or unknown. `settled` says how a person decided it: retry, done or scrap;
    `resolved` whether the PLC of an undecided job has been told.
    """

    id: str
    line: str
    run: str
    pallet: str
    operation: str
    station: str
    machine: str
    link: str | None
    role: str
    step: int
    attempt: int = 1
    state: JobState = "ready"
    stop: Literal["refused", "aborted", "unknown"] | None = None
    settled: Literal["retry", "done", "scrap"] | None = None
    resolved: bool = False
    reason: str = ""
    parameters: dict[str, Any] = {}
    result: dict[str, Any] = {}
    by: str = ""
    planned_start: datetime | None = None
    planned_end: datetime | None = None
    ready_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


def apply(job: LineJob | None, event: Event) -> LineJob:
    data = dict(event.data)
    if job is None:
        return LineJob.model_validate({"id": event.key, "ready_at": event.at, **data})
    match event.type:
        case "job_started":
            return job.model_copy(update={"state": "running", "started_at": event.at, "by": event.actor, **data})
        case "job_done":
            return job.model_copy(update={"state": "done", "ended_at": event.at, "by": event.actor, **data})
        case "job_stopped":
            return job.model_copy(update={"state": "stopped", "ended_at": event.at, **data})
        case "job_settled":
            state = {"done": "done", "scrap": "scrapped", "retry": "scrapped"}[data["decision"]]
            return job.model_copy(
                update={"state": state, "settled": data["decision"], "reason": data["reason"], "by": event.actor}
            )
        case "job_resolved":
            return job.model_copy(update={"resolved": True})
    raise RuleBroken(f"{event.type} is no event of a line job.", code="event_unknown")


def need_state(job: LineJob, *states: JobState) -> None:
    """Raises RuleBroken(code="job_state") unless the job is in one of the states."""
    if job.state not in states:
        raise RuleBroken(
            f"Job {job.id} at {job.station} is {job.state}, not {' or '.join(states)}.",
            code="job_state",
            hint="Reload the page: somebody else was faster.",
        )


def to_resolve(line_id: str) -> str:
    """The list of settled jobs whose PLC still has to be told."""
    return f"{line_id}/to-resolve"


def _group(job: LineJob) -> str:
    """Open jobs stand in `<line>`, ended ones in `<line>/ended`, between them those that a PLC still holds in doubt."""
    if job.state in ("ready", "running") or (job.state == "stopped" and job.settled is None):
        return job.line
    if job.stop == "unknown" and job.link is not None and not job.resolved:
        return to_resolve(job.line)
    return f"{job.line}/ended"


JOB = StreamKind("job", LineJob, apply, _group)
