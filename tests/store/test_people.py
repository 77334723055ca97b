"""Users, sessions, tokens and tries to log in."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mes.core.clock import FixedClock
from mes.core.errors import NotFound, RuleBroken
from mes.store.engine import make_engine
from mes.store.people import People
from tests.store.conftest import AT

CLOCK = FixedClock(AT)


@pytest.fixture
def people(url: str) -> Iterator[People]:
    engine = make_engine(url)
    CLOCK.at = AT
    yield People(engine, CLOCK)
    engine.dispose()


def test_users_are_created_changed_and_audited(people: People) -> None:
    user = people.create_user("li", "李工", ["operator", "quality"], password_hash="h1", actor="admin")
    assert people.get_user("li") == user
    with pytest.raises(RuleBroken) as refused:
        people.create_user("li", "x", [])
    assert refused.value.code == "user_exists"
    people.set_password_hash("li", "h2", actor="admin")
    people.set_pin_hash("li", "p")
    people.set_roles("li", ["admin"])
    found = people.get_user("li")
    assert found is not None
    assert (found.password_hash, found.pin_hash, found.roles) == ("h2", "p", ("admin",))
    assert [row["action"] for row in people.audits()] == ["user.roles", "user.pin", "user.password", "user.create"]
    assert "h2" not in str(people.audits())
    with pytest.raises(NotFound):
        people.set_roles("nobody", [])
    with pytest.raises(DBAPIError, match="never changed"), people._engine.begin() as conn:
        conn.execute(text("DELETE FROM audit"))


def test_session_ends_by_time_logout_and_switched_off_user(people: People) -> None:
    people.create_user("li", "Li", ["operator"])
    for name in ("a", "b"):
        people.create_session("li", name, AT + timedelta(hours=1), csrf="c", terminal="s1")
    found = people.find_session("a")
    assert found is not None
    assert (found.user_name, found.csrf, found.terminal) == ("li", "c", "s1")
    people.delete_session("a")
    assert people.find_session("a") is None
    CLOCK.move(3600)
    assert people.find_session("b") is None
    people.create_session("li", "d", CLOCK.now() + timedelta(hours=1), csrf="c")
    people.set_active("li", False)
    assert people.find_session("d") is None


def test_token_ends_by_time_and_revocation(people: People) -> None:
    people.create_user("crane", "Crane", ["site"])
    people.create_token("crane", "t1", prefix="mes_ab", label="crane 1")
    people.create_token("crane", "t2", prefix="mes_cd", label="crane 2", expires_at=AT + timedelta(hours=1))
    assert people.find_token("t1") is not None
    assert people.find_token("t2") is not None
    CLOCK.move(3600)
    people.revoke_token("t1")
    assert people.find_token("t1") is None
    assert people.find_token("t2") is None


def test_failed_logins_count_since_the_last_good_one(people: People) -> None:
    for ok in (False, True, False, False):
        people.record_login("li", "10.0.0.1", ok)
    assert people.failed_logins("li", AT) == 2
    assert people.failed_logins("li", AT + timedelta(seconds=1)) == 0
    assert people.failed_logins("wang", AT) == 0
