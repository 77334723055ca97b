"""The planner's whole way: group and nest, sequence, time, and say how good it is and why something is late."""

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from mes.core.errors import NoFeasiblePlan
from mes.planning.bounds import objective_bound
from mes.planning.calendar import WorkAxis, work_axis
from mes.planning.decode import JobTimes, Shop, Timetable, decode
from mes.planning.explain import because
from mes.planning.nesting import Nest, nest
from mes.planning.problem import LatePiece, Plan, PlanFinding, PlannedOp, PlannedPallet, Problem
from mes.planning.sequencing import INFEASIBLE, Sequenced, evaluator, rules, sequence
from mes.planning.times import Layout, layout, pallet_kinds, pallets_of, shop_of

LONGEST_HORIZON_DAYS = 4000


def plan(problem: Problem, *, timer: Callable[[], float] = time.perf_counter) -> Plan:
    """A feasible plan of all pieces behind the locked runs. Raises NoFeasiblePlan, which names the piece or the limit.

    The same problem gives the same plan; only `solve_s`, measured with `timer`, differs.
    """
    began = timer()
    _refuse_faulty(problem)
    nesting = nest(problem.pieces, problem.line, seed=problem.seed)
    nests = nesting.nests
    if not nests:
        return _empty(problem, timer() - began)
    shop = _shop_with_room(problem, nests)
    found = sequence(shop, problem.evaluations, problem.seed)
    table = decode(shop, found.order)
    pallets = tuple(_pallet(problem, nests[run.job], shop, run) for run in table.runs)
    bound = objective_bound(shop)
    gap = round(table.objective / bound - 1, 6) if bound else 0.0
    return Plan(
        id="",
        status="optimal" if table.objective <= bound and len(nests) <= nesting.lower_bound else "feasible",
        line=problem.line.id,
        start=problem.start.astimezone(UTC),
        pallets=pallets,
        objective=table.objective,
        lower_bound=bound,
        gap=gap,
        pallet_bound=nesting.lower_bound,
        late=_late(shop, table, nests, pallets),
        findings=_findings(problem, found, gap),
        evaluations=found.evaluations,
        seed=problem.seed,
        solve_s=round(timer() - began, 3),
    ).signed()


def run_key(line: str, pieces: Sequence[str]) -> str:
    """Key of a pallet run: the same pieces on the same line give the same key."""
    text = "\n".join([line, *sorted(pieces)])
    return "run-" + hashlib.sha256(text.encode()).hexdigest()[:12]


def _refuse_faulty(problem: Problem) -> None:
    if problem.start.tzinfo is None or any(p.due is not None and p.due.tzinfo is None for p in problem.pieces):
        raise NoFeasiblePlan("The plan's start and all due dates need a time zone.", code="naive_time", hint="Use UTC.")
    seen: set[str] = {piece for run in problem.locked for piece, _ in run.pieces}
    for piece in problem.pieces:
        if piece.id in seen:
            raise NoFeasiblePlan(
                f"Piece {piece.id} is planned twice.", code="piece_twice", hint="Leave out pieces of locked runs."
            )
        seen.add(piece.id)
    if problem.pieces and not problem.line.pallets:
        raise NoFeasiblePlan(f"Line {problem.line.id} has no pallets.", code="no_pallets", hint="Add pallets.")


def _shop_with_room(problem: Problem, nests: Sequence[Nest]) -> Shop:
    """The shop on a calendar long enough that orders twice as long as the first rule's still fit."""
    days = 14 + len(nests) // 8
    while days <= LONGEST_HORIZON_DAYS:
        shop = shop_of(problem, nests, _axis(problem, days))
        value = evaluator(shop, 1, False)(rules(shop)["edd"])
        if value < INFEASIBLE:
            span = max(run.finish for run in decode(shop, rules(shop)["edd"]).runs)
            if 2 * span < shop.axis.total:
                return shop
        days *= 2
    raise NoFeasiblePlan(
        "The work does not fit into eleven years of the working calendar.",
        code="calendar_ends",
        hint="Give the calendar more working time.",
    )


def _axis(problem: Problem, days: int) -> WorkAxis:
    return work_axis(problem.calendar, problem.start, days)


