"""Commissioning: what a technician asks before the first job: do the links answer, what do the tags read, how are they polled."""

import asyncio
import random
from typing import Any

from mes.core.clock import Clock, system_clock
from mes.core.errors import NotFound, PlcError
from mes.plc.drivers import DRIVERS, make_link
from mes.plc.tagmap import TagMap
from mes.plc.tags import Reading, TagTable


async def check_links(tagmap: TagMap, timeout_s: float, *, clock: Clock | None = None) -> dict[str, Any]:
    """Tries every link for up to `timeout_s` and reads all tags: `{links: [{link, state, reason}], tags: [{name, address, …}]}`."""
    clock = clock or system_clock()
    table = TagTable(asyncio.get_running_loop().time)
    links = [make_link(tagmap, name, table, clock=clock, rng=random.Random(0)) for name in tagmap.links]
    tasks = [asyncio.create_task(link.run()) for link in links]
    waits = [asyncio.create_task(link.online()) for link in links]
    try:
        if waits:
            await asyncio.wait(waits, timeout=timeout_s)
        states = [{"link": link.name, "state": link.state, "reason": link.reason} for link in links]
        tags = [_shown(tagmap, name, table.get(name)) for name in tagmap.tags]
    finally:
        for task in (*waits, *tasks):
            task.cancel()
        await asyncio.gather(*waits, *tasks, return_exceptions=True)
    return {"links": states, "tags": tags}


async def watch(tagmap: TagMap, link_name: str, seconds: float, *, clock: Clock | None = None) -> dict[str, Any]:
    """Watches the tags of one link: `{tags: [{name, value, quality, reason, source_time, received_time, changes, dropped}]}`."""
    _need(tagmap, link_name)
    table = TagTable(asyncio.get_running_loop().time)
    link = make_link(tagmap, link_name, table, clock=clock or system_clock(), rng=random.Random(0))
    task = asyncio.create_task(link.run())
    try:
        await asyncio.sleep(seconds)
        dropped = link.driver.dropped if link.driver else 0
        return {
            "tags": [
                {
                    **_shown(tagmap, tag.name, table.get(tag.name)),
                    "changes": table.changes(tag.name),
                    "dropped": dropped,
                }
                for tag in tagmap.tags_of(link_name)
            ]
        }
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def plan(tagmap: TagMap, link_name: str) -> dict[str, Any]:
    """How a Modbus link is polled: `{requests, words, waste_words, blocks: […]}`. Raises NotFound, or PlcError for other protocols."""
    config = _need(tagmap, link_name)
    if config.protocol != "modbus":
        raise PlcError(f"Link {link_name} speaks {config.protocol}, which is not polled in blocks.", code="no_plan")
    from mes.plc.modbus.driver import plan_report

    return dict(plan_report(config, tagmap.tags_of(link_name)))


def _need(tagmap: TagMap, link_name: str) -> Any:
    config = tagmap.links.get(link_name)
    if config is None or config.protocol not in DRIVERS:
        raise NotFound(f"There is no link {link_name!r}.", hint=f"Known: {', '.join(sorted(tagmap.links))}.")
    return config


def _shown(tagmap: TagMap, name: str, reading: Reading) -> dict[str, Any]:
    tag = tagmap.tags[name]
    return {
        "name": name,
        "address": tag.where,
        "value": reading.value,
        "quality": str(reading.quality),
        "reason": reading.reason,
        "source_time": reading.source_time.isoformat() if reading.source_time else None,
        "received_time": reading.received_time.isoformat() if reading.received_time else None,
    }
