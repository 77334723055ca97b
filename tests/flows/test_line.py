"""The whole lap of pallets over the demo line, on virtual time: order, plan, jobs, curing, labels, yard."""

import asyncio
from collections import Counter

from mes.core.virtual_time import run_virtual
from mes.flows.line.progress import finished
from mes.flows.line.work_job import settle_job
from mes.lines.job import LineJob
from mes.lines.run import Pallet, PalletRun
from mes.plc.handshake.command import JobOutcome
from mes.tracking.component import Component, Lifecycle
from tests.flows.plant_on_paper import PaperPlant, draft

MIXED = [
    draft("HS1", quantity=4),
    draft("W1", "wall", 2, thickness_mm=200, concrete_class="C35", volume_m3=2.4, mass_kg=5800, length_mm=5000),
    draft("ST1", "stair", 4, thickness_mm=400, concrete_class="C45/55", length_mm=2800, width_mm=1200, volume_m3=0.5),
]


async def until_ended(plant: PaperPlant, limit_s: float = 2000) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < limit_s:
        if all(run.status in ("finished", "scrapped") for run in plant.store.find(PalletRun)):
            return
        await asyncio.sleep(0.5)


def test_every_piece_is_made_labelled_inspected_and_stored() -> None:
    async def story() -> PaperPlant:
        plant = PaperPlant()
        await plant.open(MIXED)
        tasks = [plant.start(), asyncio.create_task(plant.crew())]
        await until_ended(plant)
        for task in tasks:
            task.cancel()
        return plant

    plant = run_virtual(story())
    components = plant.store.find(Component)
    assert len(components) == 10
    assert all(finished(c) for c in components), [(c.mark, c.lifecycle) for c in components]
    assert all(c.label_no == 1 and c.strength and (c.strength.strength_mpa or 0) >= 15 for c in components)
    jobs = Counter((j.run, j.step) for j in plant.store.find(LineJob))
    assert set(jobs.values()) == {1}, "no step has two jobs"
    assert all(not p.run and p.laps >= 0 for p in plant.store.find(Pallet))
    started = Counter(job for machine in plant.machines.values() for job in machine.started)
    assert set(started.values()) == {1}


def test_moulds_in_use_never_exceed_their_stock() -> None:
    async def story() -> int:
        plant = PaperPlant()
        await plant.open(
            [draft("ST", "stair", 7, thickness_mm=400, concrete_class="C45/55", length_mm=2800, width_mm=1200)]
        )
        tasks = [plant.start(), asyncio.create_task(plant.crew())]
        most, loop = 0, asyncio.get_running_loop()
        while loop.time() < 400:
            out = [r for r in plant.store.find(PalletRun) if r.pallet and r.status in ("active", "curing")]
            demoulded = {i for r in out for i, s in enumerate(r.steps) if s.operation == "demould" and r.step > i}
            most = max(most, sum(1 for r in out if r.step <= min(demoulded, default=99)))
            await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        return most

    assert 0 < run_virtual(story()) <= 3


def test_a_refused_job_stops_its_pallet_until_a_person_retries() -> None:
    async def story() -> PaperPlant:
        plant = PaperPlant()
        await plant.open([draft("HS1")])
        plant.machines["mark"].answers = [JobOutcome("refused", "range")]
        tasks = [plant.start(), asyncio.create_task(plant.crew())]
        await asyncio.sleep(20)
        stopped = [j for j in plant.store.find(LineJob) if j.state == "stopped"]
        assert [j.operation for j in stopped] == ["mark_out"]
        assert plant.store.find(PalletRun)[0].status == "stopped"
        await plant.store.run(
            lambda tx: settle_job(tx, plant.plant, plant.line, stopped[0].id, "retry", "plotter was off"), actor="lead"
        )
        await until_ended(plant)
        for task in tasks:
            task.cancel()
        return plant

    plant = run_virtual(story())
    assert finished(plant.store.find(Component)[0])
    attempts = sorted(j.attempt for j in plant.store.find(LineJob) if j.operation == "mark_out")
    assert attempts == [1, 2]


def test_scrapping_ends_the_run_and_frees_the_pallet() -> None:
    async def story() -> PaperPlant:
        plant = PaperPlant()
        await plant.open([draft("HS1")])
        plant.machines["spreader"].answers = [JobOutcome("unknown", "power_cycle")]
        tasks = [plant.start(), asyncio.create_task(plant.crew())]
        await asyncio.sleep(40)
        job = next(j for j in plant.store.find(LineJob) if j.state == "stopped")
        await plant.store.run(
            lambda tx: settle_job(tx, plant.plant, plant.line, job.id, "scrap", "half poured"), actor="lead"
        )
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        return plant

    plant = run_virtual(story())
    assert plant.store.find(Component)[0].lifecycle == Lifecycle.SCRAPPED
    assert plant.store.find(PalletRun)[0].status == "scrapped"
    assert all(p.run == "" for p in plant.store.find(Pallet))
    job = next(j for j in plant.store.find(LineJob) if j.stop == "unknown")
    assert plant.machines["spreader"].resolved == [(int(job.id), "scrap")], "the PLC was told once"
    assert job.resolved


def test_a_gap_in_the_temperatures_asks_for_a_cube_test() -> None:
    async def story() -> tuple[bool, bool]:
        plant = PaperPlant()
        await plant.open([draft("HS1")])
        tasks = [plant.start(), asyncio.create_task(plant.crew())]
        while not [r for r in plant.store.find(PalletRun) if r.status == "curing"]:
            await asyncio.sleep(0.2)
        assert plant.runner is not None
        plant.runner.temperature = lambda tag: None
        await asyncio.sleep(120)
        waits = plant.store.find(PalletRun)[0]
        from mes.flows.line.record_cube_test import record_cube_test

        await plant.store.run(lambda tx: record_cube_test(tx, waits.id, 22.0), actor="quality")
        await until_ended(plant)
        for task in tasks:
            task.cancel()
        component = plant.store.find(Component)[0]
        return waits.needs_cube_test and waits.status == "curing", bool(
            component.strength and component.strength.source == "cube" and finished(component)
        )

    assert run_virtual(story()) == (True, True)
