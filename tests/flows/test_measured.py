"""The outgoing inspection: measured dimensions are judged by the tolerances and kept with the piece."""

import pytest

from mes.core.errors import RuleBroken
from mes.core.virtual_time import run_virtual
from mes.lines.job import LineJob
from mes.tracking.component import Component, Quality
from tests.flows.plant_on_paper import PaperPlant, draft
from tests.flows.test_commands import commands, manual_job

BEFORE = ("place_rebar", "place_embeds", "inspect_prepour", "finish", "strip", "label")


def test_measured_dimensions_out_of_tolerance_are_not_passed_and_good_ones_are_kept() -> None:
    async def story() -> None:
        plant = PaperPlant()
        await plant.open([draft("HS1")])
        asked = commands(plant)
        runner = plant.start()
        for operation in BEFORE:
            job = await manual_job(plant, operation)
            who, role = ("li", "quality") if job.role == "quality" else ("wang", "operator")
            await asked.finish_job(job.id, {"result": "pass"}, who, [role], f"c-{operation}")
        job = await manual_job(plant, "inspect_outgoing")
        piece = plant.store.find(Component)[0]
        wrong = {"result": "pass", "measured": {piece.code: {"length": piece.length_mm + 50}}}
        with pytest.raises(RuleBroken, match="out of tolerance: length"):
            await asked.finish_job(job.id, wrong, "li", ["quality"], "m1")
        still = plant.store.get(LineJob, job.id)
        assert still is not None
        assert still.state == "ready"
        good = {"result": "pass", "measured": {piece.code: {"length": piece.length_mm + 2, "width": piece.width_mm}}}
        await asked.finish_job(job.id, good, "li", ["quality"], "m2")
        after = plant.store.get(Component, piece.code)
        assert after is not None
        assert after.quality == Quality.CONFORMANT
        event = next(e for e in plant.store.events(kind="component") if e.type == "inspection_passed")
        assert [(m["item"], m["ok"]) for m in event.data["measurements"]] == [("length", True), ("width", True)]
        runner.cancel()

    run_virtual(story())
