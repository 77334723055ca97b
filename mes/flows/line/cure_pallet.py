"""Process: follows the pallets in the curing chamber and releases one when its measured temperatures give the strength.

The temperature history of the slot is the only evidence. Where it is not enough, the pallet waits for a cube test.
"""

from datetime import datetime, timedelta

from mes.core.ports import Sample, Store, TelemetrySink, Tx
from mes.flows.line.pallet_work import draft_of, mix_by_id, program_by_id
from mes.lines.curing import StrengthEstimate, duration_h, estimate, required_strength
from mes.lines.machines.curing_chamber import temperature_tag
from mes.lines.plant import Line, Plant
from mes.lines.run import PalletRun
from mes.tracking.component import Component

TELL_MPA = 0.5
SETTLE_MIN = 10


def required_of(memory: Store | Tx, run: PalletRun) -> float:
    """The highest stripping strength of the pieces on the pallet, never below the gate (MPa)."""
    wanted = [0.0]
    for piece in run.pieces:
        component = memory.get(Component, piece.component)
        if component is not None:
            wanted.append(draft_of(memory, component).form_stripping_strength_mpa or 0.0)
    return required_strength(max(wanted))


def watch_curing(
    store: Store, plant: Plant, line: Line, telemetry: TelemetrySink, link: str, now: datetime
) -> list[tuple[PalletRun, StrengthEstimate]]:
    """The estimate of every curing pallet at `now`; pure reading."""
    found = []
    for run in store.find(PalletRun, line.id):
        if run.status == "curing" and run.chamber_in is not None:
            history = telemetry.history(temperature_tag(link, run.slot), run.chamber_in, now)
            found.append((run, _estimate(plant, run, history, now)))
    return found


def _estimate(plant: Plant, run: PalletRun, history: list[Sample], now: datetime) -> StrengthEstimate:
    _, mix = mix_by_id(plant, run.mix)
    return estimate([(s.at, s.value) for s in history if s.good], mix, start=run.chamber_in, end=now)


def judge_curing(tx: Tx, plant: Plant, run_id: str, seen: StrengthEstimate) -> None:
    """Story: remembers a changed estimate; releases the pallet when program and strength are reached, or a cube test says so."""
    run = tx.get(PalletRun, run_id)
    if run is None or run.status != "curing" or run.chamber_in is None:
        return
    required = run.required_mpa or required_of(tx, run)
    _remember(tx, run, seen, required)
    hours = duration_h(program_by_id(plant, run.program))
    over = tx.now - run.chamber_in >= timedelta(hours=hours)
    strength = run.cube_mpa if run.cube_mpa is not None else seen.strength_mpa
    if over and strength is not None and strength >= required:
        tx.append(PalletRun, run_id, "run_cured", {"strength_mpa": strength, "required_mpa": required})
        tx.publish("event", "pallet-cured", strength, unit="MPa", place=f"{run.line}/{run.pallet}")


def _remember(tx: Tx, run: PalletRun, seen: StrengthEstimate, required: float) -> None:
    grown = abs((seen.strength_mpa or 0.0) - (run.strength_mpa or 0.0)) >= TELL_MPA
    settled = run.chamber_in is not None and tx.now - run.chamber_in >= timedelta(minutes=SETTLE_MIN)
    needs_cubes = seen.needs_cube_test and settled and run.cube_mpa is None
    if run.required_mpa is None or grown or needs_cubes != run.needs_cube_test:
        data = {
            "strength_mpa": seen.strength_mpa,
            "required_mpa": required,
            "maturity_ch": seen.maturity,
            "needs_cube_test": needs_cubes,
            "note": seen.reason if needs_cubes else "",
        }
        tx.append(PalletRun, run.id, "strength_estimated", data)
