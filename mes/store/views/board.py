"""The board: what stands at every station, what cures in the chamber, how far the orders are, what is wrong.

The picture is a mapping section → key → cell; texts are keys that the screen translates. Parts that change seldom are
kept until an event of their kinds comes.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from mes.core.event import Event
from mes.core.ports import Store
from mes.lines.job import LineJob
from mes.lines.machines import MACHINE_TYPES
from mes.lines.machines.curing_chamber import temperature_tag
from mes.lines.plant import Plant, Station, operation_of
from mes.lines.run import PalletRun
from mes.plc.tags import Reading, TagTable
from mes.store.views.progress import kpi, progress
from mes.store.views.shapes import pallet_drawing
from mes.store.views.states import Show

Cell = dict[str, Any]
COMPONENT_KINDS = frozenset({"component", "order", "order_line"})
OPEN = ("ready", "running", "stopped")


class BoardView:
    """Draws the board from memory, tag table and links. `links` objects have name, state, reason and since."""

    def __init__(
        self, store: Store, tags: TagTable, links: Iterable[Any], plant: Plant, now: Callable[[], datetime]
    ) -> None:
        self._store, self._tags, self._links, self._plant, self._now = store, tags, links, plant, now
        self._progress: dict[str, Cell] | None = None
        self._drawings: dict[str, Cell] = {}

    def hear(self, events: Sequence[Event]) -> None:
        """Forgets the parts that these events change."""
        if any(event.kind in COMPONENT_KINDS for event in events):
            self._progress = None

    def picture(self) -> dict[str, dict[str, Cell]]:
        runs = [run for line in self._plant.lines for run in self._store.find(PalletRun, line.id)]
        jobs = [
            job
            for line in self._plant.lines
            for job in self._store.find(LineJob, line.id)
            if job.state in OPEN and job.settled is None
        ]
        links = {link.name: link for link in self._links}
        if self._progress is None:
            self._progress = progress(self._store)
        stations = self._stations(runs, jobs, links)
        chamber = self._chamber(runs)
        return {
            "stations": stations,
            "chamber": chamber,
            "pallets": self._pallets(runs),
            "orders": self._progress,
            "alarms": self._alarms(jobs, runs, links),
            "kpi": kpi(self._store, self._plant, runs, self._progress),
        }

    def ages(self) -> dict[str, float | None]:
        """Real seconds since the youngest reading of each station's link came; None where none ever did."""
        result: dict[str, float | None] = {}
        by_link: dict[str, float | None] = {}
        for line in self._plant.lines:
            for station in line.stations:
                if station.link is not None:
                    if station.link not in by_link:
                        ages = [self._tags.age_s(name) for name in self._tags.names(station.link)]
                        youngest = min(ages, default=float("inf"))
                        by_link[station.link] = None if youngest == float("inf") else round(youngest, 1)
                    result[station.id] = by_link[station.link]
        return result

    def _stations(self, runs: list[PalletRun], jobs: list[LineJob], links: dict[str, Any]) -> dict[str, Cell]:
        at = {run.position: run for run in runs if run.position}
        by_id = {run.id: run for run in runs}
        working = {job.run for job in jobs if job.state == "running"}
        by_station = {job.station: job for job in sorted(jobs, key=lambda job: job.ready_at)}
        cells = {}
        for line in self._plant.lines:
            for station in line.stations:
                job = by_station.get(station.id)
                run = at.get(station.id) or (by_id.get(job.run) if job else None)
                if job is None and run is not None and run.id in working:
                    run = None  # its place is kept, but it is worked on elsewhere
                cells[station.id] = self._station(station, run, job, links.get(station.link or ""))
        return cells

    def _station(self, station: Station, run: PalletRun | None, job: LineJob | None, link: Any) -> Cell:
        show = _show(station, run, job, link)
        return {
            "show": show.id,
            "pallet": (run.pallet if run else None) or (job.pallet if job else ""),
            "run": run.id if run else "",
            "marks": sorted({piece.mark for piece in run.pieces}) if run else [],
            "pieces": len(run.pieces) if run else 0,
            "operation": job.operation if job else operation_of(station),
            "job": job.id if job else "",
            "stop": job.stop if job else None,
            "reason": _stop_reason(job),
            "since": _iso(job.started_at or job.ready_at) if job else None,
            "link": None if link is None else {"state": _name(link.state), "reason": link.reason},
            "gauges": self._gauges(station),
        }

    def _gauges(self, station: Station) -> list[Cell]:
        machine = MACHINE_TYPES.get(station.machine)
        if machine is None or station.link is None:
            return []
        return [{"tag": gauge.tag, **_value(self._tags.get(f"{station.link}/{gauge.tag}"))} for gauge in machine.gauges]

    def _chamber(self, runs: list[PalletRun]) -> dict[str, Cell]:
        cells: dict[str, Cell] = {}
        for line in self._plant.lines:
            if line.chamber is not None:
                station = line.station("cure")
                in_slot = {run.slot: run for run in runs if run.line == line.id and run.slot}
                for slot in line.chamber.slots:
                    cells[f"{line.id}/{slot}"] = self._slot(station, slot, in_slot.get(slot))
        return cells

    def _slot(self, station: Station | None, slot: str, run: PalletRun | None) -> Cell:
        link = station.link if station else None
        reading = self._tags.get(temperature_tag(link, slot)) if link else None
        return {
            "show": _slot_show(run).id,
            "run": run.id if run else "",
            "pallet": run.pallet if run else "",
            "marks": sorted({piece.mark for piece in run.pieces}) if run else [],
            "temperature_c": _value(reading) if reading else {"value": None, "good": False, "why": "never_read"},
            "strength_mpa": _round(run.strength_mpa) if run else None,
            "required_mpa": _round(run.required_mpa) if run else None,
            "since": _iso(run.chamber_in) if run else None,
        }

    def _pallets(self, runs: list[PalletRun]) -> dict[str, Cell]:
        out = {run.id: run for run in runs if run.status != "planned"}
        kept = {key: cell for key, cell in self._drawings.items() if key in out}
        for run in out.values():
            if run.id not in kept or kept[run.id]["pallet"] != run.pallet:
                kept[run.id] = pallet_drawing(self._store, self._plant, run)
        self._drawings = kept
        return dict(kept)

    def _alarms(self, jobs: list[LineJob], runs: list[PalletRun], links: dict[str, Any]) -> dict[str, Cell]:
        alarms: dict[str, Cell] = {}
        for job in jobs:
            if job.state == "stopped":
                alarms[f"job/{job.id}"] = {
                    "kind": "job_stopped",
                    "level": "high",
                    "station": job.station,
                    "pallet": job.pallet,
                    "reason": _stop_reason(job),
                    "since": _iso(job.ended_at),
                }
        for link in links.values():
            if _name(link.state) not in ("online", "connecting"):
                alarms[f"link/{link.name}"] = {
                    "kind": "link_down",
                    "level": "high",
                    "station": _station_of(self._plant, link.name),
                    "reason": link.reason,
                    "since": _iso(link.since),
                }
        for run in runs:
            if run.needs_cube_test:
                alarms[f"cube/{run.id}"] = {
                    "kind": "cube_test",
                    "level": "medium",
                    "pallet": run.pallet,
                    "slot": run.slot,
                    "since": _iso(run.chamber_in),
                }
        return alarms | self._late(runs)

    def _late(self, runs: list[PalletRun]) -> dict[str, Cell]:
        """One alarm for all pallets whose due operation should have ended an hour ago: a flood of them helps nobody."""
        late: list[int] = []
        for run in runs:
            step = run.due_step
            if run.status == "active" and step is not None:
                minutes = int((self._now() - step.end).total_seconds() // 60)
                if minutes >= 60:
                    late.append(minutes // 60)
        if not late:
            return {}
        return {
            "late": {
                "kind": "late",
                "level": "low",
                "count": len(late),
                "hours": max(late),
                "station": "",
            }
        }


def _show(station: Station, run: PalletRun | None, job: LineJob | None, link: Any) -> Show:
    if job is not None and job.state == "stopped":
        return Show.STOPPED
    if link is not None and _name(link.state) != "online":
        return Show.NO_LINK
    if job is None:
        return Show.IDLE if run is not None else Show.EMPTY
    if job.state == "running":
        return Show.RUNNING
    return Show.SIGN if station.role == "quality" else Show.READY


def _slot_show(run: PalletRun | None) -> Show:
    if run is None:
        return Show.EMPTY
    if run.needs_cube_test:
        return Show.CUBE
    if run.status == "curing":
        return Show.CURING
    return Show.STOPPED if run.status == "stopped" else Show.CURED


def _stop_reason(job: LineJob | None) -> str:
    if job is None or job.state != "stopped":
        return ""
    return job.reason or str(job.result.get("result") or job.stop or "")


def _value(reading: Reading) -> Cell:
    value = reading.value
    return {
        "value": round(value, 1) if isinstance(value, float) else value,
        "good": reading.good,
        "why": reading.reason,
    }


def _station_of(plant: Plant, link: str) -> str:
    return next((s.id for line in plant.lines for s in line.stations if s.link == link), link)


def _name(state: Any) -> str:
    return str(getattr(state, "value", state))


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
