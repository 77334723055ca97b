"""The nouns of the HTTP interface on a real store: shapes, refusals, repeats."""

import re
from typing import Any

import pytest

from tests.api.house import House

SCAN = {
    "event_id": "019a0000-0000-7000-8000-000000000001",
    "action": "received",
    "place": "site-1",
    "at": "2026-11-25T02:00:00Z",
    "device": "phone-1",
}


async def test_jobs_are_listed_by_state_and_station(house: House) -> None:
    async with house.client() as client:
        stopped = (await client.get("/api/v1/jobs?state=stopped")).json()
        assert [(job["station"], job["stop"]) for job in stopped] == [("vibration", "aborted")]
        at = (await client.get("/api/v1/jobs?station=prepour")).json()
        assert [job["id"] for job in at] == ["103"]
        manual = (await client.get("/api/v1/jobs?manual=true&state=ready")).json()
        assert {job["station"] for job in manual} == {"embeds", "prepour", "finishing"}


async def test_the_same_command_id_works_once(house: House) -> None:
    async with house.client("operator") as client:
        headers = {"Idempotency-Key": "cmd-1"}
        first = await client.post("/api/v1/jobs/102/start", headers=headers)
        again = await client.post("/api/v1/jobs/102/start", headers=headers)
        assert first.status_code == again.status_code == 200
        assert first.json() == again.json()
        other = await client.post("/api/v1/jobs/106/start", headers=headers)
        assert (other.status_code, other.json()["code"]) == (409, "id_reused")


async def test_a_stopped_job_is_settled_once(house: House) -> None:
    async with house.client("lead") as client:
        empty = await client.post("/api/v1/jobs/105/settle", json={"decision": "retry", "reason": " "})
        assert (empty.status_code, empty.json()["code"]) == (409, "reason_missing")
        done = await client.post("/api/v1/jobs/105/settle", json={"decision": "retry", "reason": "drive reset"})
        assert done.json()["settled"] == "retry"
        late = await client.post("/api/v1/jobs/105/settle", json={"decision": "scrap", "reason": "drive reset"})
        assert (late.status_code, late.json()["code"]) == (409, "job_state")


async def test_cube_tests(house: House) -> None:
    async with house.client("quality") as client:
        waiting = (await client.get("/api/v1/runs?needs=cube_test")).json()
        assert [run["id"] for run in waiting] == ["R0007"]
        wrong = await client.post("/api/v1/runs/R0007/cube-test", json={"strength_mpa": -1})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "request_invalid")
        assert (await client.post("/api/v1/runs/R0007/cube-test", json={"strength_mpa": 21.5})).json()[
            "cube_mpa"
        ] == 21.5
        assert (await client.get("/api/v1/runs?needs=cube_test")).json() == []


async def test_components_by_any_form_of_their_code(house: House) -> None:
    code = house.codes[14]
    async with house.client() as client:
        for form in (code, code.lower(), f"{code[:4]}-{code[4:8]}-{code[8:]}"):
            found = (await client.get(f"/api/v1/components/{form}")).json()
            assert (found["code"], found["lifecycle"]) == (code, "stored")
        events = (await client.get(f"/api/v1/components/{code}/events")).json()
        assert events[0]["type"] == "component_ordered"
        assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)


async def test_scans_answer_the_same_again_and_keep_what_breaks_a_rule(house: House) -> None:
    scan = {**SCAN, "code": house.codes[14]}
    async with house.client("site") as client:
        first = await client.post("/api/v1/scans", json=scan)
        assert (first.status_code, first.json()["lifecycle"]) == (201, "site_accepted"), first.text
        again = await client.post("/api/v1/scans", json=scan)
        assert (again.status_code, again.json()) == (200, first.json())
        other = await client.post("/api/v1/scans", json={**scan, "place": "elsewhere"})
        assert (other.status_code, other.json()["code"]) == (409, "id_reused")
        wet = {**SCAN, "event_id": "019a0000-0000-7000-8000-000000000002", "code": house.codes[7]}
        broken = await client.post("/api/v1/scans", json=wet)
        assert broken.status_code == 409
        body = broken.json()
        assert body["stored"] is True
        assert body["exception_id"] == wet["event_id"]
        assert broken.headers["content-type"] == "application/problem+json"
        both = await client.post("/api/v1/scans/batch", json={"scans": [scan, wet]})
        assert [item["status"] for item in both.json()] == [200, 409]
        late = await client.post("/api/v1/scans", json=wet)
        assert (late.status_code, late.json()) == (409, body)
        assert len(house.services.store.events(kind="scan_exception")) == 1


