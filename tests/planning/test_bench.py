"""The published instances: valid answers near the best known values."""

import json
import os
from pathlib import Path

import pytest

from mes.core.errors import PlanError
from mes.planning.bench import bench_flowshop, bench_nesting, bench_precast
from tests.planning.test_decode import DAYS

DATA = Path(os.environ.get("MES_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data")) / "instances"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no instances at {DATA} (set MES_SHARED_DATA)")


@needs_data
@pytest.mark.parametrize("rotate", [False, True])
def test_bins_are_near_the_best_known(rotate: bool) -> None:
    best = json.loads((DATA / "nesting" / "best_known.json").read_text())
    total = known = 0
    for path in sorted((DATA / "nesting").glob("Class_*.json")):
        answer = bench_nesting(path, rotate, evaluations=100)
        doc = json.loads(path.read_text())
        assert sorted(p["item"] for p in answer["placements"]) == sorted(item["id"] for item in doc["items"])
        value = best[path.stem]["rotation" if rotate else "oriented"]
        assert answer["lower_bound"] <= value <= answer["bins"]
        total, known = total + answer["bins"], known + value
    assert total <= known * 1.03


@needs_data
@pytest.mark.parametrize("name", ["ta001", "ta031"])
def test_flow_shops_are_near_the_best_known(name: str) -> None:
    best = json.loads((DATA / "flowshop" / "best_known.json").read_text())[name]
    path = DATA / "flowshop" / f"{name}.json"
    answer = bench_flowshop(path, evaluations=300)
    times = json.loads(path.read_text())["times"]
    done = [0] * len(times[0])
    for job in answer["sequence"]:
        at = 0
        for k, p in enumerate(times[job]):
            at = done[k] = max(at, done[k]) + p
    assert sorted(answer["sequence"]) == list(range(len(times)))
    assert answer["makespan"] == done[-1]
    assert answer["lower_bound"] <= best <= done[-1] <= best * 1.02
    assert bench_flowshop(path, evaluations=300)["sequence"] == answer["sequence"]


def _tiny() -> dict[str, object]:
    station = {"id": "shutter", "minutes": 60, "takes_moulds": True, "buffer_after": 0, "interruptible": True}
    cast = {"id": "cast", "minutes": 40, "setup": True, "wet_from": True}
    jobs = [
        {"id": 0, "class": "C30/37", "times": [60, 40, 30], "cure": 480, "demould": 20, "due": 2160},
        {"id": 1, "class": "C45/55", "times": [50, 40, 30], "cure": 480, "demould": 20, "due": 2160, "weight": 2},
        {
            "id": 2,
            "class": "C30/37",
            "times": [90, 50, 40],
            "cure": 720,
            "demould": 30,
            "due": 2280,
            "moulds": {"s": 1},
        },
        {
            "id": 3,
            "class": "C30/37",
            "times": [70, 50, 40],
            "cure": 720,
            "demould": 30,
            "due": 3300,
            "moulds": {"s": 1},
        },
    ]
    stations = [station, cast, {"id": "smooth", "minutes": 30}]
    return {
        "calendar": {"days": DAYS},
        "lines": [{"id": "L1", "chamber_slots": 2, "max_stay": None, "pallets": 3, "stations": stations}],
        "moulds": [{"type": "s", "count": 1}],
        "classes": ["C30/37", "C45/55"],
        "setup_minutes": [[0, 10], [10, 0]],
        "weights": {"tardiness": 1, "makespan": 1, "setup": 0},
        "jobs": jobs,
    }


def test_the_tiny_precast_line_reaches_its_optimum(tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(_tiny()))
    answer = bench_precast(path, evaluations=200)
    assert answer["objective"] == 1090
    assert answer["lower_bound"] <= 1090
    assert len(answer["schedule"]) == 20
    cures = [row for row in answer["schedule"] if row["operation"] == "chamber"]
    assert all(row["end"] - row["start"] >= 480 for row in cures)


def test_a_time_limit_becomes_a_count_and_faulty_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(_tiny()))
    answer = bench_precast(path, time_limit=0.2)
    assert answer["evaluations"] >= 1
    assert bench_precast(path, evaluations=answer["evaluations"])["schedule"] == answer["schedule"]
    path.write_text("{")
    with pytest.raises(PlanError) as caught:
        bench_nesting(path)
    assert caught.value.code == "instance_faulty"
    two = _tiny()
    path.write_text(json.dumps({**two, "lines": two["lines"] * 2}))  # type: ignore[operator]
    with pytest.raises(PlanError, match="more than one line"):
        bench_precast(path)
