"""From released orders and a plant to the planner's question."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mes.core.errors import NoFeasiblePlan
from mes.core.ports import Store, Tx
from mes.flows.line.pallet_work import draft_of, outline_of
from mes.flows.line.shift_clock import calendar_of
from mes.lines.concrete import mix_for
from mes.lines.curing import duration_h
from mes.lines.plant import Line, Plant, TimeModel, operation_of
from mes.lines.plant_file import PlantFolder
from mes.lines.routing import CHAMBER_OPERATIONS, family, steps_on
from mes.orders.component_type import ComponentDraft
from mes.orders.order import Order
from mes.planning import problem as p
from mes.planning.problem import ChamberSpec, LineSpec, PalletSpec, Piece, PlannedPallet, Problem, StationSpec
from mes.tracking.component import Component

YARD_LEAD = timedelta(days=1)


def build_problem(
    memory: Store | Tx,
    folder: PlantFolder,
    line: Line,
    components: Sequence[Component],
    start: datetime,
    *,
    locked: Sequence[PlannedPallet] = (),
    seed: int = 1,
    evaluations: int = 2000,
) -> Problem:
    """Raises RuleBroken(code="mix_unknown" | "family_unknown") or NoFeasiblePlan when a piece cannot be made at all.

    `locked` are pallets of earlier plans that are not finished; the new ones queue behind them.
    """
    plant = folder.plant
    orders = {o.order_id: o for o in memory.find(Order)}
    pieces = tuple(_piece(memory, plant, line, c, orders, plant.plant.timezone) for c in components)
    return Problem(
        pieces=pieces,
        line=line_spec(plant, line),
        calendar=calendar_of(plant.plant.timezone, folder.shifts),
        start=start,
        locked=tuple(locked),
        seed=seed,
        evaluations=evaluations,
    )


def line_spec(plant: Plant, line: Line) -> LineSpec:
    """Batching is done beside the line while the pallet stands at the spreader: its time is the spreader's."""
    if line.pallets is None or line.chamber is None:
        raise NoFeasiblePlan(
            f"Line {line.id} has no pallets or no curing chamber in plant.yaml.",
            code="line_incomplete",
            hint="Describe pallets and chamber of the line in plant.yaml.",
        )
    batching = line.station("batch")
    stations = tuple(
        StationSpec(
            s.id,
            operation_of(s),
            _times(s.time, batching.time if batching and operation_of(s) == "pour" else None),
            s.on_pallet,
        )
        for s in line.stations
        if operation_of(s) != "batch"
    )
    fleet = line.pallets
    return LineSpec(
        id=line.id,
        stations=stations,
        pallets=tuple(
            PalletSpec(f"{fleet.prefix}{n:02d}", int(fleet.length_mm), int(fleet.width_mm), fleet.max_mass_kg)
            for n in range(1, fleet.count + 1)
        ),
        chamber=ChamberSpec(
            slots=len(line.chamber.slots),
            max_height_mm=int(line.chamber.max_height_mm),
            max_mass_kg=line.chamber.max_mass_kg,
            cure_h={program.id: duration_h(program) for program in plant.curing_programs},
        ),
        edge_mm=int(fleet.edge_mm),
        gap_mm=int(fleet.gap_mm),
        moulds={mould.type: mould.count for mould in line.moulds},
        class_change_s=line.class_change_s,
    )


def _times(own: TimeModel, more: TimeModel | None) -> p.TimeModel:
    names = ("base_s", "per_piece_s", "per_m_s", "per_m2_s", "per_m3_s", "per_embed_s")
    return p.TimeModel(**{name: getattr(own, name) + (getattr(more, name) if more else 0) for name in names})


def _piece(
    memory: Store | Tx, plant: Plant, line: Line, component: Component, orders: Mapping[str, Order], timezone: str
) -> Piece:
    draft = draft_of(memory, component)
    kind = family(component.family)
    mix_for(component.concrete_class, plant.mixes)
    order = orders.get(component.order_id)
    row = order.due_of(component.building, component.storey) if order else None
    outline = outline_of(draft)
    return Piece(
        id=component.code,
        mark=component.mark,
        family=component.family,
        concrete_class=component.concrete_class,
        thickness_mm=-int(-draft.thickness_mm // 1),
        length_mm=-int(-outline.length // 1),
        width_mm=-int(-outline.width // 1),
        outline=outline,
        mass_kg=draft.mass_kg,
        volume_m3=draft.volume_m3,
        formwork_m=_formwork_m(draft),
        embeds=draft.embed_count,
        floor=component.storey,
        sequence=(row.sequence if row and row.sequence is not None else 0),
        due=_due(row.due, timezone) if row and row.due else None,
        rotate=kind.rotate,
        mould=kind.mould,
        group=component.project,
        operations=_operations(line, component.family),
        program=kind.curing_program,
    )


def _operations(line: Line, family_id: str) -> tuple[str, ...]:
    """The planner knows one operation `cure`; store, cure and retrieve are parts of it, and batching a part of pouring."""
    steps = [s.operation for s in steps_on(line, family(family_id)) if s.operation != "batch"]
    return tuple(dict.fromkeys("cure" if o in CHAMBER_OPERATIONS else o for o in steps))


def _formwork_m(draft: ComponentDraft) -> float:
    outline = outline_of(draft)
    total = 0.0
    for ring in (outline.contour, *outline.openings):
        for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
            total += ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    return round(total / 1000, 3)


def _due(day: date, timezone: str) -> datetime:
    at = datetime.combine(day, time(6, 0), tzinfo=ZoneInfo(timezone))
    return at.astimezone(UTC) - YARD_LEAD
