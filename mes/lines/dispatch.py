"""What may happen next on a line: a pure decision over where the pallets stand, asked again after every change.

Pallets block one another: a pallet stays where it is until the next place is free. Concrete is batched only when the
spreader is free, so batching reserves the pour station; taking a pallet out of the chamber reserves the next station.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mes.lines.job import LineJob
from mes.lines.plant import Line, operation_of
from mes.lines.run import Pallet, PalletRun

WET_OPERATIONS = frozenset({"pour", "vibrate", "level", "precure", "finish", "chamber_in"})


@dataclass(frozen=True)
class StartRun:
    """An empty pallet begins the lap of a planned run."""

    run: str
    pallet: str


@dataclass(frozen=True)
class ReadyJob:
    """The due operation of a run can begin: the pallet stands at `position` ("" for work off the pallet), in `slot` of the chamber."""

    run: str
    position: str
    slot: str


@dataclass(frozen=True)
class Situation:
    """`open_jobs` are those ready, running or stopped. `working` says whether a shift is on, `wet_ok` whether fresh concrete can still reach the chamber in it."""

    line: Line
    runs: Sequence[PalletRun]
    pallets: Sequence[Pallet]
    open_jobs: Sequence[LineJob]
    working: bool = True
    wet_ok: bool = True
    pallet_mass_kg: dict[str, float] = field(default_factory=dict)
    pallet_height_mm: dict[str, float] = field(default_factory=dict)


def position_of(line: Line, run: PalletRun) -> str:
    """The station where the pallet must stand for the due step; "" when the work is off the pallet or in the chamber."""
    step = run.due_step
    if step is None or step.operation == "cure":
        return ""
    stations = {station.id: station for station in line.stations}
    if step.operation == "chamber_out" or (step.operation == "batch" and not stations[step.station].on_pallet):
        later = run.steps[run.step + 1 :]
        return next((s.station for s in later if stations[s.station].on_pallet and s.operation != "cure"), "")
    return step.station if stations[step.station].on_pallet else ""


def next_actions(now: Situation) -> list[StartRun | ReadyJob]:
    """Every action that is possible at once, the pallets furthest on first, so that the line empties before it fills."""
    busy = {job.station for job in now.open_jobs}
    with_job = {job.run for job in now.open_jobs}
    taken = {run.position for run in now.runs if run.position}
    used_slots = {run.slot for run in now.runs if run.slot}
    actions: list[StartRun | ReadyJob] = []
    active = [run for run in now.runs if run.status == "active" and run.id not in with_job]
    for run in sorted(active, key=lambda r: (-r.step, r.number)):
        action = _ready(now, run, busy, taken, used_slots)
        if action is not None:
            actions.append(action)
            busy.add(run.steps[run.step].station)
            taken.discard(run.position)
            taken.add(action.position)
            used_slots.add(action.slot)
    start = _start(now, taken - {""})
    return [*actions, start] if start else actions


def _ready(now: Situation, run: PalletRun, busy: set[str], taken: set[str], used_slots: set[str]) -> ReadyJob | None:
    step = run.due_step
    if step is None or step.operation == "cure" or step.station in busy:
        return None
    if not now.working and step.operation not in WET_OPERATIONS:
        return None
    if step.operation == "batch" and not now.wet_ok:
        return None
    position = position_of(now.line, run)
    if position and position != run.position and position in taken:
        return None
    if step.operation != "chamber_in" or run.slot:
        return ReadyJob(run.id, position, run.slot)
    slot = _free_slot(now, run, used_slots)
    return ReadyJob(run.id, position, slot) if slot else None


def _free_slot(now: Situation, run: PalletRun, used: set[str]) -> str:
    chamber = now.line.chamber
    if chamber is None:
        return ""
    too_heavy = now.pallet_mass_kg.get(run.id, 0) > chamber.max_mass_kg
    too_high = now.pallet_height_mm.get(run.id, 0) > chamber.max_height_mm
    if too_heavy or too_high:
        return ""
    return next((slot for slot in chamber.slots if slot not in used), "")


def _start(now: Situation, taken: set[str]) -> StartRun | None:
    """The next planned run in plan order whose mould is free takes the empty pallet with the fewest laps."""
    if not now.working:
        return None
    on_pallet = [station.id for station in now.line.stations if station.on_pallet]
    if on_pallet[0] in taken:
        return None
    empty = sorted((p for p in now.pallets if not p.run), key=lambda p: (p.laps, p.number))
    if not empty:
        return None
    stock = {mould.type: mould.count for mould in now.line.moulds}
    demould = next((s.id for s in now.line.stations if operation_of(s) == "demould"), "")
    for run in sorted((r for r in now.runs if r.status == "planned"), key=lambda r: r.number):
        if run.mould is None or _moulds_out(now.runs, run.mould, demould) < stock.get(run.mould, 0):
            return StartRun(run.id, empty[0].id)
    return None


def _moulds_out(runs: Sequence[PalletRun], mould: str, demould: str) -> int:
    """Moulds of a type on pallets that have started and not been demoulded."""
    return sum(
        1 for run in runs if run.mould == mould and run.pallet and run.status != "planned" and not _past(run, demould)
    )


def _past(run: PalletRun, station: str) -> bool:
    at = next((i for i, step in enumerate(run.steps) if step.station == station), len(run.steps))
    return run.step > at
