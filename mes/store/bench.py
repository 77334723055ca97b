"""How many commands a second the memory acknowledges: the measure behind the writer's shape."""

import asyncio
import time
from typing import Any

from mes.core.clock import system_clock
from mes.core.errors import RuleBroken
from mes.core.event import Event, State, StreamKind
from mes.core.ids import SystemIds
from mes.core.ports import Tx
from mes.store.engine import make_engine
from mes.store.log import SqlStore
from mes.store.upkeep import upgrade

THINGS = 500
REFUSE_EVERY = 50


class Gauge(State):
    """A thing that only counts."""

    name: str
    count: int = 0
    station: str = ""


def apply(state: Gauge | None, event: Event) -> Gauge:
    """One more, at the station that the event names."""
    return Gauge(name=event.key, count=(state.count if state else 0) + 1, station=event.data["station"])


KIND = StreamKind("bench_gauge", Gauge, apply, lambda state: state.station)


async def _caller(store: SqlStore, number: int, until: float, times: list[float]) -> int:
    refused, turn = 0, 0
    ids = SystemIds()
    while time.monotonic() < until:
        turn += 1
        key, station, refuse = (
            f"g{(number * 31 + turn) % THINGS}",
            f"st{turn % 20}",
            turn % REFUSE_EVERY == number % REFUSE_EVERY,
        )

        def story(tx: Tx, key: str = key, station: str = station, refuse: bool = refuse) -> dict[str, Any]:
            before = tx.get(Gauge, key)
            tx.get(Gauge, f"{key}x")
            if refuse:
                raise RuleBroken("refused for the measurement")
            tx.append(Gauge, key, "counted", {"station": station, "mass_kg": 12.5})
            tx.publish("event", "counted", {"count": before.count if before else 0}, place="hall/line1/st")
            return {"key": key}

        start = time.monotonic()
        try:
            await store.run(story, actor="bench", cmd_id=ids.uuid(), body={"key": key, "station": station})
        except RuleBroken:
            refused += 1
        times.append(time.monotonic() - start)
    return refused


async def _measure(url: str, seconds: float, callers: int) -> dict[str, Any]:
    upgrade(url)
    engine = make_engine(url)
    plant = f"bench-{SystemIds().uuid()}"
    store = SqlStore(engine, [KIND], plant=plant, clock=system_clock(), ids=SystemIds(), place="bench/site")
    await store.start()
    times: list[float] = []
    start = time.monotonic()
    refused = await asyncio.gather(*(_caller(store, number, start + seconds, times) for number in range(callers)))
    took = time.monotonic() - start
    await store.close()
    engine.dispose()
    times.sort()
    return {
        "database": url.partition(":")[0],
        "callers": callers,
        "seconds": round(took, 2),
        "commands": len(times),
        "refused": sum(refused),
        "events": store.head[0],
        "commands_per_s": round(len(times) / took),
        "p50_ms": round(times[len(times) // 2] * 1000, 2),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 2),
    }


def bench_ingest(url: str, seconds: float, callers: int = 50) -> dict[str, Any]:
    """Acknowledged commands a second and their times; a command is 2 reads, event, state, message and answer, 2 % refused.

    Writes into the database of `url` (a plant of its own): use an empty one.
    """
    return asyncio.run(_measure(url, seconds, callers))
