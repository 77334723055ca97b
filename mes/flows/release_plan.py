"""Story: a plan becomes pallet runs that the line works off in its order."""

from datetime import datetime, timedelta
from typing import Any

from mes.core.errors import RuleBroken
from mes.core.event import Event, State, StreamKind
from mes.core.ports import Store, Tx
from mes.lines.concrete import mix_for
from mes.lines.plant import Line, Plant
from mes.lines.routing import family, steps_on
from mes.lines.run import Pallet, PalletRun
from mes.planning.problem import Plan, PlannedPallet, planned_pallet_from_dict
from mes.tracking.component import Component


class ReleasedPlan(State):
    """A plan as it was released: stored and shown as stored, never computed again. `document` is the planner's own JSON."""

    id: str
    line: str
    released_at: datetime
    document: dict[str, Any]


def apply_plan(plan: ReleasedPlan | None, event: Event) -> ReleasedPlan:
    return ReleasedPlan.model_validate({"id": event.key, "released_at": event.at, **event.data})


PLAN = StreamKind("plan", ReleasedPlan, apply_plan, lambda plan: plan.line)


def release_plan(tx: Tx, plant: Plant, line: Line, plan: Plan) -> list[PalletRun]:
    """Raises RuleBroken(code="piece_planned") when a piece of the plan got onto a pallet in the meantime."""
    if tx.get(ReleasedPlan, plan.id) is not None:
        return [run for run in tx.find(PalletRun) if run.plan == plan.id]
    _make_pallets(tx, line)
    tx.append(ReleasedPlan, plan.id, "plan_released", {"line": line.id, "document": plan.to_dict()})
    number = max((run.number for run in tx.find(PalletRun)), default=0)
    runs = []
    for pallet in sorted(plan.pallets, key=lambda pallet: (pallet.start, pallet.id)):
        number += 1
        runs.append(_run(tx, plant, line, plan.id, pallet, number))
    tx.publish("event", "plan-released", plan.id, place=line.id)
    return runs


def unfinished(memory: Store | Tx, line_id: str) -> list[PlannedPallet]:
    """The planned pallets of earlier plans whose run is not ended."""
    open_pieces = {piece.component for run in memory.find(PalletRun, line_id) for piece in run.pieces}
    pallets = [
        planned_pallet_from_dict(p) for plan in memory.find(ReleasedPlan, line_id) for p in plan.document["pallets"]
    ]
    return [pallet for pallet in pallets if any(code in open_pieces for code, _ in pallet.pieces)]


def _make_pallets(tx: Tx, line: Line) -> None:
    assert line.pallets is not None
    known = {pallet.id for pallet in tx.find(Pallet, line.id)}
    for number in range(1, line.pallets.count + 1):
        pallet_id = f"{line.pallets.prefix}{number:02d}"
        if pallet_id not in known:
            tx.append(Pallet, pallet_id, "pallet_made", {"line": line.id, "number": number})


def _run(tx: Tx, plant: Plant, line: Line, plan_id: str, pallet: PlannedPallet, number: int) -> PalletRun:
    kind = family(pallet.family)
    run_id = f"R{number:04d}"
    pieces = []
    for code, pose in pallet.pieces:
        component = tx.get(Component, code)
        if component is None or component.pallet_run:
            raise RuleBroken(f"Component {code} is on a pallet already.", code="piece_planned", hint="Plan again.")
        pieces.append(
            {"component": code, "mark": component.mark, "x": pose.x, "y": pose.y, "angle_deg": pose.angle_deg}
        )
        tx.append(Component, code, "component_planned", {"pallet_run": run_id})
    tx.append(
        PalletRun,
        run_id,
        "run_planned",
        {
            "line": line.id,
            "plan": plan_id,
            "number": number,
            "pieces": pieces,
            "steps": _steps(line, pallet),
            "family": pallet.family,
            "concrete_class": pallet.concrete_class,
            "mix": mix_for(pallet.concrete_class, plant.mixes).id,
            "program": pallet.program,
            "finish": kind.finish,
            "demould": kind.demould,
            "mould": pallet.mould,
        },
    )
    run = tx.get(PalletRun, run_id)
    assert run is not None
    return run


def _steps(line: Line, pallet: PlannedPallet) -> list[dict[str, str]]:
    """The routing with planned times: batching takes the first part of pouring, the chamber's two moves the ends of curing."""
    move = timedelta(minutes=3)
    steps = []
    for step in steps_on(line, family(pallet.family)):
        start, end = _planned(pallet, step.operation, move, line)
        times = {"start": start.isoformat(), "end": end.isoformat()}
        steps.append({"operation": step.operation, "station": step.station, **times})
    return steps


def _planned(pallet: PlannedPallet, operation: str, move: timedelta, line: Line) -> tuple[datetime, datetime]:
    own = pallet.op(operation)
    if own is not None and operation not in ("pour", "cure"):
        return own.start, own.end
    pour, cure = pallet.op("pour"), pallet.op("cure")
    if operation in ("batch", "pour") and pour is not None:
        batching = line.station("batch")
        spent = (
            timedelta(seconds=batching.time.base_s + batching.time.per_m3_s * pallet.volume_m3)
            if batching
            else timedelta(0)
        )
        middle = min(pour.start + spent, pour.end)
        return (pour.start, middle) if operation == "batch" else (middle, pour.end)
    if cure is not None:
        inside = cure.start + move, max(cure.start + move, cure.end - move)
        return {"chamber_in": (cure.start, inside[0]), "cure": inside, "chamber_out": (inside[1], cure.end)}[operation]
    return pallet.start, pallet.end
