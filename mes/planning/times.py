"""From loads and standard times to the shop problem: minutes of every load at every station, and what is already booked."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from mes.core.errors import NoFeasiblePlan
from mes.planning.calendar import WorkAxis
from mes.planning.decode import NO_DUE, Busy, Shop
from mes.planning.nesting import Nest, pallet_type
from mes.planning.problem import LineSpec, Piece, PlannedPallet, Problem, StationSpec, TimeModel


@dataclass(frozen=True)
class Layout:
    """The stations by their part in the flow. `leads[k]`: stations beside the line whose work must end when station k starts."""

    before: tuple[StationSpec, ...]
    leads: tuple[tuple[StationSpec, ...], ...]
    after: tuple[StationSpec, ...]
    beside: tuple[StationSpec, ...]


def layout(line: LineSpec) -> Layout:
    """Splits the line at its chamber. Raises NoFeasiblePlan(code="line_without_chamber") when no station has operation `cure`."""
    at = next((n for n, s in enumerate(line.stations) if s.operation == "cure"), None)
    if at is None:
        raise NoFeasiblePlan(
            f"Line {line.id} has no station with operation cure.",
            code="line_without_chamber",
            hint="Add the curing chamber to the stations of the line.",
        )
    before, leads, waiting = [], [], []
    for station in line.stations[: at + 1]:
        if not station.on_pallet and station.operation != "cure":
            waiting.append(station)
            continue
        before.append(station)
        leads.append(tuple(waiting))
        waiting = []
    rest = line.stations[at + 1 :]
    after = tuple(s for s in rest if s.on_pallet)
    return Layout(tuple(before), tuple(leads), after, tuple(s for s in rest if not s.on_pallet))


def minutes(model: TimeModel, pieces: Sequence[Piece]) -> int:
    """Standard time of one load, rounded up to whole minutes, at least one."""
    seconds = (
        model.base_s
        + model.per_piece_s * len(pieces)
        + model.per_m_s * sum(p.formwork_m for p in pieces)
        + model.per_m2_s * sum(p.length_mm * p.width_mm for p in pieces) / 1e6
        + model.per_m3_s * sum(p.volume_m3 for p in pieces)
        + model.per_embed_s * sum(p.embeds for p in pieces)
    )
    return max(1, ceil(round(seconds / 60, 6)))


def done_on(station: StationSpec, pieces: Sequence[Piece]) -> bool:
    """Whether any piece of the load has this station's operation in its routing."""
    return any(not p.operations or station.operation in p.operations for p in pieces)


def shop_of(problem: Problem, nests: Sequence[Nest], axis: WorkAxis) -> Shop:
    """The sequencing problem of these loads; job j is load j."""
    line, plan = problem.line, layout(problem.line)
    kinds = pallet_kinds(line)
    moulds = sorted(line.moulds)
    classes = sorted({n.pieces[0].concrete_class for n in nests} | {p.concrete_class for p in problem.locked})
    change = ceil(line.class_change_s / 60)
    booked = _Booked(problem, plan, axis, kinds, moulds)
    shop = Shop(
        axis=axis,
        times=[[_time(s, n) for s in plan.before] for n in nests],
        lead=[[sum(_time(s, n) for s in lead) for lead in plan.leads] for n in nests],
        cure=[ceil(line.chamber.cure_h[n.pieces[0].program] * 60) for n in nests],
        after=[[_time(s, n) for s in plan.after] for n in nests],
        beside=[[_time(s, n) for s in plan.beside] for n in nests],
        kind=[kinds.index(n.pallet_type) for n in nests],
        mould=[moulds.index(m) if (m := n.pieces[0].mould) is not None else -1 for n in nests],
        concrete=[classes.index(n.pieces[0].concrete_class) for n in nests],
        setup=[[0 if a == b else change for b in classes] for a in classes],
        release=[0] * len(nests),
        due=[_due(n, axis) for n in nests],
        weight=[sum(p.due is not None for p in n.pieces) for n in nests],
        wet_station=wet_station(line, plan),
        mould_station=next((k for k, s in enumerate(plan.before) if s.operation == line.mould_operation), 0),
        wet_same_day=line.wet_same_day,
        pallet_free=booked.pallets,
        mould_free=booked.moulds,
        slot_free=booked.slots,
        station_free=booked.stations,
        lead_free=booked.leads,
        last_concrete=classes.index(booked.last_class) if booked.last_class else -1,
        after_busy=booked.after,
        beside_busy=booked.beside,
    )
    _refuse_long_wet_work(shop, nests)
    return shop


