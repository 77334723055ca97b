"""The event loop with virtual time: fast, and in the same order every time."""

import asyncio
import time

from mes.core.virtual_time import run_virtual


def test_a_day_of_sleep_passes_at_once_and_in_order() -> None:
    async def story() -> list[tuple[float, str]]:
        loop, seen = asyncio.get_running_loop(), []

        async def sleeper(name: str, seconds: float) -> None:
            for _ in range(3):
                await asyncio.sleep(seconds)
                seen.append((loop.time(), name))

        await asyncio.gather(sleeper("hour", 3600), sleeper("day", 28_800))
        return seen

    began = time.perf_counter()
    first, second = run_virtual(story()), run_virtual(story())
    assert first == second
    assert [name for _, name in first] == ["hour", "hour", "hour", "day", "day", "day"]
    assert first[-1][0] == 86_400
    assert time.perf_counter() - began < 5


def test_time_outs_run_on_virtual_time() -> None:
    async def story() -> float:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 500)
        except TimeoutError:
            return asyncio.get_running_loop().time()
        return -1

    assert run_virtual(story()) == 500
