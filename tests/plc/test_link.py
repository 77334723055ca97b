"""The supervised link on a virtual clock: states with reasons, dead-man's handle, one log line per loss."""

import asyncio
import logging
import random
from datetime import UTC, datetime

import pytest

from mes.core.clock import LoopClock
from mes.core.errors import LinkDown, TagWriteRefused
from mes.plc.drivers import make_link
from mes.plc.soft import MemoryPlc
from mes.plc.tagmap import load_tagmap
from mes.plc.tags import Quality, TagTable
from tests.plc.virtual import run_virtual

MAP = """
links:
  a: {protocol: memory, heartbeat: {in: a/beat, out: a/mes, limit_out: a/limit, limit_s: 5}}
tags:
  a/beat: {link: a, type: uint16}
  a/mes: {link: a, type: uint16, access: rw}
  a/limit: {link: a, type: uint16, access: rw}
  a/t: {link: a, type: int16, scale: 0.1, range: [0, 100], access: rw, limits: {min: 0, max: 90}, deadband: 0.5}
  a/off: {link: a, type: int16, enabled: false}
"""


class Bench:
    def __init__(self, tmp_path) -> None:
        (tmp_path / "tags.yaml").write_text(MAP)
        self.plc = MemoryPlc({"a/beat": 0, "a/mes": 0, "a/limit": 0, "a/t": 215})
        self.table = TagTable(asyncio.get_running_loop().time)
        self.states, self.told, self.beating = [], [], True
        self.table.observe(lambda changed: self.told.append(dict(changed)))
        self.link = make_link(
            load_tagmap(tmp_path),
            "a",
            self.table,
            clock=LoopClock(datetime(2026, 11, 2, tzinfo=UTC)),
            rng=random.Random(1),
            on_state=self.on_state,
            memory={"a": self.plc},
        )
        self.tasks = [asyncio.create_task(self.link.run()), asyncio.create_task(self.beat())]

    def on_state(self, link, state, reason) -> None:
        self.states.append((state, reason))
        raise RuntimeError("an observer may fail")

    async def beat(self) -> None:
        while True:
            if self.beating:
                self.plc.set("a/beat", self.plc.values["a/beat"] + 1)
            await asyncio.sleep(0.5)


def test_a_link_comes_up_writes_its_heartbeat_and_reads_values(tmp_path):
    async def story():
        bench = Bench(tmp_path)
        assert bench.table.get("a/t").reason == "never_read"
        await asyncio.wait_for(bench.link.online(), 10)
        assert [state for state, _ in bench.states] == ["connecting", "online"]
        reading = bench.table.get("a/t")
        assert (reading.value, reading.quality) == (21.5, Quality.GOOD)
        await asyncio.sleep(5)
        assert bench.plc.values["a/mes"] >= 4
        assert bench.plc.values["a/limit"] == 5
        bench.told.clear()
        bench.plc.set("a/t", 218)
        assert not any("a/t" in step for step in bench.told), "within the deadband"
        bench.plc.set("a/t", 230)
        assert bench.told[-1]["a/t"].value == 23.0
        bench.plc.set("a/t", 2000)
        assert bench.table.get("a/t").reason == "out_of_range"
        assert bench.table.get("a/off").reason == "disabled"
        await bench.link.write("a/t", 50)
        assert bench.plc.values["a/t"] == 500
        with pytest.raises(TagWriteRefused):
            await bench.link.write("a/t", 95)

    run_virtual(story())


def test_a_frozen_heartbeat_turns_stale_then_offline_and_all_tags_bad_at_once(tmp_path, caplog):
    async def story():
        bench = Bench(tmp_path)
        await asyncio.wait_for(bench.link.online(), 10)
        bench.told.clear()
        caplog.clear()
        bench.beating = False
        await asyncio.sleep(4)
        assert bench.link.state == "stale"
        assert {"a/beat", "a/mes", "a/limit", "a/t"} <= set(bench.told[-1])
        assert bench.table.get("a/t").value == 21.5
        assert bench.table.get("a/t").reason == "heartbeat_stale"
        with pytest.raises(LinkDown):
            await bench.link.write("a/t", 1)
        bench.beating = True
        await asyncio.sleep(1.5)
        assert bench.link.state == "online"
        bench.beating = False
        await asyncio.sleep(60)
        assert bench.link.state in ("offline", "connecting")
        bench.beating = True
        await asyncio.sleep(8)
        assert bench.link.state == "online"
        assert bench.table.get("a/t").good
        lost = [
            r for r in caplog.records if r.levelno >= logging.WARNING and r.name == "mes.plc.link" and not r.exc_info
        ]
        assert len(lost) == 2

    run_virtual(story())


@pytest.mark.parametrize("how", ["cable", "freeze"])
def test_a_link_recovers_within_five_seconds(tmp_path, how):
    async def story():
        bench = Bench(tmp_path)
        await asyncio.wait_for(bench.link.online(), 10)
        for away in (0.3, 3, 30, 300):
            if how == "cable":
                bench.plc.reachable = False
                await asyncio.sleep(0.1)
                assert bench.table.get("a/t").reason == "offline"
            else:
                bench.plc.answering = False
            await asyncio.sleep(away)
            bench.plc.reachable = bench.plc.answering = True
            await asyncio.sleep(5)
            assert bench.link.state == "online"
            assert bench.table.get("a/t").good

    run_virtual(story())
