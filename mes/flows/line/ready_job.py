"""Story: the due operation of a run becomes a job at its station; the pallet moves there."""

from mes.core.errors import NotFound, RuleBroken
from mes.core.ports import Tx
from mes.lines.job import LineJob
from mes.lines.plant import Line
from mes.lines.run import PalletRun


def ready_job(tx: Tx, line: Line, run_id: str, position: str, slot: str) -> LineJob:
    """A repeat for a step whose job is open gives that job: the same step never gets two."""
    run = tx.get(PalletRun, run_id)
    if run is None:
        raise NotFound(f"There is no pallet run {run_id}.")
    step = run.due_step
    if step is None:
        raise RuleBroken(f"Run {run_id} has no operation left.", code="run_finished")
    earlier = [job for job in tx.find(LineJob, line.id) if job.run == run_id]
    if earlier:
        return earlier[0]
    if position != run.position or slot != run.slot:
        tx.append(PalletRun, run_id, "run_moved", {"position": position, "slot": slot})
        if run.pallet:
            tx.publish("state", "position", slot or position, place=f"{line.id}/{run.pallet}")
    return new_job(tx, line, run, attempt=1)


def new_job(tx: Tx, line: Line, run: PalletRun, *, attempt: int) -> LineJob:
    """Appends the job of the run's due step under a job number of its own."""
    step = run.steps[run.step]
    station = next(s for s in line.stations if s.id == step.station)
    job_id = str(tx.ids.number())
    tx.append(
        LineJob,
        job_id,
        "job_ready",
        {
            "line": line.id,
            "run": run.id,
            "pallet": run.pallet,
            "operation": step.operation,
            "station": station.id,
            "machine": station.machine,
            "link": station.link,
            "role": station.role,
            "step": run.step,
            "attempt": attempt,
            "planned_start": step.start.isoformat(),
            "planned_end": step.end.isoformat(),
        },
    )
    tx.publish("state", "job", "ready", place=f"{line.id}/{station.id}")
    job = tx.get(LineJob, job_id)
    assert job is not None
    return job