def _pallet(problem: Problem, nest_: Nest, shop: Shop, run: JobTimes) -> PlannedPallet:
    line, parts, axis = problem.line, layout(problem.line), shop.axis
    ops = _ops(parts, shop, run)
    first, pieces = nest_.pieces[0], nest_.pieces
    length, width, _ = nest_.pallet_type
    return PlannedPallet(
        id=run_key(line.id, [p.id for p in pieces]),
        pallet=pallets_of(line, pallet_kinds(line)[shop.kind[run.job]])[run.pallet],
        line=line.id,
        pieces=tuple((p.id, pose) for p, pose in zip(pieces, nest_.poses, strict=True)),
        ops=ops,
        start=ops[0].start,
        end=ops[-1].end,
        returned=axis.ends_at(run.returned),
        concrete_class=first.concrete_class,
        mould=first.mould,
        program=first.program,
        family=first.family,
        thickness_mm=first.thickness_mm,
        mass_kg=round(nest_.mass_kg, 3),
        volume_m3=round(sum(p.volume_m3 for p in pieces), 6),
        length_mm=length,
        width_mm=width,
        fill=round(nest_.area_mm2 / (length * width), 4),
    )


def _ops(parts: Layout, shop: Shop, run: JobTimes) -> tuple[PlannedOp, ...]:
    """Every operation with time on this load, in the order of the flow."""
    axis, j = shop.axis, run.job
    out: list[PlannedOp] = []

    def add(operation: str, station: str, start: int, spent: int) -> None:
        if spent:
            out.append(PlannedOp(operation, station, axis.starts_at(start), axis.ends_at(start + spent)))

    for k, station in enumerate(parts.before):
        lead = shop.lead[j][k]
        for side in parts.leads[k]:
            add(side.operation, side.id, run.starts[k] - lead, lead)
        if station.operation == "cure":
            out.append(PlannedOp("cure", station.id, axis.starts_at(run.starts[k]), axis.starts_at(run.exit)))
        else:
            add(station.operation, station.id, run.starts[k], shop.times[j][k])
    for k, station in enumerate(parts.after):
        add(station.operation, station.id, run.after[k], shop.after[j][k])
    for k, station in enumerate(parts.beside):
        add(station.operation, station.id, run.beside[k], shop.beside[j][k])
    return tuple(out)


def _late(
    shop: Shop, table: Timetable, nests: Sequence[Nest], pallets: Sequence[PlannedPallet]
) -> tuple[LatePiece, ...]:
    names = [p.id for p in pallets]
    out = []
    for at, (run, made) in enumerate(zip(table.runs, pallets, strict=True)):
        late = [p for p in nests[run.job].pieces if p.due is not None and made.end > p.due]
        why = because(shop, table.runs, at, names) if late else ()
        out += [LatePiece(p.id, p.due.astimezone(UTC), made.end, why) for p in late if p.due is not None]
    return tuple(sorted(out, key=lambda one: one.piece))


def _findings(problem: Problem, found: Sequenced, gap: float) -> tuple[PlanFinding, ...]:
    out = []
    undated = sum(p.due is None for p in problem.pieces)
    if undated == len(problem.pieces):
        out.append(PlanFinding("no_due_dates", "No due dates are given: the plan only keeps the line short."))
    elif undated:
        out.append(PlanFinding("some_without_due", f"{undated} of {len(problem.pieces)} pieces have no due date."))
    past = [p.id for p in problem.pieces if p.due is not None and p.due <= problem.start]
    if past:
        out.append(PlanFinding("due_before_start", f"{len(past)} pieces are due before the plan starts."))
    if gap > 0.5:
        out.append(PlanFinding("bound_weak", "The lower bound is weak: the gap says little about the plan."))
    out.append(PlanFinding("start_rule", f"The search started from rule {found.rule}."))
    return tuple(out)


def _empty(problem: Problem, spent: float) -> Plan:
    start: datetime = problem.start.astimezone(UTC)
    finding = PlanFinding("nothing_to_plan", "There is no piece to plan.")
    return Plan(
        "", "empty", problem.line.id, start, (), 0, 0, 0.0, 0, (), (finding,), 0, problem.seed, solve_s=round(spent, 3)
    ).signed()
