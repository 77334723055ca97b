"""A refused, an undecidable and an aborted job stop their pallet, show on the board and are settled there by the shift lead."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.running_demo import RunningDemo, need_nodeset, running_demo, wait_for

pytestmark = [need_nodeset, pytest.mark.slow]
DONE_ON_PLC = 3


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("settling") / "demo", pieces=15) as running:
        yield running


def stopped_at(demo: RunningDemo, station: str) -> dict[str, Any] | None:
    return next((job for job in demo.jobs("stopped") if job["station"] == station), None)


def board(demo: RunningDemo) -> dict[str, Any]:
    """The first whole picture of the live channel."""
    with demo.http() as http, http.stream("GET", "/api/v1/live") as answer:
        for line in answer.iter_lines():
            if line.startswith("data:") and '"stations"' in line:
                picture: dict[str, Any] = json.loads(line[5:])["cells"]
                return picture
    pytest.fail("the live channel ended without a picture")


def settle(demo: RunningDemo, job: str, decision: str, user: str = "lead", reason: str = "seen") -> Any:
    with demo.http(user) as http:
        body = {"decision": decision, "reason": reason}
        key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{user}/{job}/{reason}"))
        return http.post(f"/api/v1/jobs/{job}/settle", json=body, headers={"Idempotency-Key": key})


def slow_job(demo: RunningDemo, link: str) -> dict[str, Any]:
    """A job that its machine has begun and will not end soon."""
    demo.fault(link, "slow", value=1000)
    return dict(
        wait_for(
            lambda: next(
                (
                    job
                    for job in demo.jobs("running")
                    if job["link"] == link and demo.fault(link, "state")["job"] == job["id"]
                ),
                None,
            ),
            f"a job runs on {link}",
        )
    )


def run_of(demo: RunningDemo, run_id: str) -> dict[str, Any]:
    with demo.http() as http:
        return dict(http.get(f"/api/v1/runs/{run_id}").raise_for_status().json())


def test_a_refused_job_shows_and_is_tried_again(demo: RunningDemo) -> None:
    demo.fault("oil", "refuse")
    job = wait_for(lambda: stopped_at(demo, "oil"), "the oiling station refuses a job")
    assert job["stop"] == "refused"
    cell = board(demo)["stations"]["oil"]
    assert (cell["show"], cell["job"], cell["stop"]) == ("stopped", job["id"], "refused")
    assert run_of(demo, job["run"])["status"] == "stopped"
    assert settle(demo, job["id"], "retry", user="operator").status_code == 403
    assert settle(demo, job["id"], "retry", reason=" ").status_code == 409
    assert demo.job(job["id"])["settled"] is None
    answer = settle(demo, job["id"], "retry", reason="nozzle cleaned")
    assert answer.status_code == 200
    assert settle(demo, job["id"], "retry", reason="nozzle cleaned").json() == answer.json()
    assert settle(demo, job["id"], "done", reason="too late").status_code == 409
    run = wait_for(lambda: (r := run_of(demo, job["run"]))["step"] > job["step"] and r, "the second attempt is done")
    assert run["status"] == "active"


def test_a_job_cut_by_a_power_failure_waits_for_a_person_who_finds_it_done(demo: RunningDemo) -> None:
    job = slow_job(demo, "mark")
    demo.fault("mark", "restart")
    stopped = wait_for(lambda: stopped_at(demo, "mark"), "the plotter cannot tell how far it came")
    assert (stopped["id"], stopped["stop"]) == (job["id"], "unknown")
    assert board(demo)["alarms"]
    assert settle(demo, job["id"], "done", reason="all lines are drawn").status_code == 200
    assert run_of(demo, job["run"])["step"] == job["step"] + 1
    wait_for(lambda: demo.fault("mark", "state")["state"] == DONE_ON_PLC, "the plotter is told that its job is done")
    assert demo.job(job["id"])["by"] == "lead"


def test_an_aborted_job_can_scrap_its_pallet(demo: RunningDemo) -> None:
    job = slow_job(demo, "clean")
    demo.fault("clean", "abort")
    demo.fault("clean", "heal")
    stopped = wait_for(lambda: stopped_at(demo, "clean"), "the cleaning station gave up")
    assert (stopped["id"], stopped["stop"]) == (job["id"], "aborted")
    assert settle(demo, job["id"], "scrap", reason="pallet is bent").status_code == 200
    run = run_of(demo, job["run"])
    assert (run["status"], run["position"]) == ("scrapped", "")
    with demo.http() as http:
        component = http.get(f"/api/v1/components/{run['pieces'][0]['component']}").raise_for_status().json()
    assert component["lifecycle"] == "scrapped"


def test_after_all_of_it_nothing_is_lost_or_made_twice(demo: RunningDemo) -> None:
    summary = demo.stop()
    assert summary["faults"] == summary["invariants_violated"] == []
    assert summary["double_starts"] == summary["lost_jobs"] == 0
    assert (summary["unknown_settled"], summary["refused_settled"]) == (1, 1)
    assert summary["scrapped"] >= 1
