"""The outside services that tests may use: PostgreSQL and an MQTT broker; what is missing is said loudly.

`MES_TEST_PG_URL` and `MES_TEST_MQTT_URL` name them, `none` means there are none; `MES_REQUIRE_SERVICES=1` turns a skip
into a failure. Fixtures: `pg_url` (an own, upgraded database of this session), `mqtt_url`.
"""

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

MOSQUITTO = "/usr/sbin/mosquitto"


def missing(reason: str) -> NoReturn:
    """Skips the test with the reason, or fails it where services are required."""
    if os.environ.get("MES_REQUIRE_SERVICES") == "1":
        pytest.fail(f"required service: {reason}")
    pytest.skip(reason)


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pg_server_url() -> str:
    """A PostgreSQL server's URL whose user may create databases; skips without one."""
    named = os.environ.get("MES_TEST_PG_URL", "")
    if named == "none":
        missing("PostgreSQL: MES_TEST_PG_URL=none")
    url = named or "postgresql://postgres@127.0.0.1:5432/postgres"
    if not named and not answers("127.0.0.1", 5432):
        missing("PostgreSQL: nothing answers on 127.0.0.1:5432")
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError

    engine = create_engine(url)
    try:
        with engine.connect() as conn:
            conn.execute(text("SELECT 1"))
    except DBAPIError as error:
        missing(f"PostgreSQL: {str(error.orig).splitlines()[0]}")
    finally:
        engine.dispose()
    return url


def pg_database() -> Iterator[str]:
    """An empty database of its own, dropped afterwards."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    server, name = pg_server_url(), f"mes_test_{os.getpid()}_{secrets.token_hex(3)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as conn:
        conn.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="session")
def pg_url() -> Iterator[str]:
    from mes.store.upkeep import upgrade

    for url in pg_database():
        upgrade(url)
        yield url


@pytest.fixture
def empty_pg_url() -> Iterator[str]:
    yield from pg_database()


class Mosquitto:
    """An own broker on a port that stays the same, to be stopped and started at will."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        if not Path(MOSQUITTO).exists():
            missing(f"MQTT: no {MOSQUITTO}")
        self.port = port or free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not answers("127.0.0.1", self.port):
            assert time.monotonic() < deadline, "mosquitto did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@pytest.fixture(scope="session")
def mqtt_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    named = os.environ.get("MES_TEST_MQTT_URL", "")
    if named == "none":
        missing("MQTT: MES_TEST_MQTT_URL=none")
    if named or answers("127.0.0.1", 1883):
        yield named or "mqtt://127.0.0.1:1883"
        return
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    yield broker.url
    broker.stop()
