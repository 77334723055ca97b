"""A killed MES and a power cut of the whole plant: every piece is made exactly once, nothing is lost, the memory is sound."""

from pathlib import Path

import pytest

from mes.cli.bench_faults import Drill, sound
from tests.faults.running_demo import need_nodeset, small_building
from tests.services import free_port

PIECES = 4


@need_nodeset
@pytest.mark.slow
@pytest.mark.parametrize(("mode", "kills"), [("mes", 3), ("group", 1)])
def test_every_piece_is_made_exactly_once(
    mode: str, kills: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MES_HTTP_PORT", str(free_port()))
    for name in ("MES_DATABASE_URL", "MES_TELEMETRY_URL", "MES_MQTT_URL", "MES_DATA"):
        monkeypatch.delenv(name, raising=False)
    files = [small_building(tmp_path, PIECES)]
    document = Drill(tmp_path / "demo", files, mode, kills, seed=5, within_s=6, limit_s=300, speed=3600).run()
    print(document)
    assert document["kills"] == kills
    assert document["components_ordered"] == document["components_finished"] == document["scanned"] == PIECES
    assert document["faults"] == document["invariants_violated"] == document["db_check"] == []
    assert document["double_starts"] == document["lost_jobs"] == document["scrapped"] == 0
    assert sound(document)
