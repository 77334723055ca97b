"""The independent checker: reads only the problem and the plan and says every rule that the plan breaks.

It shares nothing with the decoder: working time is a table of single minutes, resources are counted by sweeping over intervals.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, combinations, pairwise
from math import ceil
from zoneinfo import ZoneInfo

from mes.planning.problem import Calendar, Piece, Plan, PlannedOp, PlannedPallet, Problem
from mes.planning.times import done_on, layout, minutes

MINUTE = timedelta(minutes=1)


def check_plan(problem: Problem, plan: Plan) -> list[str]:
    """One sentence per broken rule, empty for a feasible plan."""
    everything = (*problem.locked, *plan.pallets)
    ends = [op.end for run in everything for op in run.ops] + [problem.start]
    table = _Minutes(problem.calendar, problem.start, max(ends))
    by_id = {piece.id: piece for piece in problem.pieces}
    out = _pieces(problem, plan)
    for run in plan.pallets:
        if all(piece in by_id for piece, _ in run.pieces):
            loaded = [by_id[piece] for piece, _ in run.pieces]
            out += _load(problem, run, loaded) + _flow(problem, run, loaded, table)
    out += _stations(problem, everything) + _places(problem, everything) + _changes(problem, plan, table)
    return out + _late(problem, plan) + _objective(problem, plan, table)


class _Minutes:
    """Working time minute by minute from the start of the plan; real minutes before it count as no work."""

    def __init__(self, calendar: Calendar, start: datetime, until: datetime) -> None:
        self.start = start
        zone = ZoneInfo(calendar.timezone)
        size = (until - start) // MINUTE + 2
        works, self.day = [], []
        day, shift, idle = 0, None, False
        for n in range(size):
            date = _shift_date(calendar, (start + MINUTE * n).astimezone(zone))
            works.append(date is not None)
            idle = idle or date is None
            if date is not None:
                day += int(shift is not None and date != shift and idle)
                shift, idle = date, False
            self.day.append(day)
        self.works = works
        self.before = [0, *accumulate(int(w) for w in works)]

    def at(self, t: datetime) -> int:
        return (t - self.start) // MINUTE

    def between(self, a: datetime, b: datetime) -> int:
        return self.count(b) - self.count(a)

    def count(self, t: datetime) -> int:
        return self.before[max(0, min(self.at(t), len(self.works)))]


def _shift_date(calendar: Calendar, local: datetime) -> str | None:
    """The date of the shift that works at this local time (its own or that of the day before), or None."""
    for back in (0, 1):
        date = local.date() - timedelta(days=back)
        minute = local.hour * 60 + local.minute + 1440 * back
        segments = calendar.exceptions.get(date.isoformat(), calendar.week[date.weekday()])
        if any(a <= minute < b for a, b in segments):
            return date.isoformat()
    return None


def _pieces(problem: Problem, plan: Plan) -> list[str]:
    planned = Counter(piece for run in plan.pallets for piece, _ in run.pieces)
    wanted = {piece.id for piece in problem.pieces}
    out = [f"piece {p} is planned {planned[p]} times" for p in sorted(wanted) if planned[p] != 1]
    return out + [f"piece {p} was not asked for" for p in sorted(set(planned) - wanted)]


def _load(problem: Problem, run: PlannedPallet, loaded: Sequence[Piece]) -> list[str]:
    """Pallet, places, gaps, turning, mass, height, mixing and moulds of one load."""
    line, out = problem.line, []
    pallet = next((p for p in line.pallets if p.id == run.pallet), None)
    if pallet is None:
        return [f"{run.id}: pallet {run.pallet} does not exist"]
    boxes = []
    for piece, (_, pose) in zip(loaded, run.pieces, strict=True):
        if pose.angle_deg % 180 and not piece.rotate:
            out.append(f"{run.id}: piece {piece.id} may not be turned")
        turned = pose.angle_deg % 180 != 0
        w, h = (piece.width_mm, piece.length_mm) if turned else (piece.length_mm, piece.width_mm)
        boxes.append((piece.id, pose.x, pose.y, pose.x + w, pose.y + h))
        if (
            min(pose.x, pose.y) < line.edge_mm
            or pose.x + w > pallet.length_mm - line.edge_mm
            or pose.y + h > pallet.width_mm - line.edge_mm
        ):
            out.append(f"{run.id}: piece {piece.id} reaches over the edge of the pallet")
        if piece.thickness_mm > line.chamber.max_height_mm:
            out.append(f"{run.id}: piece {piece.id} is too high for the chamber")
    for a, b in combinations(boxes, 2):
        if max(a[1] - b[3], b[1] - a[3], a[2] - b[4], b[2] - a[4]) < line.gap_mm:
            out.append(f"{run.id}: pieces {a[0]} and {b[0]} are closer than {line.gap_mm} mm")
    mass = sum(p.mass_kg for p in loaded)
    if mass > min(pallet.max_mass_kg, line.chamber.max_mass_kg) + 1e-6:
        out.append(f"{run.id}: the load of {mass:g} kg is too heavy")
    kinds = {
        (p.group, p.floor, p.family, p.concrete_class, p.thickness_mm, p.program, p.operations, p.mould) for p in loaded
    }
    if len(kinds) != 1:
        out.append(f"{run.id}: mixes pieces that may not share a pallet")
    if any(p.mould for p in loaded) and len(loaded) > 1:
        out.append(f"{run.id}: a mould stands alone on its pallet")
    return out


def _flow(problem: Problem, run: PlannedPallet, loaded: Sequence[Piece], table: _Minutes) -> list[str]:
    """Order and length of the operations, curing time, working time and the wet rule of one pallet."""
    line, out = problem.line, []
    parts = layout(line)
    flow = [s for k, s in enumerate(parts.before) for s in (*parts.leads[k], s)] + [*parts.after, *parts.beside]
    wanted = [s for s in flow if s.operation == "cure" or done_on(s, loaded)]
    if [op.station for op in run.ops] != [s.id for s in wanted]:
        return [f"{run.id}: has operations {[op.station for op in run.ops]} instead of {[s.id for s in wanted]}"]
    put_away = 0
    for op, station in zip(run.ops, wanted, strict=True):
        need, spent = minutes(station.times, loaded), table.between(op.start, op.end)
        if op.operation == "cure":
            put_away = need if done_on(station, loaded) else 0
        elif spent != need:
            out.append(f"{run.id}: {op.operation} takes {spent} min instead of {need}")
        if op.start < problem.start or not table.works[table.at(op.start)]:
            out.append(f"{run.id}: {op.operation} starts outside working time")
    for a, b in pairwise(run.ops):
        if b.start < a.end:
            out.append(f"{run.id}: {b.operation} starts before {a.operation} ends")
    entry = _plus_work(table, run.op("cure"), put_away)
    cure = run.op("cure")
    assert cure is not None
    if cure.end < entry + MINUTE * ceil(line.chamber.cure_h[run.program] * 60):
        out.append(f"{run.id}: leaves the chamber before it is cured")
    return out + _wet(problem, run, entry, table)


def _wet(problem: Problem, run: PlannedPallet, entry: datetime, table: _Minutes) -> list[str]:
    wet = run.op(problem.line.wet_from)
    if wet is None or not problem.line.wet_same_day:
        return []
    ids = [op.station for op in run.ops]
    parts = layout(problem.line)
    lead = next((lead for k, lead in enumerate(parts.leads) if parts.before[k].id == wet.station), ())
    begun = min([run.ops[ids.index(s.id)].start for s in lead if s.id in ids] + [wet.start])
    if table.day[table.at(begun)] != table.day[table.at(entry - MINUTE)]:
        return [f"{run.id}: stands wet over a night before the chamber"]
    return []


def _plus_work(table: _Minutes, op: PlannedOp | None, work: int) -> datetime:
    """When `work` minutes from the start of the operation are done."""
    assert op is not None
    n = table.at(op.start)
    while work:
        work -= int(table.works[n])
        n += 1
    return table.start + MINUTE * n


def _stations(problem: Problem, runs: Iterable[PlannedPallet]) -> list[str]:
    """No two pallets at one station; a pallet stands at its station until it starts at the next one."""
    parts = layout(problem.line)
    on_line = {s.id for s in (*parts.before, *parts.after)}
    chamber = parts.before[-1].id
    held: dict[str, list[tuple[datetime, datetime, str]]] = {}
    for run in runs:
        ops = [op for op in run.ops if op.station in on_line]
        for op in ops:
            if op.station != chamber:
                held.setdefault(op.station, []).append((op.start, _left(problem, run, op), run.id))
        for op in run.ops:
            if op.station not in on_line:
                held.setdefault(op.station, []).append((op.start, op.end, run.id))
    out = []
    for station, intervals in sorted(held.items()):
        for a, b in pairwise(sorted(intervals)):
            if b[0] < a[1]:
                out.append(f"station {station}: {b[2]} comes before {a[2]} has left")
    return out


def _left(problem: Problem, run: PlannedPallet, op: PlannedOp) -> datetime:
    """When the pallet leaves the station: as it starts at the next one; it may wait at a next station that does nothing for it."""
    parts = layout(problem.line)
    stations = [s.id for s in (*parts.before, *parts.after)]
    at = stations.index(op.station)
    starts = {other.station: other.start for other in run.ops}
    return starts.get(stations[at + 1], op.end) if at + 1 < len(stations) else op.end


def _places(problem: Problem, runs: Sequence[PlannedPallet]) -> list[str]:
    """Chamber places, pallets and moulds are never used twice at a time."""
    line, out = problem.line, []
    cures = [(cure.start, cure.end) for run in runs if (cure := run.op("cure")) is not None]
    if _most(cures) > line.chamber.slots:
        out.append(f"the chamber holds {_most(cures)} pallets in {line.chamber.slots} places")
    for pallet in sorted({run.pallet for run in runs}):
        if _most([(run.start, run.returned) for run in runs if run.pallet == pallet]) > 1:
            out.append(f"pallet {pallet} is used twice at a time")
    for mould in sorted({run.mould for run in runs if run.mould}):
        used = [(_mould_from(problem, run), run.returned) for run in runs if run.mould == mould]
        if _most(used) > line.moulds.get(mould, 0):
            out.append(f"{_most(used)} moulds {mould} are in use, there are {line.moulds.get(mould, 0)}")
    return out


def _mould_from(problem: Problem, run: PlannedPallet) -> datetime:
    op = run.op(problem.line.mould_operation)
    return op.start if op is not None else run.start


def _most(intervals: Iterable[tuple[datetime, datetime]]) -> int:
    steps = sorted([(b, -1) for _, b in intervals] + [(a, 1) for a, _ in intervals])
    return max(accumulate(step for _, step in steps), default=0)


def _changes(problem: Problem, plan: Plan, table: _Minutes) -> list[str]:
    """Between two concrete classes the casting station is cleaned after the first pallet has left it."""
    need = ceil(problem.line.class_change_s / 60)
    fixed = {run.id for run in problem.locked}
    cast = []
    for run in (*problem.locked, *plan.pallets):
        wet = run.op(problem.line.wet_from)
        if wet is not None:
            cast.append((wet.start, _left(problem, run, wet), run.concrete_class, run.id))
    cast.sort()
    return [
        f"{b[3]}: concrete {b[2]} follows {a[2]} without the class change of {need} min"
        for a, b in pairwise(cast)
        if a[2] != b[2] and b[3] not in fixed and table.between(a[1], b[0]) < need
    ]


def _late(problem: Problem, plan: Plan) -> list[str]:
    due = {p.id: p.due for p in problem.pieces}
    late = {piece for run in plan.pallets for piece, _ in run.pieces if (d := due.get(piece)) and run.end > d}
    told = {one.piece for one in plan.late}
    return [f"piece {p} is late and not reported" for p in sorted(late - told)] + [
        f"piece {p} is reported late and is not" for p in sorted(told - late)
    ]


def _objective(problem: Problem, plan: Plan, table: _Minutes) -> list[str]:
    due = {p.id: p.due for p in problem.pieces}
    total = span = 0
    for run in plan.pallets:
        finish = table.count(run.end)
        dues = [d for piece, _ in run.pieces if (d := due.get(piece)) is not None]
        total += len(dues) * max(0, finish - table.count(min(dues))) if dues else 0
        span = max(span, finish)
    if plan.objective != total + span:
        return [f"the objective is {total + span}, not {plan.objective}"]
    return []
