"""A pallet run: one lap of one pallet, from the empty pallet to the pieces in the yard; and where each pallet is."""

from datetime import datetime
from typing import Any, Literal

from mes.core.errors import RuleBroken
from mes.core.event import Event, State, StreamKind

RunStatus = Literal["planned", "active", "stopped", "curing", "finished", "scrapped"]


class RunPiece(State):
    """One component on the pallet: pose of its outline's bounding box in pallet coordinates (mm, degrees)."""

    component: str
    mark: str
    x: float
    y: float
    angle_deg: int = 0


class PlannedStep(State):
    """One operation of the run's routing with its planned time; `cure` has no station work, only time."""

    operation: str
    station: str
    start: datetime
    end: datetime


class PalletRun(State):
    """`step` is the index of the operation that is due or going on; `position` the station (or `chamber`) where the pallet stands, "" outside."""

    id: str
    line: str
    plan: str
    number: int
    pallet: str = ""
    pieces: list[RunPiece]
    steps: list[PlannedStep]
    family: str
    concrete_class: str
    mix: str
    program: str
    finish: str
    demould: str
    mould: str | None = None
    status: RunStatus = "planned"
    step: int = 0
    position: str = ""
    slot: str = ""
    chamber_in: datetime | None = None
    strength_mpa: float | None = None
    required_mpa: float | None = None
    maturity_ch: float | None = None
    needs_cube_test: bool = False
    cube_mpa: float | None = None
    note: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cast_at: datetime | None = None

    @property
    def due_step(self) -> PlannedStep | None:
        return self.steps[self.step] if self.step < len(self.steps) else None


def apply(run: PalletRun | None, event: Event) -> PalletRun:
    data: dict[str, Any] = dict(event.data)
    if run is None:
        return PalletRun.model_validate({"id": event.key, **data})
    match event.type:
        case "run_started":
            return _update(run, {"status": "active", "started_at": event.at, **data})
        case "run_moved":
            return _update(run, data)
        case "run_step_done":
            update: dict[str, Any] = {"step": run.step + 1}
            if data.get("operation") == "pour":
                update["cast_at"] = event.at
            return _update(run, update)
        case "run_stopped":
            return _update(run, {"status": "stopped", "note": data.get("reason", "")})
        case "run_resumed":
            return _update(run, {"status": "active", "note": ""})
        case "run_stored_in_chamber":
            return _update(run, {"status": "curing", "chamber_in": event.at, "position": "", **data})
        case "strength_estimated":
            return _update(run, data)
        case "cube_tested":
            return _update(run, {"cube_mpa": data["strength_mpa"], "needs_cube_test": False})
        case "run_cured":
            return _update(run, {"status": "active", "step": run.step + 1, **data})
        case "run_finished":
            return _update(run, {"status": "finished", "finished_at": event.at, "position": ""})
        case "run_scrapped":
            return _update(
                run, {"status": "scrapped", "finished_at": event.at, "position": "", "note": data.get("reason", "")}
            )
    raise RuleBroken(f"{event.type} is no event of a pallet run.", code="event_unknown")


def _update(run: PalletRun, data: dict[str, Any]) -> PalletRun:
    return PalletRun.model_validate({**run.model_dump(), **data})


def _group(run: PalletRun) -> str:
    """Runs still to do stand in `<line>`, ended ones in `<line>/ended`."""
    return f"{run.line}/ended" if run.status in ("finished", "scrapped") else run.line


class Pallet(State):
    """One pallet (模台): the run it carries, or "" when it is empty; laps counted."""

    id: str
    line: str
    number: int
    run: str = ""
    laps: int = 0


def apply_pallet(pallet: Pallet | None, event: Event) -> Pallet:
    data = dict(event.data)
    if pallet is None:
        return Pallet.model_validate({"id": event.key, **data})
    match event.type:
        case "pallet_taken":
            return pallet.model_copy(update={"run": data["run"]})
        case "pallet_returned":
            return pallet.model_copy(update={"run": "", "laps": pallet.laps + 1})
    raise RuleBroken(f"{event.type} is no event of a pallet.", code="event_unknown")


RUN = StreamKind("run", PalletRun, apply, _group)
PALLET = StreamKind("pallet", Pallet, apply_pallet, lambda pallet: pallet.line)
