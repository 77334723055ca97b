"""What a simulated PLC remembers without power, and that it remembers before it moves."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mes.core.clock import FixedClock
from simulators.machines import TWINS
from simulators.plcs.job_orders import ABORTED, ENDED, INTERRUPTED, RUN, SUCCESS, UNABLE, WRONG_STATE, JobOrders
from simulators.plcs.program import BUSY, DONE, DUPLICATE, OK, RUNNING, UNKNOWN, Battery, Journal, PlcProgram, tally
from simulators.twin import Hall

CLEAN = {"pallet_length_mm": 9000, "brush_speed_rpm": 180}


class Bench:
    """One PLC whose power can be cycled."""

    def __init__(self, folder: Path, machine: str = "cleaning_station") -> None:
        self.folder, self.machine = folder, machine
        self.clock = FixedClock(datetime(2026, 10, 12, tzinfo=UTC))
        self.journal = Journal(folder / "starts.jsonl")
        self.plc = self.power_up()

    def power_up(self) -> PlcProgram:
        twin = TWINS[self.machine](Hall(), random.Random(1))
        battery = Battery(self.folder / "plc.json")
        self.plc = PlcProgram("l1", twin, battery, self.journal, self.clock, random.Random(2))
        return self.plc

    def go(self, seconds: float, step: float = 5) -> None:
        for _ in range(int(seconds / step)):
            self.clock.move(step)
            self.plc.scan()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_job_runs_once_and_is_known_ever_after(bench: Bench) -> None:
    assert bench.plc.start(5, CLEAN) == OK
    bench.plc.actuate()
    assert bench.plc.start(6, CLEAN) == BUSY
    assert bench.plc.start(5, CLEAN) == DUPLICATE
    bench.go(400)
    assert bench.plc.memory.state == DONE
    assert bench.plc.start(5, CLEAN) == DUPLICATE
    assert bench.plc.memory.state == DONE
    assert tally(bench.journal.lines) == {
        "double_starts": 0, "starts": {"l1": 1}, "jobs": {"5": {"started": 1, "ended": 1, "settled": 0}},
    }  # fmt: skip


def test_a_running_job_is_unknown_after_a_power_cut_and_epoch_and_ring_stay(bench: Bench) -> None:
    bench.plc.start(5, CLEAN)
    bench.plc.actuate()
    epoch = bench.plc.memory.epoch
    plc = bench.power_up()
    assert (plc.memory.state, plc.memory.epoch, plc.memory.ring) == (UNKNOWN, epoch, [5])
    assert plc.memory.boots == 2
    assert plc.start(6, CLEAN) == BUSY
    assert plc.resolve(5, done=True) == OK
    plc.actuate()
    assert bench.power_up().memory.state == DONE


def test_power_lost_between_decision_and_movement_is_no_start_at_all(bench: Bench) -> None:
    bench.plc.start(5, CLEAN)
    plc = bench.power_up()
    assert plc.memory.ring == []
    assert tally(bench.journal.lines)["starts"] == {}


def test_the_memory_is_written_before_the_actuator_starts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.plc.start(5, CLEAN)
    seen = []
    monkeypatch.setattr(bench.plc.twin, "start", lambda *_: seen.append(Battery(bench.folder / "plc.json").load()))
    bench.plc.actuate()
    assert seen[0] is not None
    assert (seen[0].state, seen[0].ring) == (RUNNING, [5])


def test_a_broken_memory_is_a_new_epoch(bench: Bench) -> None:
    epoch = bench.plc.memory.epoch
    (bench.folder / "plc.json").write_text("{torn")
    bench.plc = PlcProgram(
        "l1", TWINS["cleaning_station"](Hall(), random.Random(1)), Battery(bench.folder / "plc.json"),
        bench.journal, bench.clock, random.Random(3),
    )  # fmt: skip
    assert bench.plc.memory.epoch != epoch
    assert bench.plc.memory.state == 0


def test_curing_goes_on_over_a_power_cut_that_interrupts_the_next_store(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "curing_chamber")
    program = {
        "rest_min": 60,
        "heat_c_per_h": 15.0,
        "hold_c": 50.0,
        "hold_min": 300,
        "cool_c_per_h": 15.0,
        "exit_c": 35.0,
    }
    bench.plc.start(1, {"action": 1, "column": 1, "level": 1, "pallet_no": 3, **program})
    bench.plc.actuate()
    bench.go(4 * 3600, 60)
    warm = bench.plc.twin.gauges()["temperature-01-1"]
    bench.plc.start(2, {"action": 1, "column": 2, "level": 1, "pallet_no": 4, **program})
    bench.plc.actuate()
    plc = bench.power_up()
    assert plc.memory.state == UNKNOWN
    bench.go(1800, 60)
    gauges = plc.twin.gauges()
    assert warm > 40
    assert gauges["temperature-01-1"] > warm
    assert (gauges["occupied-01-1"], gauges["occupied-02-1"]) == (3, 4)


def test_an_order_is_interrupted_as_unknown_and_settled_by_stop_or_abort(bench: Bench) -> None:
    orders = JobOrders(bench.plc)
    assert orders.store_and_start("7", CLEAN, "P01") == SUCCESS
    assert orders.store_and_start("8", CLEAN, "P02") == UNABLE
    orders.scan(mes_alive=True)
    assert orders.listed()[0].state == RUN
    orders = JobOrders(bench.power_up())
    assert (orders.listed()[0].state, orders.listed()[0].text) == (INTERRUPTED, "unknown")
    assert orders.stop("7") == SUCCESS
    assert orders.listed()[0].state == ENDED
    assert orders.clear("7") == SUCCESS
    assert orders.listed() == []
    assert orders.store_and_start("7", CLEAN, "P01") == WRONG_STATE
    orders.store_and_start("9", CLEAN, "P01")
    orders.scan(mes_alive=True)
    orders = JobOrders(bench.power_up())
    assert orders.abort("9") == SUCCESS
    assert orders.listed()[0].state == ABORTED


def test_a_stored_order_waits_for_the_mes_to_live(bench: Bench) -> None:
    orders = JobOrders(bench.plc)
    orders.store_and_start("7", CLEAN, "")
    orders.scan(mes_alive=False)
    assert tally(bench.journal.lines)["starts"] == {}
    orders = JobOrders(bench.power_up())
    orders.scan(mes_alive=True)
    assert tally(bench.journal.lines)["starts"] == {"l1": 1}