async def test_a_scan_that_broke_a_rule_is_settled_once_with_a_reason_by_those_who_may(house: House) -> None:
    wet = {**SCAN, "event_id": "wet-scan-1", "code": house.codes[0], "action": "installed"}
    address = f"/api/v1/scans/exceptions/{wet['event_id']}/settle"
    async with house.client("site") as client:
        assert (await client.post("/api/v1/scans", json=wet)).status_code == 409
        assert (await client.post(address, json={"status": "void", "reason": "test"})).status_code == 403
    async with house.client("quality") as client:
        assert "wet-scan-1" in (await client.get("/inbox")).text
        refused = await client.post(address, json={"status": "void", "reason": " "})
        assert refused.json()["code"] == "settlement_invalid"
        settled = await client.post(address, json={"status": "void", "reason": "wrong piece"})
        assert settled.status_code == 200
        assert settled.json()["settled_by"] == "quality"
        assert "wet-scan-1" not in (await client.get("/inbox")).text
        again = await client.post(address, json={"status": "fixed", "reason": "late"})
        assert again.status_code == 409
        assert again.json()["code"] == "already_done"


async def test_an_upload_is_followed_to_its_end(house: House) -> None:
    async with house.client("planner") as client:
        good = {"file": ("a/../b.ifc", b"ISO-10303-21; ...")}
        answer = await client.post("/api/v1/orders", files=good, data={"project": "X"})
        assert answer.status_code == 202
        assert answer.json()["file"] == "b.ifc"
        one: dict[str, Any] = {"state": "running"}
        while one["state"] == "running":
            one = (await client.get(answer.headers["location"])).json()
        assert (one["state"], one["result"]["order_id"], one["done"], one["of"]) == ("done", "O1", 2, 2)
        bad = await client.post("/api/v1/orders?wait=true", files={"file": ("x.ifc", b"GIF89a")})
        assert (bad.status_code, bad.json()["code"]) == (422, "ifc_broken")
        none = await client.post("/api/v1/orders", data={"project": "X"})
        assert (none.status_code, none.json()["code"]) == (422, "file_missing")


async def test_call_off_by_rows_and_by_csv(house: House) -> None:
    async with house.client("planner") as client:
        rows = [{"building": "1号楼", "storey": "2层", "due": "2026-12-10", "sequence": 2}]
        done = await client.put("/api/v1/orders/O1/due", json={"rows": rows})
        assert [row["due"] for row in done.json()["storeys"]] == ["2026-12-03", "2026-12-10", None]
        text = (await client.get("/api/v1/orders/O1/due.csv")).text
        assert "1号楼,2层,2026-12-10,2" in text
        changed = text.replace("2026-12-10", "2026-12-12")
        done = await client.post(
            "/api/v1/orders/O1/due.csv", content=changed.encode(), headers={"content-type": "text/csv"}
        )
        assert done.json()["storeys"][1]["due"] == "2026-12-12"
        bad = await client.post("/api/v1/orders/O1/due.csv", content="楼层,需要日期\n9层,2026-12-01\n".encode())
        assert bad.status_code == 422
        assert bad.json()["findings"]


async def test_plan_orders_and_labels(house: House) -> None:
    async with house.client("planner") as client:
        plan = (await client.get("/api/v1/plan")).json()
        assert len(plan["pallets"]) == 18
        assert plan["pallets"][0]["start"] < plan["pallets"][0]["end"]
        order = (await client.get("/api/v1/orders/O1")).json()
        assert order["total"] == {"ordered": 21, "cast": 13, "finished": 3, "stored": 3}
        svg = await client.get(f"/api/v1/labels/{house.codes[0]}.svg")
        assert svg.headers["content-type"] == "image/svg+xml"
        png = await client.get(f"/api/v1/labels/{house.codes[0]}.png?lang=en")
        assert png.content.startswith(b"\x89PNG")
        released = await client.post("/api/v1/plan", json={"order_ids": ["O1"]})
        assert released.status_code == 201


async def test_problems_are_documents_never_tracebacks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any) -> Any:
        raise ZeroDivisionError("secret")

    async with house.client() as client:
        cases = [("/api/v1/nothing", 404, "not_found"), ("/api/v1/jobs/1", 404, "not_found"),
                 ("/api/v1/components/12345", 404, "code_invalid"), ("/api/v1/jobs?state=odd", 422, "request_invalid")]  # fmt: skip
        for path, status, code in cases:
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (status, code), path
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == status
        wrong = await client.delete("/api/v1/jobs")
        assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
        monkeypatch.setattr("mes.api.routes.jobs.open_jobs", crash)
        answer = await client.get("/api/v1/jobs")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "secret" not in answer.text


async def test_large_bodies_are_refused(house: House) -> None:
    async with house.client("site") as client:
        answer = await client.post("/api/v1/scans", json={**SCAN, "code": "x", "data": {"note": "x" * 1_100_000}})
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_health_and_figures(house: House) -> None:
    async with house.client() as client:
        assert (await client.get("/readyz")).json()["links_down"] == ["levelling"]
        text = (await client.get("/metrics")).text
        assert 'mes_open_jobs{line="line-1",state="stopped"} 1.0' in text
        headers = (await client.get("/healthz")).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        spec = (await client.get("/openapi.json")).json()
        assert not re.search("password_hash", str(spec))
        assert "/api/v1/scans" in spec["paths"]
