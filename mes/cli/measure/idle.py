"""What `mes run` costs when nothing happens: resident memory and processor time with the demo plant's PLCs connected."""

import asyncio
import os
from pathlib import Path
from typing import Any

from mes.cli.measure.plant import bench_plant
from mes.core.errors import MesError

SETTLE_S = 12.0


async def bench_idle(seconds: float, *, orders: bool = False) -> dict[str, Any]:
    """`{rss_mb, peak_rss_mb, cpu_percent, seconds}`; percent of one core. Raises MesError where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        raise MesError("This machine has no /proc.", code="proc_missing", hint="Measure on Linux.")
    async with bench_plant(orders=orders) as plant:
        await asyncio.sleep(SETTLE_S)
        loop = asyncio.get_running_loop()
        before, began = _cpu_s(plant.mes_pid), loop.time()
        await asyncio.sleep(seconds)
        spent = (_cpu_s(plant.mes_pid) - before) / (loop.time() - began)
        memory, links = _memory_mb(plant.mes_pid), plant.links
    return {
        **memory,
        "cpu_percent": round(100 * spent, 1),
        "seconds": seconds,
        "orders": "the demo building, planned" if orders else "none",
        "links_online": links,
    }


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> dict[str, float]:
    rows = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        if ":" in line
    )
    return {
        name: round(int(rows[key].split()[0]) / 1024, 1)
        for name, key in (("rss_mb", "VmRSS"), ("peak_rss_mb", "VmHWM"))
    }
