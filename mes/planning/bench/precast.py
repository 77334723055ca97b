"""Precast line instances in whole minutes: calendar, one line with chamber, moulds, classes and jobs; every start and end comes back."""

from pathlib import Path
from typing import Any

from mes.core.errors import PlanError
from mes.planning.bench.budget import Timer, planned_evaluations, read_instance, real_time
from mes.planning.bounds import objective_bound
from mes.planning.calendar import WorkAxis
from mes.planning.decode import JobTimes, Shop, decode
from mes.planning.sequencing import sequence


def bench_precast(
    path: Path,
    time_limit: float = 1.0,
    seed: int = 1,
    evaluations: int | None = None,
    *,
    timer: Timer = real_time,
) -> dict[str, Any]:
    """`{objective, schedule: [{job, operation, machine, start, end}], lower_bound, solve_s, evaluations, seed}`.

    Raises PlanError(code="instance_unsupported") for several lines, buffers, uninterruptible work, a longest stay or several moulds a job.
    """
    began = timer()
    doc = read_instance(path, "calendar", "lines", "jobs")
    shop = shop_of_instance(doc)
    budget = evaluations
    if budget is None:
        budget = planned_evaluations(lambda count: sequence(shop, count, seed), time_limit, timer)
    table = decode(shop, sequence(shop, budget, seed).order)
    return {
        "objective": table.objective,
        "schedule": [row for run in table.runs for row in _rows(doc, shop, run)],
        "lower_bound": objective_bound(shop),
        "solve_s": round(timer() - began, 3),
        "evaluations": budget,
        "seed": seed,
    }


def shop_of_instance(doc: dict[str, Any]) -> Shop:
    """The shop of an instance with one line; the chamber is a last station without put-away time."""
    _refuse_unsupported(doc)
    line, jobs = doc["lines"][0], doc["jobs"]
    stations, n = line["stations"], len(doc["jobs"])
    axis = WorkAxis([[(a, b) for a, b in day] for day in doc["calendar"]["days"]])
    classes = doc.get("classes") or sorted({job.get("class", "") for job in jobs})
    moulds = doc.get("moulds", [])
    types = [mould["type"] for mould in moulds]
    weights = doc.get("weights", {})
    return Shop(
        axis=axis,
        times=[[*_times(job, line), 0] for job in jobs],
        lead=[[0] * (len(stations) + 1)] * n,
        cure=[job["cure"] for job in jobs],
        after=[[job["demould"]] for job in jobs],
        beside=[[]] * n,
        kind=[0] * n,
        mould=[types.index(next(iter(job["moulds"]))) if job.get("moulds") else -1 for job in jobs],
        concrete=[classes.index(job.get("class", "")) for job in jobs],
        setup=doc.get("setup_minutes") or [[0] * len(classes)] * len(classes),
        release=[axis.W(job.get("release", 0)) for job in jobs],
        due=[axis.W(job["due"]) for job in jobs],
        weight=[job.get("weight", 1) for job in jobs],
        wet_station=_index(stations, "wet_from", _index(stations, "setup", len(stations))),
        mould_station=_index(stations, "takes_moulds", 0),
        wet_same_day=any(s.get("wet_from") for s in stations),
        pallet_free=[[0] * line["pallets"]],
        mould_free=[[0] * mould["count"] for mould in moulds],
        slot_free=[0] * line["chamber_slots"],
        station_free=[0] * (len(stations) + 1),
        lead_free=[0] * (len(stations) + 1),
        after_busy=[[]],
        w_late=weights.get("tardiness", 1),
        w_span=weights.get("makespan", 1),
        w_setup=weights.get("setup", 0),
    )


def _refuse_unsupported(doc: dict[str, Any]) -> None:
    line = doc["lines"][0]
    stations = line["stations"]
    marked = [{s["id"] for s in stations if s.get(mark)} for mark in ("setup", "wet_from")]
    unsupported = {
        "more than one line": len(doc["lines"]) > 1,
        "a longest stay in the chamber": line.get("max_stay") is not None,
        "buffers": any(s.get("buffer_after", 0) for s in stations),
        "uninterruptible stations": any(not s.get("interruptible", True) for s in stations),
        "setup and wet work at different stations": all(marked) and marked[0] != marked[1],
        "jobs with several moulds": any(sum(job.get("moulds", {}).values()) > 1 for job in doc["jobs"]),
    }
    found = [what for what, there in unsupported.items() if there]
    if found:
        raise PlanError(f"This instance has {', '.join(found)}.", code="instance_unsupported")


def _times(job: dict[str, Any], line: dict[str, Any]) -> list[int]:
    times = job.get("times") or [s["minutes"] for s in line["stations"]]
    return list(times[line["id"]] if isinstance(times, dict) else times)


def _index(stations: list[dict[str, Any]], mark: str, otherwise: int) -> int:
    return next((k for k, s in enumerate(stations) if s.get(mark)), otherwise)


def _rows(doc: dict[str, Any], shop: Shop, run: JobTimes) -> list[dict[str, Any]]:
    line, axis, j = doc["lines"][0], shop.axis, run.job
    spans = [
        (station["id"], axis.R(start), axis.E(start + shop.times[j][k]))
        for k, (station, start) in enumerate(zip(line["stations"], run.starts, strict=False))
    ]
    spans.append(("chamber", axis.E(run.entry), axis.R(run.exit)))
    spans.append(("demould", axis.R(run.exit), axis.E(run.returned)))
    return [
        {"job": doc["jobs"][j]["id"], "operation": op, "machine": f"{line['id']}/{op}", "start": a, "end": b}
        for op, a, b in spans
    ]
