"""Bad input gets one clear sentence and changes nothing: real processes on real files."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.house import DEMO, ROOT, Desk, Said, refused, taken_port

IFC9 = "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n" + (
    "FILE_SCHEMA(('IFC9'));\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n"
)


def error_of(said: Said) -> str:
    return str(said.document["error"]["code"])


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"a drawing", "ifc_broken", "not an IFC file"),
        (IFC9.encode(), "ifc_schema_unsupported", "IFC9"),
        (None, "file_missing", "cannot be read"),
    ],
)
def test_models_that_cannot_be_read(ordered: Desk, tmp_path: Path, content: bytes | None, code: str, word: str) -> None:
    before, file = ordered.head(), tmp_path / "model.ifc"
    if content is not None:
        file.write_bytes(content)
    said = ordered.mes("import", str(file), "--json")
    assert word in refused(said)
    assert error_of(said) == code
    assert ordered.head() == before


def test_a_model_cut_off_in_the_middle(ordered: Desk, tmp_path: Path, building: Path) -> None:
    before, file = ordered.head(), tmp_path / "half.ifc"
    file.write_bytes(building.read_bytes()[: building.stat().st_size // 2])
    said = ordered.mes("import", str(file), "--json")
    assert "half.ifc" in refused(said)
    assert ordered.head() == before


def test_a_piece_larger_than_any_pallet_releases_nothing(ordered: Desk, tmp_path: Path) -> None:
    small = ordered.with_plant(tmp_path, ("length_mm: 9000, width_mm: 3500", "length_mm: 2000, width_mm: 1500"))
    before = small.head()
    said = small.mes("plan", "--json")
    assert "fits no pallet of line line-1 (usable 1900 × 1400 mm)" in refused(said)
    assert error_of(said) == "piece_too_large"
    assert small.head() == before


def test_a_class_without_a_mix_releases_nothing(ordered: Desk, tmp_path: Path) -> None:
    other = ordered.with_plant(tmp_path, ("concrete_class: C40", "concrete_class: C99"))
    before = other.head()
    said = other.mes("plan", "--json")
    assert "No mix for concrete class C40" in refused(said)
    assert error_of(said) == "mix_unknown"
    assert other.head() == before


FIVE = (
    ("machine: cleaning_station", "machine: washing_machine"),
    ("machine: oiling_station, link: oil", "machine: oiling_station, link: nowhere"),
    ("count: 24", "count: -1"),
    ("{id: A2,", "{id: A1,"),
)


def test_all_five_faults_of_a_plant_folder_are_named_with_file_and_line(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "data").with_plant(tmp_path, *FIVE, tags=("protocol: opcua", "protocol: pigeon"))
    said = desk.mes("plc", "check", str(desk.plant), "--json")
    assert "5 fault(s)" in refused(said)
    faults = said.document["faults"]
    assert {fault["code"] for fault in faults} == {
        "machine_unknown", "link_unknown", "greater_than", "duplicate", "union_tag_invalid",
    }  # fmt: skip
    assert len(faults) == 5
    for fault in faults:
        line = Path(fault["file"]).read_text(encoding="utf-8").splitlines()[fault["line"] - 1]
        word = {"machine_unknown": "washing_machine", "link_unknown": "nowhere", "greater_than": "-1"}
        assert word.get(fault["code"], "") in line
    start = desk.mes("run")
    assert start.code == 2
    assert "Traceback" not in start.err
    assert not (tmp_path / "data" / "mes.db").exists()


def test_a_port_that_another_program_has(ordered: Desk, tmp_path: Path) -> None:
    before = ordered.head()
    with taken_port() as port:
        assert f"Port {port} on 127.0.0.1 is taken" in refused(ordered.mes("run", MES_HTTP_PORT=str(port)))
        said = ordered.mes("demo", "--headless", "--json", "--data", str(tmp_path / "demo"), MES_HTTP_PORT=str(port))
        assert f"Port {port} on 127.0.0.1 is taken" in refused(said)
        assert error_of(said) == "port_taken"
    assert ordered.head() == before
    assert not (tmp_path / "demo" / "mes.db").exists()


def test_a_port_of_a_simulated_plc_that_another_program_has(tmp_path: Path) -> None:
    with taken_port() as port:
        desk = Desk(tmp_path).with_plant(tmp_path)
        tags = desk.plant / "tags.yaml"
        tags.write_text(tags.read_text(encoding="utf-8").replace("48400", str(port)), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "simulators", "serve", str(desk.plant), "--data", str(tmp_path / "plcs")],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode not in (0, -9)
    assert done.stderr.strip().splitlines()[-1].startswith(f"127.0.0.1:{port} is taken")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["plan"], ["db", "check"], ["db", "upgrade"], ["user", "list"], ["import", "IFC"]])
def test_a_database_newer_than_the_program(desk: Desk, building: Path, command: list[str]) -> None:
    before = desk.head()
    conn = sqlite3.connect(desk.data / "mes.db")
    conn.execute("UPDATE alembic_version SET version_num = '9999'")
    conn.commit()
    conn.close()
    said = desk.mes(*[str(building) if word == "IFC" else word for word in command], "--json")
    assert "step 9999" in refused(said)
    assert error_of(said) == "schema_too_new"
    assert desk.head() == before


def test_settings_that_make_no_sense(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for env in (
        {"MES_HTTP_PORT": "abc"},
        {"MES_DATABASE_URL": "what"},
        {"MES_DATABASE_URL": "mysql://a/b"},
        {"MES_DATABASE_URL_FILE": "/no/such/file"},
    ):
        said = desk.mes("user", "list", "--json", **env)
        assert said.code == 2
        assert "Traceback" not in said.err
        assert said.document["faults"][0]["path"] in env
    assert desk.mes("run", MES_MQTT_URL="http://x").code == 2


def test_codes_and_files_that_do_not_exist(ordered: Desk, tmp_path: Path) -> None:
    before = ordered.head()
    assert "12 symbols" in refused(ordered.mes("label", "ABC", "--json", "--out", str(tmp_path)))
    assert "none.csv" in refused(ordered.mes("order", "set-due", "X", str(tmp_path / "none.csv"), "--json"))
    (tmp_path / "due.csv").write_text("building,floor,need_by\n1,1,2026-13-45\n", encoding="utf-8")
    due = ordered.mes("order", "set-due", "X", str(tmp_path / "due.csv"))
    assert "1 faulty line(s); nothing was changed" in refused(due)
    assert "2026-13-45" in due.err
    assert "no role" in refused(ordered.mes("user", "add", "x", "--role", "king", "--json"))
    assert "does not exist" in refused(ordered.mes("db", "restore", str(tmp_path / "none.db"), "--json"))
    assert "no scenario" in refused(ordered.mes("simulate", "--scenario", "flood", "--json"))
    assert ordered.head() == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a disk of its own needs the right to mount; tests/store fills a database by its page limit")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as handle:
        while True:
            handle.write(b"0" * 4096)


def test_a_full_disk_writes_nothing_and_goes_on_when_there_is_room(
    ordered: Desk, small_disk: Path, tmp_path: Path, building: Path
) -> None:
    desk = ordered.copy(small_disk)
    before = desk.head()
    other = tmp_path / "other.ifc"
    other.write_bytes(building.read_bytes() + b"\n")
    with pytest.raises(OSError, match="No space"):
        _fill(small_disk / "fill")
    for command in (["import", str(other)], ["plan"]):
        said = desk.mes(*command, "--json")
        assert "disk of the database is full" in refused(said, code=1)
        assert error_of(said) == "store_full"
    (small_disk / "fill").unlink()
    assert desk.head() == before
    assert desk.mes("db", "check").code == 0
    assert desk.mes("import", str(other), "--json").code == 0
    assert desk.head()[0] > before[0]


def test_the_demo_plant_has_no_fault() -> None:
    said = Desk(ROOT / "data").mes("plc", "check", str(DEMO), "--timeout", "0.2", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["faults"] == []
