"""What people may ask of the plant: rights, repeats, plans as documents."""

from pathlib import Path

import pytest

from mes.core.errors import IntakeRejected, NotPermitted, RuleBroken
from mes.core.virtual_time import run_virtual
from mes.flows.commands import PlantCommands
from mes.lines.job import LineJob
from mes.orders.order import Order, StoreyDue
from mes.planning.planner import plan
from tests.flows.plant_on_paper import PaperPlant, draft


def commands(plant: PaperPlant) -> PlantCommands:
    def no_files(path: Path, profile: object, project: object, progress: object) -> object:
        raise AssertionError("no file is read here")

    return PlantCommands(plant.store, plant.folder, plant.clock, no_files, plan, threads=False)  # type: ignore[arg-type]


async def manual_job(plant: PaperPlant, operation: str) -> LineJob:
    import asyncio

    while True:
        found = [j for j in plant.store.find(LineJob, plant.line.id) if j.operation == operation and j.state == "ready"]
        if found:
            return found[0]
        await asyncio.sleep(0.2)


def test_inspections_need_the_quality_role_and_another_person_than_the_maker() -> None:
    async def story() -> None:
        plant = PaperPlant()
        await plant.open([draft("HS1")])
        asked = commands(plant)
        runner = plant.start()
        for operation in ("place_rebar", "place_embeds"):
            job = await manual_job(plant, operation)
            await asked.finish_job(job.id, {}, "wang", ["operator"], f"cmd-{operation}")
        job = await manual_job(plant, "inspect_prepour")
        with pytest.raises(NotPermitted, match="role quality"):
            await asked.finish_job(job.id, {"result": "pass"}, "wang", ["operator"], "c1")
        with pytest.raises(NotPermitted, match="cannot inspect"):
            await asked.finish_job(job.id, {"result": "pass"}, "wang", ["quality"], "c2")
        done = await asked.finish_job(job.id, {"result": "pass"}, "li", ["quality"], "c3")
        assert done.state == "done"
        runner.cancel()

    run_virtual(story())


def test_no_concrete_before_the_hidden_works_are_signed_and_a_failed_check_stops_the_pallet() -> None:
    async def story() -> None:
        import asyncio

        plant = PaperPlant()
        await plant.open([draft("HS1")])
        asked = commands(plant)
        runner = plant.start()
        for operation in ("place_rebar", "place_embeds"):
            await asked.finish_job((await manual_job(plant, operation)).id, {}, "wang", ["operator"], f"x{operation}")
        job = await manual_job(plant, "inspect_prepour")
        await asyncio.sleep(30)
        assert plant.machines["spreader"].started == []
        assert plant.machines["batching"].started == []
        stopped = await asked.finish_job(job.id, {"result": "fail", "reason": "cover too thin"}, "li", ["quality"], "f")
        assert (stopped.state, stopped.reason) == ("stopped", "cover too thin")
        await asyncio.sleep(30)
        assert plant.machines["spreader"].started == []
        runner.cancel()

    run_virtual(story())


def test_the_same_command_twice_has_one_effect_and_another_body_is_refused() -> None:
    async def story() -> None:
        plant = PaperPlant()
        await plant.open([draft("HS1")])
        asked = commands(plant)
        runner = plant.start()
        job = await manual_job(plant, "place_rebar")
        first = await asked.finish_job(job.id, {"a": 1}, "wang", ["operator"], "same")
        head = plant.store.head[0]
        again = await asked.finish_job(job.id, {"a": 1}, "wang", ["operator"], "same")
        assert again == first
        assert plant.store.head[0] == head
        with pytest.raises(RuleBroken) as caught:
            await asked.finish_job(job.id, {"a": 2}, "wang", ["operator"], "same")
        assert caught.value.code == "id_reused"
        runner.cancel()

    run_virtual(story())


def test_machine_jobs_are_not_finished_by_hand_and_decisions_need_a_reason() -> None:
    async def story() -> None:
        import asyncio

        plant = PaperPlant()
        await plant.open([draft("HS1")])
        plant.machines["clean"].cycle_s = 1e6
        asked = commands(plant)
        runner = plant.start()
        await asyncio.sleep(2)
        job = plant.store.find(LineJob, plant.line.id)[0]
        with pytest.raises(RuleBroken, match="run by its machine"):
            await asked.finish_job(job.id, {}, "wang", ["operator"], "m")
        with pytest.raises(RuleBroken, match="no decision"):
            await asked.settle_job(job.id, "perhaps", "why", "chen", ["shift_lead"], "d")
        runner.cancel()

    run_virtual(story())


def test_a_plan_is_a_document_with_every_operation_and_a_second_plan_queues_behind() -> None:
    async def story() -> None:
        plant = PaperPlant()
        await plant.open([draft("HS1", quantity=3)])
        with pytest.raises(RuleBroken) as nothing:
            await commands(plant).release_plan([], "lin", evaluations=20)
        assert nothing.value.code == "nothing_to_plan"
        from mes.flows.take_in_order import take_in_order

        second = await plant.store.run(
            lambda tx: take_in_order(
                tx, project="P", file_name="b.ifc", file_sha256="1" * 64, source="t", drafts=[draft("HS9", quantity=2)]
            ),
            actor="lin",
        )
        document = await commands(plant).release_plan([second.order_id], "lin", evaluations=20)
        assert {"plan_id", "status", "pallets", "jobs", "objective", "lower_bound", "gap", "late", "solve_s"} <= set(
            document
        )
        assert sum(len(p["components"]) for p in document["pallets"]) == 2
        operations = [j["operation"] for j in document["jobs"] if j["pallet"] == document["pallets"][0]["pallet"]]
        assert operations[:3] == ["clean", "oil", "mark_out"]
        assert operations[-1] == "store"
        assert {"batch", "pour", "chamber_in", "cure", "chamber_out"} <= set(operations)

    run_virtual(story())


def test_due_dates_are_set_for_known_storeys_only_and_nothing_changes_otherwise() -> None:
    async def story() -> None:
        plant = PaperPlant()
        await plant.open([draft("HS1")])
        order = plant.store.find(Order)[0]
        head = plant.store.head[0]
        with pytest.raises(IntakeRejected, match="does not have"):
            await commands(plant).set_due(order.order_id, [StoreyDue(building="9#", storey="8F", sequence=1)], "lin")
        assert plant.store.head[0] == head
        after = await commands(plant).set_due(
            order.order_id, [StoreyDue(building="1#", storey="2F", sequence=4)], "lin"
        )
        assert after["storeys"][0]["sequence"] == 4

    run_virtual(story())


def test_a_class_without_a_mix_is_refused_by_name() -> None:
    async def story() -> None:
        plant = PaperPlant()
        with pytest.raises(RuleBroken) as caught:
            await plant.open([draft("HS1", concrete_class="C99")])
        assert caught.value.code == "mix_unknown"
        assert "C99" in str(caught.value)
        assert "C30-PC" in str(caught.value)

    run_virtual(story())
