"""What the commands print and write: the shapes that others script against."""

import json
import sqlite3
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.house import Desk

ORDER_KEYS = {"file", "format", "schema", "source", "project", "components", "excluded", "findings", "order_id"}
COMPONENT_KEYS = {
    "mark", "name", "family", "storey", "quantity", "length_mm", "width_mm", "thickness_mm", "volume_m3", "mass_kg",
    "concrete_class", "embeds", "global_ids",
}  # fmt: skip
PLAN_KEYS = {"plan_id", "status", "pallets", "jobs", "objective", "lower_bound", "gap", "late", "solve_s"}


def codes_of(desk: Desk) -> list[str]:
    conn = sqlite3.connect(desk.data / "mes.db")
    try:
        return [row[0] for row in conn.execute("SELECT key FROM state WHERE kind = 'component' ORDER BY key")]
    finally:
        conn.close()


def test_a_dry_run_prints_the_order_and_writes_nothing(tmp_path: Path, building: Path) -> None:
    desk = Desk(tmp_path / "data")
    said = desk.mes("import", str(building), "--dry-run", "--json")
    assert said.code == 0, said.err
    assert set(said.document) >= ORDER_KEYS
    assert said.document["order_id"] is None
    for component in said.document["components"]:
        assert set(component) >= COMPONENT_KEYS
        assert component["length_mm"] >= component["width_mm"] >= component["thickness_mm"]
    assert not desk.data.exists()


def test_the_same_file_is_taken_in_once(desk: Desk, building: Path) -> None:
    before = desk.head()
    said = desk.mes("import", str(building), "--json")
    assert said.code == 0
    assert said.document["order_id"]
    assert desk.head() == before


def test_a_plan_is_one_document(planned: Desk) -> None:
    plan = json.loads((planned.data / "plan.json").read_text(encoding="utf-8"))
    assert set(plan) >= PLAN_KEYS
    assert plan["lower_bound"] <= plan["objective"]
    laid = [code for pallet in plan["pallets"] for code in pallet["components"]]
    assert sorted(laid) == codes_of(planned)
    jobs = plan["jobs"]
    assert set(jobs[0]) >= {"job_id", "pallet", "station", "machine", "start", "end"}
    assert all(job["start"] <= job["end"] for job in jobs)
    again = planned.mes("plan", "--json")
    assert (again.code, again.document["error"]["code"]) == (2, "nothing_to_plan")


@pytest.mark.parametrize("header", ["building,floor,need_by,sequence", "楼栋,楼层,需要日期,安装顺序"])
def test_due_dates_from_a_list(desk: Desk, tmp_path: Path, header: str) -> None:
    conn = sqlite3.connect(desk.data / "mes.db")
    order = json.loads(conn.execute("SELECT doc FROM state WHERE kind = 'order'").fetchone()[0])
    conn.close()
    storey = order["storeys"][0]
    file = tmp_path / "due.csv"
    file.write_text(f"{header}\n{storey['building']},{storey['storey']},2026-12-24,3\n", encoding="utf-8")
    before = desk.head()[0]
    said = desk.mes("order", "set-due", order["project"], str(file), "--json")
    assert said.code == 0, said.err
    row = said.document["orders"][0]["storeys"][0]
    assert (row["due"], row["sequence"]) == ("2026-12-24", 3)
    assert desk.head()[0] == before + 1


def test_labels_are_files_of_the_kind_that_was_asked_for(planned: Desk, tmp_path: Path) -> None:
    code = codes_of(planned)[0]
    for format_ in ("svg", "png", "pdf"):
        said = planned.mes("label", code, "--format", format_, "--out", str(tmp_path), "--json")
        assert said.code == 0, said.err
        content = Path(said.document["files"][0]).read_bytes()
        if format_ == "png":
            assert min(Image.open(BytesIO(content)).size) > 300
        else:
            assert content.lstrip().startswith({"svg": b"<", "pdf": b"%PDF-"}[format_])
    assert planned.mes("label", code, "--format", "gif", "--out", str(tmp_path)).code == 2


def test_accounts_are_made_once_with_a_random_password(desk: Desk) -> None:
    said = desk.mes("user", "add", "wang", "--role", "operator", "--role", "site", "--token", "--json")
    assert said.code == 0, said.err
    assert len(said.document["password"]) >= 10
    assert said.document["token"]
    assert said.document["password"] not in (desk.data / "mes.db").read_bytes().decode("latin-1")
    again = desk.mes("user", "add", "wang", "--role", "operator", "--json")
    assert again.code == 2
    users = desk.mes("user", "list", "--json").document["users"]
    assert [(user["name"], sorted(user["roles"])) for user in users] == [("wang", ["operator", "site"])]


def test_backup_check_and_restore(desk: Desk, tmp_path: Path) -> None:
    head, copy = desk.head(), tmp_path / "copy.db"
    assert desk.mes("db", "backup", str(copy), "--json").code == 0
    assert desk.mes("db", "check", "--json").document == {"ok": True, "problems": []}
    conn = sqlite3.connect(desk.data / "mes.db")
    conn.execute("UPDATE state SET doc = replace(doc, 'C40', 'C50') WHERE kind = 'order_line'")
    conn.commit()
    conn.close()
    broken = desk.mes("db", "check", "--json")
    assert broken.code == 2
    assert any("differs from the fold" in problem for problem in broken.document["problems"])
    assert desk.mes("db", "restore", str(copy), "--json").code == 0
    assert desk.mes("db", "check").code == 0
    assert desk.head() == head


def test_a_server_certificate_is_signed_by_the_plants_own_ca(tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    desk, certs = Desk(tmp_path), tmp_path / "certs"
    first = desk.mes("certs", "server", "--host", "mes.plant", "--host", "10.0.0.5", "--json")
    assert first.code == 0, first.err
    again = desk.mes("certs", "server", "--host", "mes.plant", "--json")
    assert again.document["ca_sha256"] == first.document["ca_sha256"], "the CA is made once"
    desk.mes("certs", "server", "--host", "mes.plant", "--host", "10.0.0.5")
    ca = x509.load_pem_x509_certificate((certs / "ca.pem").read_bytes())
    server = x509.load_pem_x509_certificate((certs / "server.pem").read_bytes())
    server.verify_directly_issued_by(ca)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mes.plant"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.5"]
    usage = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert {(certs / name).stat().st_mode & 0o077 for name in ("ca.key", "server.key")} == {0}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_events_in_any_process(tmp_path: Path) -> None:
    documents = []
    for seed in ("1", "4242"):
        said = Desk(tmp_path).mes("simulate", "--hours", "8", "--seed", "7", "--json", PYTHONHASHSEED=seed)
        assert said.code == 0, said.err
        documents.append(said.document)
    first, second = documents
    assert first["event_hash"] == second["event_hash"]
    assert first["invariants_violated"] == []
    assert (first["double_starts"], first["lost_jobs"]) == (0, 0)
    assert first["events"] > 1000
    print({key: first[key] for key in ("events", "components_ordered", "wall_s")}, second["wall_s"])
