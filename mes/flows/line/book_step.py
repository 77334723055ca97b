"""Part of the line's stories: what a finished operation means for the run, its pallet and its components."""

from collections.abc import Mapping
from typing import Any

from mes.core.errors import RuleBroken
from mes.core.ports import Tx
from mes.core.rules import load_rules
from mes.lines.job import LineJob
from mes.lines.plant import Plant
from mes.lines.run import Pallet, PalletRun
from mes.tracking.component import Component, Lifecycle
from mes.tracking.inspection import Measured, inspect_outgoing

EVENT_AFTER = {
    "place_moulds": "mould_ready",
    "place_embeds": "component_reinforced",
    "inspect_prepour": "prepour_passed",
    "pour": "component_cast",
    "chamber_in": "curing_started",
    "demould": "component_demoulded",
    "label": "component_labelled",
    "inspect_outgoing": "inspection_passed",
    "store": "component_stored",
}


def book_step(tx: Tx, plant: Plant, job: LineJob, result: Mapping[str, Any]) -> None:
    """The run goes on to its next step; the pieces remember what was done to them."""
    run = tx.get(PalletRun, job.run)
    assert run is not None
    for piece in run.pieces:
        _book_piece(tx, plant, run, piece.component, job, result)
    tx.append(PalletRun, run.id, "run_step_done", {"operation": job.operation})
    if job.operation == "chamber_in":
        tx.append(PalletRun, run.id, "run_stored_in_chamber", {})
    if job.operation == "chamber_out":
        tx.append(PalletRun, run.id, "run_moved", {"slot": ""})
    if job.operation == "demould":
        _return_pallet(tx, run)
    if job.step + 1 >= len(run.steps):
        tx.append(PalletRun, run.id, "run_finished", {})
        tx.publish("event", "run-finished", run.id, place=run.line)


def book_scrap(tx: Tx, job: LineJob, reason: str) -> None:
    """The run ends, its pieces are scrapped, its pallet comes back empty."""
    run = tx.get(PalletRun, job.run)
    assert run is not None
    for piece in run.pieces:
        tx.append(Component, piece.component, "component_scrapped", {"reason": reason})
    if run.pallet:
        _return_pallet(tx, run)
    tx.append(PalletRun, run.id, "run_scrapped", {"reason": reason})
    tx.publish("event", "run-scrapped", run.id, place=run.line)


def _return_pallet(tx: Tx, run: PalletRun) -> None:
    tx.append(PalletRun, run.id, "run_moved", {"position": "", "slot": ""})
    pallet = tx.get(Pallet, run.pallet)
    if pallet is not None and pallet.run == run.id:
        tx.append(Pallet, run.pallet, "pallet_returned", {})
        tx.publish("state", "run", "", place=f"{run.line}/{run.pallet}")


def _book_piece(tx: Tx, plant: Plant, run: PalletRun, code: str, job: LineJob, result: Mapping[str, Any]) -> None:
    event = EVENT_AFTER.get(job.operation)
    if event is None:
        return
    if job.operation == "store" and _is_stored(tx, code):
        return
    data: dict[str, Any] = {"place": job.station, "slot": run.slot}
    match job.operation:
        case "place_moulds":
            data["pallet"] = run.pallet
        case "pour":
            data["batches"] = [f"{run.id}-{run.mix}"]
        case "demould":
            data["strength"] = _strength(run)
        case "label":
            component = tx.get(Component, code)
            data["label_no"] = (component.label_no if component else 0) + 1
        case "inspect_outgoing":
            data |= _inspected(tx, code, result)
        case "store":
            data["place"], data["slot"] = "yard", str(result.get("bay") or _bay(plant, run.family))
    tx.append(Component, code, event, data)
    tx.publish("event", "component", {"code": code, "event": event}, place=f"{run.line}/{job.station}")


def _inspected(tx: Tx, code: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Measured dimensions (`result["measured"][code]`, mm) judged by the tolerances; nothing where none were taken.

    Raises RuleBroken(code="out_of_tolerance"): such a piece is not passed.
    """
    component = tx.get(Component, code)
    taken: Mapping[str, Any] = (result.get("measured") or {}).get(code) or {}
    if component is None or not taken:
        return {}
    nominal = {"length": component.length_mm, "width": component.width_mm, "thickness": component.thickness_mm}
    measured = [
        Measured(item=item, nominal_mm=nominal[item], measured_mm=float(value))
        for item, value in taken.items()
        if item in nominal
    ]
    inspection = inspect_outgoing(component, tx.actor, measured, load_rules("tolerances"))
    outside = [f"{m.item} {m.measured_mm:g} mm" for m in inspection.measurements if not m.ok]
    if outside:
        raise RuleBroken(
            f"{component.mark} is out of tolerance: {', '.join(outside)}.",
            code="out_of_tolerance",
            hint="Measure again, or sign as not passed with a reason.",
        )
    return inspection.event_data()


def _is_stored(tx: Tx, code: str) -> bool:
    """A piece that was scanned into its bay is there already."""
    component = tx.get(Component, code)
    return component is not None and component.lifecycle == Lifecycle.STORED


def _strength(run: PalletRun) -> dict[str, Any]:
    by_cube = run.cube_mpa is not None
    return {
        "strength_mpa": run.cube_mpa if by_cube else run.strength_mpa,
        "required_mpa": run.required_mpa or 0.0,
        "maturity": run.maturity_ch,
        "source": "cube" if by_cube else "maturity",
    }


def _bay(plant: Plant, family_id: str) -> str:
    """The first bay that takes the family; a bay without families takes all."""
    return next((bay.id for bay in plant.yard if not bay.families or family_id in bay.families), "")
