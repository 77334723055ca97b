"""`mes run` as other machines meet it: HTTPS with the plant's own CA, scans over it, and messages to a real broker."""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.cli.house import ROOT, Desk, refused
from tests.cli.test_commands import codes_of
from tests.exchange.test_outbox import Listener, until
from tests.services import Mosquitto, free_port

SCAN = {"action": "received", "place": "site-1", "at": "2026-11-25T02:00:00Z", "device": "phone-1"}
EVENT = "019a0000-0000-7000-8000-0000000000{:02d}"


@dataclass
class Served:
    desk: Desk
    url: str
    token: str
    broker: Mosquitto

    def client(self, *, ca: bool = True, token: bool = False) -> httpx2.Client:
        trusted = self.desk.data / "certs" / "ca.pem"
        context = ssl.create_default_context(cafile=str(trusted) if ca else None)
        headers = {"Authorization": f"Bearer {self.token}"} if token else {}
        return httpx2.Client(base_url=self.url, verify=context, headers=headers, trust_env=False)


@pytest.fixture(scope="module")
def served(planned: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    desk, port, broker = planned.copy(folder), free_port(), Mosquitto(folder)
    assert desk.mes("certs", "server", "--host", "127.0.0.1", "--host", "localhost").code == 0
    made = desk.mes("user", "add", "wu", "--role", "site", "--token", "--json")
    env = desk.env(MES_HTTP_PORT=str(port), MES_MQTT_URL=broker.url)
    with (folder / "mes.log").open("wb") as log:
        mes = subprocess.Popen(
            [sys.executable, "-m", "mes", "run", "--role", "worker"],
            cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        assert mes.stdout is not None
        ready = json.loads(mes.stdout.readline() or "{}")
        assert ready.get("ready"), (folder / "mes.log").read_text()
        yield Served(desk, ready["url"], made.document["token"], broker)
        mes.terminate()
        assert mes.wait(20) == 0
    broker.stop()
    assert "Traceback" not in (folder / "mes.log").read_text()


@pytest.mark.service
def test_pages_come_over_https_to_who_trusts_the_plants_ca(served: Served) -> None:
    assert served.url.startswith("https://127.0.0.1:")
    with served.client() as client:
        assert client.get("/healthz").status_code == 200
        code = codes_of(served.desk)[0]
        page = client.get(f"/c/{code}", headers={"Accept": "text/html"})
        assert (page.status_code, code[:4] in page.text) == (200, True)
        assert "strict-transport-security" in page.headers
    with served.client(ca=False) as client, pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        client.get("/healthz")


@pytest.mark.service
def test_a_wrong_code_gets_a_sentence_on_every_door(served: Served) -> None:
    wrong = codes_of(served.desk)[0][:-1] + "0"
    before = served.desk.head()
    with served.client(token=True) as client:
        for path in (f"/c/{wrong}", "/C/ABC", "/c/ABCDEFGHJKMN"):
            page = client.get(path, headers={"Accept": "text/html"})
            assert page.status_code == 404, path
            assert "Traceback" not in page.text
            told = client.get(path, headers={"Accept": "application/json"}).json()
            assert told["detail"].endswith("."), told
        assert served.desk.head() == before, "looking changes nothing"
        answer = client.post("/api/v1/scans", json={**SCAN, "code": wrong, "event_id": EVENT.format(1)})
        assert (answer.status_code, answer.json()["code"]) == (409, "code_invalid"), answer.text
        assert answer.json()["stored"] is True


@pytest.mark.service
def test_a_scan_is_created_once_then_known_then_guarded(served: Served) -> None:
    code = codes_of(served.desk)[0]
    scan = {**SCAN, "code": code, "event_id": EVENT.format(2)}
    with served.client(token=True) as client:
        first = client.post("/api/v1/scans", json=scan)
        head = served.desk.head()
        again = client.post("/api/v1/scans", json=scan)
        assert again.content == first.content
        assert (first.status_code, again.status_code) in ((201, 200), (409, 409))
        other = client.post("/api/v1/scans", json={**scan, "place": "elsewhere"})
        assert (other.status_code, other.json()["code"]) == (409, "id_reused")
        assert served.desk.head() == head
        assert client.post("/api/v1/scans", json=[1]).status_code == 422
    with served.client() as client:
        assert client.post("/api/v1/scans", json=scan).status_code in (401, 403)


@pytest.mark.service
async def test_messages_wait_for_the_broker_and_arrive(served: Served, building: Path, tmp_path: Path) -> None:
    other = tmp_path / "second.ifc"
    other.write_bytes(building.read_bytes() + b"\n")
    said = served.desk.mes("import", str(other), "--json", MES_MQTT_URL=served.broker.url)
    assert said.code == 0, said.err
    served.broker.start()
    listener = Listener(served.broker.port, "mes/v1/tongxiang-precast/demo/#")
    try:
        await until(lambda: listener.values("/state/online") == [True])
        await until(lambda: _unsent(served.desk) == 0)
    finally:
        listener.close()


def _unsent(desk: Desk) -> int:
    import sqlite3

    conn = sqlite3.connect(desk.data / "mes.db", timeout=5)
    try:
        return int(conn.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL").fetchone()[0])
    finally:
        conn.close()


def test_other_addresses_need_a_certificate(tmp_path: Path) -> None:
    said = Desk(tmp_path).mes("run", MES_HTTP_HOST="0.0.0.0", MES_HTTP_PORT=str(free_port()))
    assert "mes certs server" in refused(said)
    assert not (tmp_path / "mes.db").exists()


def test_the_first_start_makes_an_administrator_whose_password_is_shown_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert "no role" in refused(desk.mes("run", "--role", "king"))
    told = []
    for _ in range(2):
        port = free_port()
        mes = subprocess.Popen(
            [sys.executable, "-m", "mes", "run", "--role", "web"],
            cwd=ROOT, env=desk.env(MES_HTTP_PORT=str(port)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert mes.stdout is not None
        ready = json.loads(mes.stdout.readline() or "{}")
        mes.terminate()
        assert ready.get("url") == f"http://127.0.0.1:{port}"
        told.append(mes.communicate(timeout=20)[1])
    first = told[0].partition("First start: log in as admin with the password ")[2].split()[0]
    assert len(first) >= 10
    assert first not in told[1]
    assert [user["name"] for user in desk.mes("user", "list", "--json").document["users"]] == ["admin"]
