"""A released plan as others read it: pallets, jobs, lateness, bound."""

from collections.abc import Iterable
from typing import Any

from mes.flows.release_plan import ReleasedPlan
from mes.lines.plant import Line
from mes.lines.run import PalletRun


def plan_document(plan: ReleasedPlan, runs: Iterable[PalletRun], line: Line) -> dict[str, Any]:
    """The document of `mes plan --json`. `job_id` of a planned job is run and operation: its job number is made when it is ready."""
    document = plan.document
    own = sorted((run for run in runs if run.plan == plan.id), key=lambda run: run.number)
    machines = {station.id: station.machine for station in line.stations}
    return {
        "plan_id": plan.id,
        "status": document["status"],
        "pallets": [
            {
                "pallet": run.id,
                "line": run.line,
                "components": [piece.component for piece in run.pieces],
                "start": run.steps[0].start.isoformat(),
                "end": run.steps[-1].end.isoformat(),
            }
            for run in own
        ],
        "jobs": [
            {
                "job_id": f"{run.id}/{step.operation}",
                "pallet": run.id,
                "station": step.station,
                "machine": machines.get(step.station, ""),
                "operation": step.operation,
                "start": step.start.isoformat(),
                "end": step.end.isoformat(),
            }
            for run in own
            for step in run.steps
        ],
        "objective": document["objective"],
        "lower_bound": document["lower_bound"],
        "gap": document["gap"],
        "late": [
            {
                "component": late["piece"],
                "due": late["due"],
                "finish": late["finish"],
                "because": late["because"],
                "cheapest_fix": None,
            }
            for late in document["late"]
        ],
        "findings": document["findings"],
        "evaluations": document["evaluations"],
        "seed": document["seed"],
        "solve_s": document["solve_s"],
    }
