"""The book against the machines: each kind of loss and of double work is found, and a sound plant has none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mes.cli.demo_accounts import accounts
from mes.lines.job import LineJob
from mes.lines.run import Pallet, PalletRun

AT = datetime(2026, 11, 25, 6, tzinfo=UTC)
MADE = {"started": 1, "ended": 1, "settled": 0}


def job(number: int, **more: Any) -> LineJob:
    known = {"line": "line-1", "run": "R1", "pallet": "P1", "operation": "clean", "station": "clean", "step": number}
    machine = {"machine": "cleaning_station", "link": "clean", "role": "operator", "ready_at": AT, "state": "done"}
    return LineJob.model_validate({"id": str(number), **known, **machine, **more})


def run(number: int = 1, status: str = "active", steps: int = 9, **more: Any) -> PalletRun:
    step = {"operation": "clean", "station": "clean", "start": AT, "end": AT}
    made = {"family": "slab", "concrete_class": "C30", "mix": "m", "program": "p", "finish": "rake", "demould": "flat"}
    known = {"id": f"R{number}", "line": "line-1", "plan": "p", "number": number, "pieces": [], "steps": [step] * steps}
    return PalletRun.model_validate({**known, **made, "status": status, "step": 1, **more})


def piece(code: str) -> dict[str, Any]:
    return {"component": code, "mark": "W1", "x": 0, "y": 0}


def test_a_sound_plant_has_no_faults() -> None:
    jobs = [job(1), job(2, link=None), job(3, state="running"), job(4, state="stopped", stop="unknown", run="R2")]
    found = accounts(
        jobs,
        [run(), run(2, "stopped"), run(3, "scrapped", pieces=[piece("A")]), run(4, pieces=[piece("A")])],
        [Pallet(id="P1", line="line-1", number=1, run="R1"), Pallet(id="P2", line="line-1", number=2)],
        {"1": MADE, "3": MADE},
        complete=False,
    )
    assert found["faults"] == []
    assert (found["double_starts"], found["lost_jobs"]) == (0, 0)


def test_a_job_settled_as_done_by_a_person_needs_no_machine() -> None:
    decided = job(1, stop="unknown", settled="done")
    found = accounts([decided], [run()], [], {}, complete=True)
    assert (found["lost_jobs"], found["unknown_settled"]) == (0, 1)


@pytest.mark.parametrize(
    ("jobs", "journal", "complete", "sentence"),
    [
        ([], {"7": MADE}, False, "is not in the book"),
        ([job(1, state="ready")], {"1": MADE}, False, "waits in the book"),
        ([job(1)], {}, False, "was never made"),
        ([job(1, state="running")], {"1": MADE}, True, "is left running"),
    ],
)
def test_a_lost_job_is_found(jobs: list[LineJob], journal: Any, complete: bool, sentence: str) -> None:
    found = accounts(jobs, [run()], [], journal, complete=complete)
    assert found["lost_jobs"] == 1
    assert sentence in found["faults"][0]


@pytest.mark.parametrize(
    ("runs", "pallets", "sentence"),
    [
        ([run(1, "stopped")], [], "has no job to settle"),
        ([run(1, step=9)], [], "no step left"),
        ([run(1, "finished")], [Pallet(id="P1", line="line-1", number=1, run="R1")], "not under way"),
    ],
)
def test_a_run_that_nobody_can_move_is_found(runs: list[PalletRun], pallets: list[Pallet], sentence: str) -> None:
    found = accounts([], runs, pallets, {}, complete=False)
    assert found["lost_jobs"] == 1
    assert sentence in found["faults"][0]


def test_work_done_twice_is_found() -> None:
    repeated = [job(1, step=4), job(2, step=4)]
    journal = {"1": MADE, "2": MADE, "3": {"started": 2, "ended": 1, "settled": 0}}
    runs = [run(1, pieces=[piece("A")]), run(2, pieces=[piece("A")])]
    found = accounts([*repeated, job(3)], runs, [], journal, complete=False)
    assert found["double_starts"] == 3
    assert found["lost_jobs"] == 0
