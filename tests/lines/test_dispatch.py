"""What may happen next on a line: blocking, reservation, chamber limits, moulds, shifts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mes.lines.dispatch import ReadyJob, Situation, StartRun, next_actions
from mes.lines.job import LineJob
from mes.lines.plant_file import read_plant
from mes.lines.routing import family, steps_on
from mes.lines.run import Pallet, PalletRun, PlannedStep, RunPiece

LINE = read_plant(Path(__file__).resolve().parents[2] / "config" / "plants" / "demo").plant.lines[0]
AT = datetime(2026, 11, 24, 6, tzinfo=UTC)


def run(
    number: int, operation: str, *, position: str = "", kind: str = "half_slab", status: str = "active"
) -> PalletRun:
    steps = [
        PlannedStep(operation=s.operation, station=s.station, start=AT, end=AT + timedelta(minutes=5))
        for s in steps_on(LINE, family(kind))
    ]
    step = next(i for i, s in enumerate(steps) if s.operation == operation)
    return PalletRun.model_validate(
        {
            "id": f"R{number}",
            "line": LINE.id,
            "plan": "p",
            "number": number,
            "pallet": f"P{number:02d}" if status != "planned" else "",
            "pieces": [RunPiece(component="C", mark="M", x=0, y=0)],
            "steps": steps,
            "family": kind,
            "concrete_class": "C30",
            "mix": "C30-PC",
            "program": "standard",
            "finish": "rake",
            "demould": "lift",
            "mould": family(kind).mould,
            "status": status,
            "step": step,
            "position": position,
        }
    )


def pallets(*taken: str) -> list[Pallet]:
    return [
        Pallet(id=f"P{n:02d}", line=LINE.id, number=n, run="R" if f"P{n:02d}" in taken else "") for n in range(1, 4)
    ]


def situation(*runs: PalletRun, jobs: tuple[LineJob, ...] = (), **more: object) -> Situation:
    values: dict[str, object] = {"line": LINE, "runs": runs, "pallets": pallets(), "open_jobs": jobs}
    return Situation(**{**values, **more})  # type: ignore[arg-type]


def test_the_next_planned_run_takes_the_empty_pallet() -> None:
    assert next_actions(situation(run(2, "clean", status="planned"), run(1, "clean", status="planned"))) == [
        StartRun("R1", "P01")
    ]


def test_nothing_starts_while_the_first_station_is_taken_or_no_shift_is_on() -> None:
    waiting = run(2, "clean", status="planned")
    assert next_actions(situation(run(1, "oil", position="clean"), waiting, jobs=())) == [
        ReadyJob("R1", "oil", ""),
        StartRun("R2", "P01"),
    ]
    blocked = situation(
        run(1, "oil", position="clean"),
        run(3, "mark_out", position="oil"),
        run(4, "place_moulds", position="mark"),
        waiting,
    )
    assert [a for a in next_actions(blocked) if isinstance(a, StartRun)], "a free row moves up one by one"
    assert next_actions(situation(waiting, working=False)) == []


def test_a_pallet_waits_until_the_next_place_is_free() -> None:
    ahead = run(1, "mark_out", position="oil").model_copy(update={"status": "stopped"})
    assert next_actions(situation(ahead, run(2, "oil", position="clean"))) == []


def test_concrete_is_batched_only_when_the_spreader_is_free_and_the_shift_lasts() -> None:
    waits = run(2, "batch", position="prepour")
    assert next_actions(situation(waits)) == [ReadyJob("R2", "spreader", "")]
    pouring = run(1, "vibrate", position="spreader").model_copy(update={"status": "stopped"})
    assert next_actions(situation(waits, pouring)) == []
    assert next_actions(situation(waits, wet_ok=False)) == []


def test_fresh_concrete_goes_on_after_the_shift() -> None:
    assert next_actions(situation(run(1, "vibrate", position="spreader"), working=False)) == [
        ReadyJob("R1", "vibration", "")
    ]
    assert next_actions(situation(run(1, "strip", position="strip"), working=False)) == []


def test_a_slot_of_the_chamber_is_chosen_and_its_limits_are_kept() -> None:
    ready = run(1, "chamber_in", position="finishing")
    assert next_actions(situation(ready)) == [ReadyJob("R1", "chamber", "01-1")]
    used = run(2, "cure", status="curing").model_copy(update={"slot": "01-1"})
    assert next_actions(situation(ready, used)) == [ReadyJob("R1", "chamber", "01-2")]
    assert next_actions(situation(ready, pallet_mass_kg={"R1": 1e6})) == []
    assert next_actions(situation(ready, pallet_height_mm={"R1": 5000})) == []


def test_moulds_that_are_out_hold_the_next_stair_back_but_not_others() -> None:
    out = [run(n, "pour", position="", kind="stair") for n in range(1, 4)]
    for one in out:
        assert one.mould == "stair_mould"
    stair, slab = run(8, "clean", kind="stair", status="planned"), run(9, "clean", status="planned")
    stopped = [o.model_copy(update={"status": "stopped", "position": f"x{o.number}"}) for o in out]
    assert next_actions(situation(*stopped, stair, slab)) == [StartRun("R9", "P01")]
    done = stopped[0].model_copy(update={"step": len(stopped[0].steps) - 1})
    assert StartRun("R8", "P01") in next_actions(situation(done, *stopped[1:], stair, slab))
