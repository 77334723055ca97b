"""Nobody writes anonymously: logins, sessions, tokens, permissions of every route, forged requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from mes.api.accounts import HASHER, create_user, random_password
from mes.api.auth import Require
from mes.api.permissions import PERMISSIONS
from mes.core.errors import RuleBroken
from tests.api.house import House, open_house

REAL_HASHER = HASHER
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def routes_of(routes: Any) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes_of(inner.routes)


def guards(dependant: Any) -> Iterator[Require]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Require):
            yield inner.call
        yield from guards(inner)


async def log_in(client: httpx2.AsyncClient, house: House, user: str) -> str:
    answer = await client.post(
        "/api/v1/session/login", json={"name": user, "password": house.accounts[user]["password"]}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["csrf"])


async def test_every_route_names_its_permission_or_is_open_on_purpose(house: House) -> None:
    routes = list(routes_of(house.app.routes))
    assert len(routes) > 35
    for route in routes:
        found = list(guards(route.dependant))
        assert found, f"{route.path} names no permission and is not public"
        needed = {guard.permission for guard in found}
        assert needed <= PERMISSIONS | {None}, f"{route.path} needs {needed}"
        if route.methods & UNSAFE and not route.path.startswith("/api/v1/session/"):
            assert needed - {None, "view"}, f"{route.path} writes and is open to everybody"


async def test_anonymous_reads_on_loopback_and_writes_nothing(house: House) -> None:
    async with house.client() as client:
        assert (await client.get("/api/v1/jobs")).status_code == 200
        for path in (
            "/api/v1/jobs/103/finish",
            "/api/v1/jobs/105/settle",
            "/api/v1/runs/R0007/cube-test",
            "/api/v1/plan",
        ):
            answer = await client.post(path, json={"decision": "done", "reason": "x", "strength_mpa": 20})
            assert (answer.status_code, answer.json()["code"]) == (401, "login_needed"), path


async def test_behind_https_even_looking_needs_a_login(tmp_path: Path) -> None:
    async with open_house(tmp_path, https=True) as house, house.client() as client:
        assert (await client.get("/api/v1/jobs")).status_code == 401
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get(f"/c/{house.codes[0]}")).status_code == 200
        page = await client.get("/orders", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/login?next=/orders")
        answer = await client.post(
            "/api/v1/session/login", json={"name": "lead", "password": house.accounts["lead"]["password"]}
        )
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-mes=")
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts


async def test_login_session_and_logout(house: House) -> None:
    async with house.client() as client:
        csrf = await log_in(client, house, "lead")
        me = (await client.get("/api/v1/session")).json()
        assert (me["name"], me["csrf"]) == ("lead", csrf)
        assert "job.settle" in me["permissions"]
        answer = await client.post("/api/v1/session/logout", headers={"X-CSRF-Token": csrf})
        assert answer.status_code == 200
        assert (await client.get("/api/v1/session")).json()["name"] == ""


async def test_wrong_password_then_five_tries_then_wait(house: House) -> None:
    async with house.client() as client:
        for _ in range(5):
            answer = await client.post("/api/v1/session/login", json={"name": "lead", "password": "wrong-password"})
            assert (answer.status_code, answer.json()["code"]) == (401, "login_failed")
        good = {"name": "lead", "password": house.accounts["lead"]["password"]}
        answer = await client.post("/api/v1/session/login", json=good)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
        unknown = await client.post("/api/v1/session/login", json={"name": "nobody", "password": "wrong-password"})
        assert unknown.json()["detail"] == "The name or the password is wrong."


async def test_browser_requests_need_the_token_of_the_session_and_our_own_site(house: House) -> None:
    body = {"decision": "retry", "reason": "reset the drive"}
    async with house.client() as client:
        csrf = await log_in(client, house, "lead")
        for headers in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"},
                        {"X-CSRF-Token": csrf, "Origin": "http://evil.example"}):  # fmt: skip
            answer = await client.post("/api/v1/jobs/105/settle", json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "forged_request"), headers
        good = {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "same-origin"}
        assert (await client.post("/api/v1/jobs/105/settle", json=body, headers=good)).status_code == 200


async def test_roles_decide(house: House) -> None:
    async with house.client("operator") as client:
        answer = await client.post("/api/v1/jobs/105/settle", json={"decision": "done", "reason": "x"})
        assert answer.status_code == 403
        assert answer.json()["data"] == {"permission": "job.settle"}
        answer = await client.post("/api/v1/jobs/103/finish", json={})
        assert answer.status_code == 403, "hidden works are signed by inspectors only"
    async with house.client("quality") as client:
        assert (await client.post("/api/v1/jobs/103/finish", json={"data": {"result": "pass"}})).status_code == 200


async def test_a_token_that_is_not_known_is_refused(house: House) -> None:
    async with house.client(Authorization="Bearer mes_wrong") as client:
        assert (await client.get("/api/v1/jobs")).status_code == 401


async def test_the_administrator_makes_accounts(house: House) -> None:
    async with house.client("admin") as client:
        made = await client.post("/api/v1/users", json={"name": "zhang", "display": "张", "roles": ["operator"]})
        assert made.status_code == 201
        token = (await client.post("/api/v1/users/zhang/tokens", json={"label": "scanner"})).json()["token"]
        wrong = await client.post("/api/v1/users", json={"name": "li", "display": "李", "roles": ["king"]})
        assert (wrong.status_code, wrong.json()["code"]) == (409, "role_unknown")
    async with house.client(Authorization=f"Bearer {token}") as client:
        assert (await client.get("/api/v1/session")).json()["name"] == "zhang"


async def test_passwords_are_long_and_never_stored_plain(house: House) -> None:
    people = house.services.people
    made = create_user(people, "zhang", display="张", roles=["operator"])
    assert len(made.password) == len(random_password()) == 19
    row = people.get_user("zhang")
    assert row is not None
    assert str(row.password_hash).startswith("$argon2id$")
    assert made.password not in str(row)
    with pytest.raises(RuleBroken) as short:
        create_user(people, "li", display="李", roles=[], password="short")
    assert short.value.code == "password_short"
    with pytest.raises(RuleBroken) as again:
        create_user(people, "zhang", display="张", roles=[])
    assert again.value.code == "user_exists"


def test_the_real_hash_is_dear() -> None:
    text = REAL_HASHER.hash("correct horse battery")
    assert text.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