def wet_station(line: LineSpec, plan: Layout) -> int:
    """Index of the casting station; without one the chamber itself."""
    return next((k for k, s in enumerate(plan.before) if s.operation == line.wet_from), len(plan.before) - 1)


def pallet_kinds(line: LineSpec) -> list[tuple[int, int, float]]:
    return sorted({pallet_type(p) for p in line.pallets})


def pallets_of(line: LineSpec, kind: tuple[int, int, float]) -> list[str]:
    """Ids of the pallets of one kind, in the order of the file."""
    return [p.id for p in line.pallets if pallet_type(p) == kind]


def _time(station: StationSpec, nest: Nest) -> int:
    return minutes(station.times, nest.pieces) if done_on(station, nest.pieces) else 0


def _due(nest: Nest, axis: WorkAxis) -> int:
    dues = [p.due for p in nest.pieces if p.due is not None]
    return axis.work_minute(min(dues)) if dues else NO_DUE


def _refuse_long_wet_work(shop: Shop, nests: Sequence[Nest]) -> None:
    longest = shop.axis.longest_day
    for j, nest in enumerate(nests):
        wet = shop.lead[j][shop.wet_station] + sum(shop.times[j][shop.wet_station :])
        if shop.wet_same_day and wet > longest:
            raise NoFeasiblePlan(
                f"The load with piece {nest.pieces[0].mark} needs {wet} min from casting to the chamber, the longest working day has {longest}.",
                code="wet_work_too_long",
                hint="Lengthen the shift, or allow wet pallets over night.",
                data={"pieces": [p.id for p in nest.pieces]},
            )


class _Booked:
    """What locked runs leave for new ones: when stations, pallets, moulds and chamber places are free, and booked intervals."""

    def __init__(
        self, problem: Problem, plan: Layout, axis: WorkAxis, kinds: list[tuple[int, int, float]], moulds: list[str]
    ) -> None:
        line = problem.line
        ids = [pallets_of(line, kind) for kind in kinds]
        back: dict[str, int] = {}
        self.moulds = [[0] * line.moulds[m] for m in moulds]
        self.slots = [0] * line.chamber.slots
        self.stations = [0] * len(plan.before)
        self.leads = [0] * len(plan.before)
        self.after: list[Busy] = [[] for _ in plan.after]
        self.beside: list[Busy] = [[] for _ in plan.beside]
        self.last_class = ""
        for run in sorted(problem.locked, key=lambda r: (r.start, r.id)):
            returned = axis.work_minute(run.returned)
            back[run.pallet] = max(returned, back.get(run.pallet, 0))
            if run.mould in moulds:
                _occupy(self.moulds[moulds.index(run.mould)], returned)
            self._line(run, plan, axis)
            self._behind(run, plan, axis)
            self.last_class = run.concrete_class
        self.pallets = [[back.get(p, 0) for p in row] for row in ids]

    def _line(self, run: PlannedPallet, plan: Layout, axis: WorkAxis) -> None:
        starts = {op.station: axis.work_minute(op.start) for op in run.ops}
        leave = axis.work_minute(run.ops[-1].end)
        cure = run.op("cure")
        if cure is not None:
            exit_ = axis.work_minute(cure.end)
            _occupy(self.slots, exit_ + 1 if exit_ else 0)
        for k in range(len(plan.before) - 1, -1, -1):
            station = plan.before[k].id
            if station not in starts:
                self.stations[k] = max(self.stations[k], leave)
                continue
            if k == len(plan.before) - 1:
                leave = starts[station] + minutes(plan.before[k].times, ())
            self.stations[k] = max(self.stations[k], leave)
            leave = starts[station]
            if plan.leads[k]:
                self.leads[k] = max(self.leads[k], leave)

    def _behind(self, run: PlannedPallet, plan: Layout, axis: WorkAxis) -> None:
        for stations, busy in ((plan.after, self.after), (plan.beside, self.beside)):
            for k, station in enumerate(stations):
                for op in run.ops:
                    a, b = axis.work_minute(op.start), axis.work_minute(op.end)
                    if op.station == station.id and b > a:
                        busy[k].append((a, b))


def _occupy(free: list[int], until: int) -> None:
    """The earliest free place is taken until then."""
    n = min(range(len(free)), key=lambda i: (free[i], i))
    free[n] = max(free[n], until)
