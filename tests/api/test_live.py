"""The live hub: whole picture first, numbered deltas, beats, slow screens skip, limits."""

import asyncio
import json
from typing import Any

import pytest

from mes.api.live import KEPT_FRAMES, STREAMS_PER_SESSION, Hub
from mes.core.errors import NotPermitted
from mes.plc.tags import Quality, Reading
from tests.api.house import House


class Plant:
    def __init__(self) -> None:
        self.cells: dict[str, dict[str, Any]] = {"stations": {"a": 1, "b": 1}}
        self.drawn = 0

    def draw(self) -> dict[str, dict[str, Any]]:
        self.drawn += 1
        return self.cells


def frame(data: bytes) -> dict[str, Any]:
    line = next(line for line in data.decode().splitlines() if line.startswith("data: "))
    parsed: dict[str, Any] = json.loads(line[6:])
    return parsed


def apply(picture: dict[str, Any], data: bytes) -> None:
    for block in data.decode().strip().split("\n\n"):
        parsed = frame(block.encode())
        if "event: beat" in block:
            continue
        if parsed["type"] == "snapshot":
            picture.clear()
        for section, cells in parsed["cells"].items():
            for key, cell in cells.items():
                if cell is None:
                    picture[section].pop(key)
                else:
                    picture.setdefault(section, {})[key] = cell


async def test_a_screen_gets_the_picture_then_only_what_changed() -> None:
    plant = Plant()
    hub = Hub(plant.draw, lambda: {"time": "now"}, tick_s=0.05)
    stream = hub.stream("s")
    first = frame(await anext(stream))
    assert (first["type"], first["cells"]) == ("snapshot", {"stations": {"a": 1, "b": 1}})
    beat = await anext(stream)
    assert beat.startswith(b"event: beat\n")
    plant.cells = {"stations": {"a": 2}}
    hub.refresh()
    data = await anext(stream)
    assert data.startswith(f"id: {first['seq'] + 1}\n".encode())
    assert frame(data)["cells"] == {"stations": {"a": 2, "b": None}}
    assert hub.refresh() is False, "an unchanged picture makes no frame"
    await stream.aclose()
    assert hub.streams == 0


async def test_a_slow_screen_catches_up_and_ends_with_the_same_picture() -> None:
    plant = Plant()
    hub = Hub(plant.draw, dict)
    slow, seen = hub.stream("slow"), {}
    apply(seen, await anext(slow))
    await anext(slow)
    for number in range(2, 3 * KEPT_FRAMES):
        plant.cells = {"stations": {"a": number, f"c{number}": 1}}
        hub.refresh()
    data = await anext(slow)
    apply(seen, data)
    assert seen == plant.cells
    assert frame(data)["type"] == "snapshot", "what no longer fits comes as one whole picture"
    plant.cells = {"stations": {"a": 0}}
    hub.refresh()
    apply(seen, await anext(slow))
    assert seen == plant.cells
    await slow.aclose()


async def test_without_screens_nothing_is_drawn() -> None:
    plant = Plant()
    hub = Hub(plant.draw, dict, tick_s=0.05)
    task = asyncio.create_task(hub.run())
    hub.touch()
    await asyncio.sleep(0.1)
    assert plant.drawn == 0
    hub.close()
    task.cancel()


async def test_a_failing_picture_does_not_end_the_hub() -> None:
    plant = Plant()
    hub = Hub(plant.draw, dict, tick_s=0.04)
    task = asyncio.create_task(hub.run())
    stream = hub.stream("s")
    await anext(stream)
    await anext(stream)
    good, hub._draw = hub._draw, lambda: {}["missing"]
    hub.touch()
    await asyncio.sleep(0.1)
    hub._draw = good
    plant.cells = {"stations": {"a": 5}}
    hub.touch()
    async with asyncio.timeout(10):
        data = await anext(stream)
        while data.startswith(b"event: beat"):
            data = await anext(stream)
    assert frame(data)["cells"]["stations"]["a"] == 5
    await stream.aclose()
    hub.close()
    task.cancel()


async def test_streams_are_limited_per_session() -> None:
    hub = Hub(Plant().draw, dict)
    streams = [hub.stream("s") for _ in range(STREAMS_PER_SESSION)]
    for stream in streams:
        await anext(stream)
    with pytest.raises(NotPermitted) as refused:
        hub.admit("s")
    assert refused.value.code == "too_many_streams"
    hub.admit("another")
    for stream in streams:
        await stream.aclose()
    hub.admit("s")


async def test_a_reading_reaches_the_stream_and_a_lost_link_shows(house: House) -> None:
    hub: Hub = house.app.state.hub
    stream, seen = hub.stream("s"), {}
    apply(seen, await anext(stream))
    assert seen["stations"]["levelling"]["show"] == "no_link"
    assert seen["stations"]["vibration"]["show"] == "stopped"
    assert seen["stations"]["prepour"]["show"] == "sign"
    assert seen["pallets"]["R0001"]["pieces"][0]["path"].startswith("M")
    assert {alarm["kind"] for alarm in seen["alarms"].values()} >= {"job_stopped", "link_down", "cube_test"}
    tags = house.services.tags
    tags.set("chamber/temperature-01-1", Reading(51.25, Quality.GOOD, "", None, None, tags.mono()))
    async with asyncio.timeout(20):
        while seen["chamber"]["line-1/01-1"]["temperature_c"]["value"] != 51.2:
            data = await anext(stream)
            if not data.startswith(b"event: beat"):
                apply(seen, data)
    await stream.aclose()
    ages = house.app.state.board.ages()
    assert ages["chamber"] >= 0
    assert "rebar" not in ages
