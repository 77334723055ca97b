"""Every machine type has a twin, and the twins behave like machines: nothing heats, fills or travels faster than it can."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mes.lines.machines import MACHINE_TYPES
from simulators.machines import TWINS
from simulators.twin import Concrete, Hall, Twin

START = datetime(2026, 10, 12, tzinfo=UTC)
STORE = {
    "action": 1, "column": 3, "level": 2, "pallet_no": 7, "rest_min": 120, "heat_c_per_h": 15.0, "hold_c": 50.0,
    "hold_min": 300, "cool_c_per_h": 15.0, "exit_c": 35.0,
}  # fmt: skip
SQUARE = {"polylines": [{"layer": "contour", "closed": True, "points": [[0, 0], [4000, 0], [4000, 2000], [0, 2000]]}]}
JOBS: dict[str, tuple[dict[str, Any], dict[str, Any] | None, tuple[float, float]]] = {
    "cleaning_station": ({"pallet_length_mm": 9000, "brush_speed_rpm": 180}, None, (180, 300)),
    "oiling_station": ({"pallet_length_mm": 9000, "spray_g_per_m2": 25}, None, (100, 200)),
    "marking_plotter": (
        {"path_mm": 12000, "crosses": 2},
        {**SQUARE, "crosses": [{"x": 1, "y": 1, "size": 100}] * 2, "texts": []},
        (120, 260),
    ),
    "mould_robot": (
        {"side_forms": 8, "magnets": 16},
        {"side_forms": [{}] * 8, "magnets": [{}] * 16},
        (180, 400),
    ),
    "batching_plant": ({"mix_no": 1, "volume_l": 1500, "slump_mm": 140}, None, (120, 260)),
    "concrete_spreader": ({"mix_no": 1, "volume_l": 1500, "thickness_mm": 60, "pieces": 3}, None, (200, 400)),
    "vibrating_table": ({"program": 1, "frequency_hz": 50, "duration_s": 40}, None, (120, 240)),
    "levelling_station": ({"thickness_mm": 60, "passes": 2}, None, (250, 450)),
    "precuring_tunnel": ({"temperature_c": 35, "minutes": 8}, None, (440, 560)),
    "curing_chamber": (STORE, None, (80, 240)),
    "tilting_table": ({"release": 1, "angle_deg": 82, "pieces": 2, "mass_kg": 9000}, None, (300, 560)),
}


def twin(name: str, hall: Hall | None = None, seed: int = 1) -> Twin:
    return TWINS[name](hall or Hall(), random.Random(seed))


def run(machine: Twin, seconds: float, start: datetime, step: float = 1.0) -> datetime:
    end = start + timedelta(seconds=seconds)
    while start < end and not machine.done:
        start += timedelta(seconds=step)
        machine.step(start)
    return start


def test_every_machine_type_has_a_twin_with_its_gauges() -> None:
    assert set(TWINS) == set(MACHINE_TYPES) == set(JOBS)
    for name, kind in MACHINE_TYPES.items():
        assert {gauge.tag for gauge in kind.gauges} <= set(twin(name).gauges()), name


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_job_takes_about_the_standard_time_and_stays_in_the_normal_band(name: str) -> None:
    parameters, payload, (least, most) = JOBS[name]
    machine = twin(name, Hall(Concrete(bucket_kg=5000)))
    machine.step(START)
    assert machine.start(11, parameters, payload) is None
    now = START
    while not machine.done and (now - START).total_seconds() < 2 * most:
        now = run(machine, 5, now)
        for gauge in MACHINE_TYPES[name].gauges:
            value = machine.gauges()[gauge.tag]
            assert gauge.low - 1 <= value <= gauge.high + 1, (gauge.tag, value)
    assert machine.done
    assert least <= (now - START).total_seconds() <= most


@pytest.mark.parametrize("name", sorted(JOBS))
def test_the_same_seed_gives_the_same_machine(name: str) -> None:
    parameters, payload, _ = JOBS[name]
    seen = []
    for _ in range(2):
        machine = twin(name, Hall(Concrete(bucket_kg=5000)), seed=4)
        machine.step(START)
        machine.start(11, parameters, payload)
        end = run(machine, 2000, START)
        seen.append((end, machine.result, machine.gauges()))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("name", "change", "payload"),
    [
        ("tilting_table", {"release": 0}, None),
        ("curing_chamber", {"column": 9}, None),
        ("curing_chamber", {"heat_c_per_h": 30.0}, None),
        ("curing_chamber", {"action": 2}, None),
        ("batching_plant", {"volume_l": 0}, None),
        ("marking_plotter", {"path_mm": 100}, JOBS["marking_plotter"][1]),
        ("mould_robot", {"magnets": 3}, JOBS["mould_robot"][1]),
    ],
)
def test_a_machine_refuses_what_it_cannot_do(name: str, change: dict[str, Any], payload: Any) -> None:
    machine = twin(name)
    machine.step(START)
    assert machine.start(11, {**JOBS[name][0], **change}, payload)
    assert not machine.running


def test_the_hopper_empties_while_pouring_and_is_filled_by_the_batching_plant() -> None:
    hall = Hall()
    plant, spreader = twin("batching_plant", hall), twin("concrete_spreader", hall)
    now = START
    for machine in (plant, spreader):
        machine.step(now)
    plant.start(1, JOBS["batching_plant"][0])
    now = run(plant, 1000, now)
    spreader.step(now)
    spreader.always(60)
    full = spreader.gauges()["hopper"]
    assert 3500 <= full <= 3700
    spreader.start(2, JOBS["concrete_spreader"][0])
    run(spreader, 2000, now)
    assert spreader.result["poured_kg"] == 3600
    assert spreader.gauges()["hopper"] <= full - 3500


def test_a_spreader_without_concrete_stands_still_until_the_crane_helps() -> None:
    spreader = twin("concrete_spreader")
    spreader.step(START)
    spreader.start(2, JOBS["concrete_spreader"][0])
    now = run(spreader, 500, START)
    assert not spreader.done
    assert spreader.progress < 30
    run(spreader, 3000, now)
    assert spreader.done
    assert spreader.by_crane_kg > 3000  # type: ignore[attr-defined]


def test_the_chamber_heats_at_a_limited_rate_to_the_hold_and_cools_to_the_exit() -> None:
    chamber = twin("curing_chamber")
    chamber.step(START)
    chamber.start(1, STORE)
    now, readings = START, []
    for _ in range(14 * 12):
        now += timedelta(minutes=5)
        chamber.step(now)
        readings.append(chamber.gauges()["temperature-03-2"])
    half_hours = list(zip(readings, readings[6:], strict=False))
    assert max(later - earlier for earlier, later in half_hours) * 2 <= 20
    assert readings[20] < 27
    assert 48 <= max(readings) <= 53
    assert 33 <= readings[-1] <= 38
    assert chamber.gauges()["occupied-03-2"] == 7


def test_temperature_does_not_depend_on_how_often_the_chamber_is_looked_at() -> None:
    ends = []
    for step in (10.0, 600.0):
        chamber = twin("curing_chamber")
        chamber.step(START)
        chamber.start(1, STORE)
        now = START
        while now < START + timedelta(hours=6):
            now += timedelta(seconds=step)
            chamber.step(now)
        ends.append(chamber.gauges()["temperature-03-2"])
    assert abs(ends[0] - ends[1]) < 0.6


def test_the_stacker_needs_longer_for_a_slot_that_is_farther_away() -> None:
    near, far = twin("curing_chamber"), twin("curing_chamber")
    for machine, column, level in ((near, 1, 1), (far, 8, 5)):
        machine.step(START)
        machine.start(1, {**STORE, "column": column, "level": level})
    assert far.duration_s > near.duration_s + 40
    run(far, 1000, START)
    assert far.gauges()["stacker-column"] == pytest.approx(8, abs=0.1)
    assert far.gauges()["stacker-level"] == pytest.approx(5, abs=0.1)


def test_the_chamber_knows_its_slots_and_gives_a_pallet_back_once() -> None:
    chamber = twin("curing_chamber")
    chamber.step(START)
    chamber.start(1, STORE)
    now = run(chamber, 1000, START)
    assert chamber.start(2, {**STORE, "pallet_no": 8})
    assert chamber.start(3, {"action": 2, "column": 3, "level": 2, "pallet_no": 7}) is None
    run(chamber, 1000, now)
    assert chamber.result["pallet_no"] == 7
    assert chamber.gauges()["occupied-03-2"] == 0
    assert chamber.start(4, {"action": 2, "column": 3, "level": 2, "pallet_no": 7})


def test_the_tilting_table_rises_to_its_angle_and_comes_down() -> None:
    table = twin("tilting_table")
    table.step(START)
    table.start(1, JOBS["tilting_table"][0])
    now = run(table, 120, START)
    assert table.gauges()["angle"] == 82
    run(table, 1000, now)
    assert table.gauges()["angle"] == 0
