"""What a line tells the broker: states of stations and pallets under their place, all of them, even when the broker was away."""

import asyncio
from pathlib import Path

import pytest

from mes.core.virtual_time import run_virtual
from mes.exchange.outbox import OutboxLoop
from mes.lines.run import PalletRun
from mes.store.log import Outgoing
from tests.exchange.test_outbox import Listener, publisher, until
from tests.flows.plant_on_paper import PaperPlant, draft
from tests.flows.test_line import until_ended
from tests.services import Mosquitto

LINE = "mes/v1/acme/demo/hall-1/line-1"


async def _made() -> PaperPlant:
    plant = PaperPlant(outbox=True)
    await plant.open([draft("HS1", quantity=2)])
    tasks = [plant.start(), asyncio.create_task(plant.crew())]
    await until_ended(plant)
    for task in tasks:
        task.cancel()
    return plant


@pytest.mark.service
def test_a_run_is_told_under_its_places_once_the_broker_is_there(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    plant = run_virtual(_made())
    run = plant.store.find(PalletRun)[0]
    outgoing = Outgoing(plant.store.engine, "demo")
    waiting = outgoing.unsent(10_000)

    async def carry() -> Listener:
        client = publisher(broker.url, "mes")
        await client.start()
        loop = OutboxLoop(outgoing, client, plant.clock)
        task = asyncio.create_task(loop.run())
        await until(lambda: client.reason == "the broker does not answer")
        assert len(outgoing.unsent(10_000)) == len(waiting)
        await asyncio.to_thread(broker.start)
        first = Listener(broker.port, "mes/#")
        await until(lambda: not outgoing.unsent())
        late = Listener(broker.port, f"{LINE}/#")
        await until(lambda: len({topic for topic, _ in late.heard}) >= len(_retained(waiting)))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()
        first.close()
        return late

    late = asyncio.run(carry())
    late.close()
    broker.stop()
    kept = {topic: payload["v"] for topic, payload in late.heard}
    assert kept[f"{LINE}/mark/state/job"] == "done"
    assert kept[f"{LINE}/chamber/state/job"] == "done"
    pallet = run.pallet.lower()
    assert kept[f"{LINE}/{pallet}/state/run"] == "", "the pallet came back empty"
    assert f"{LINE}/{pallet}/state/position" in kept
    assert not [topic for topic in kept if "/event/" in topic or "/alarm/" in topic], "events are not retained"
    stages = {m.topic for m in waiting if "/event/" in m.topic}
    assert f"{LINE}/spreader/event/component" in stages
    assert f"{LINE}/-/event/run-finished" in stages


def _retained(messages: list[object]) -> set[str]:
    return {m.topic for m in messages if m.retain and m.topic.startswith(LINE)}  # type: ignore[attr-defined]
