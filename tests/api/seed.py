"""A plant in the middle of a shift, seeded into a real store: an order, pallets at many stations, a chamber half full."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from mes.core.event import StreamKind
from mes.core.ports import Tx
from mes.flows.release_plan import PLAN
from mes.lines.job import JOB, LineJob
from mes.lines.machines import MACHINE_TYPES
from mes.lines.machines.curing_chamber import temperature_tag
from mes.lines.plant import Plant, operation_of
from mes.lines.run import PALLET, RUN, Pallet, PalletRun
from mes.orders.component_type import ComponentDraft
from mes.orders.order import KINDS as ORDER_KINDS
from mes.orders.order import Order, OrderLine, order_line_added, order_taken
from mes.plc.tags import Quality, Reading, TagTable
from mes.tracking.code import new_code
from mes.tracking.component import KIND as COMPONENT
from mes.tracking.component import Component
from mes.tracking.scan import KIND as SCAN_EXCEPTION

KINDS: list[StreamKind] = [*ORDER_KINDS, COMPONENT, SCAN_EXCEPTION, JOB, RUN, PALLET, PLAN]
START = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
ORDER = "O1"
NOTCHED = {
    "contour": [[0, 0], [5200, 0], [5200, 2400], [3600, 2400], [3600, 1900], [0, 1900]],
    "openings": [[[900, 500], [2100, 500], [2100, 1300], [900, 1300]]],
}
MADE = ("mould_ready", "component_reinforced", "prepour_passed", "component_cast")
DONE = ("curing_started", "component_demoulded", "component_labelled", "inspection_passed", "component_stored")


def drafts() -> list[ComponentDraft]:
    rows = []
    for floor in (1, 2, 3):
        for n in range(1, 7):
            rows.append(_draft(f"YB-{floor}{n:02d}", "half_slab", floor, 5200, 2400, 60, NOTCHED))
        rows.append(_draft(f"LT-{floor}01", "stair", floor, 3300, 1200, 600, None))
    return rows


def _draft(
    mark: str, family: str, floor: int, length: float, width: float, thick: float, outline: Any
) -> ComponentDraft:
    volume = round(length * width * thick / 1e9, 3)
    return ComponentDraft.model_validate(
        {
            "mark": mark, "name": mark, "family": family, "building": "1号楼", "storey": f"{floor}层", "quantity": 1,
            "length_mm": length, "width_mm": width, "thickness_mm": thick, "volume_m3": volume, "mass_kg": volume * 2450,
            "concrete_class": "C30/37", "outline": outline, "embed_count": 6, "global_ids": [f"gid-{mark}"],
        }
    )  # fmt: skip


def seed_order(tx: Tx) -> list[str]:
    """Takes in one order and releases it; returns the codes by mark order."""
    data = order_taken(
        ORDER, project="桐乡安置房", file_name="building-1.ifc", file_sha256="0" * 64, source="Demo", drafts=drafts()
    )
    tx.append(Order, ORDER, "order_taken", data)
    codes = []
    for number, draft in enumerate(drafts(), start=1):
        tx.append(OrderLine, f"{ORDER}/{draft.mark}", "order_line_added", order_line_added(ORDER, draft))
        code = new_code(1000 + number * 7919)
        fields = {
            "serial_no": number, "mark": draft.mark, "order_id": ORDER, "project": "桐乡安置房",
            "building": draft.building, "storey": draft.storey, "position": f"A-{number}", "family": draft.family,
            "concrete_class": draft.concrete_class, "mass_kg": draft.mass_kg, "volume_m3": draft.volume_m3,
            "length_mm": draft.length_mm, "width_mm": draft.width_mm, "thickness_mm": draft.thickness_mm,
        }  # fmt: skip
        tx.append(Component, code, "component_ordered", fields)
        tx.append(Component, code, "component_released", {})
        codes.append(code)
    tx.append(Order, ORDER, "order_released", {})
    due = {"rows": [{"building": "1号楼", "storey": "1层", "due": date(2026, 12, 3).isoformat(), "sequence": 1}]}
    tx.append(Order, ORDER, "due_set", due)
    return codes


def seed_line(tx: Tx, plant: Plant, codes: Sequence[str]) -> None:
    """Runs at stations and in the chamber; R0003 waits for its hidden-works signature, R0005 stopped, R0007 needs cubes."""
    line = plant.lines[0]
    for number in range(1, 25):
        tx.append(Pallet, f"P{number:02d}", "pallet_made", {"line": line.id, "number": number})
    places = ["mark", "embeds", "prepour", "spreader", "vibration", "finishing"]
    for index, code in enumerate(codes):
        number = index + 1
        run = f"R{number:04d}"
        steps = _steps(plant, number)
        _run(tx, line.id, run, number, code, steps)
        if index < len(places):
            _at_station(tx, line, run, number, code, steps, places[index])
        elif index < 14:
            _in_chamber(tx, run, number, code, f"{1 + index % 8:02d}-{1 + index % 4}", index)
        elif index < 17:
            _finished(tx, run, code)


def _steps(plant: Plant, number: int) -> list[dict[str, Any]]:
    at = START + timedelta(minutes=12 * number)
    steps = []
    for station in plant.lines[0].stations:
        minutes = 360 if station.id == "chamber" else 8
        end = at + timedelta(minutes=minutes)
        steps.append(
            {"operation": operation_of(station), "station": station.id, "start": at.isoformat(), "end": end.isoformat()}
        )
        at = end
    return steps


def _run(tx: Tx, line: str, run: str, number: int, code: str, steps: list[dict[str, Any]]) -> None:
    component = tx.get(Component, code)
    assert component is not None
    data = {
        "line": line, "plan": "plan-1", "number": number, "steps": steps, "family": component.family,
        "pieces": [{"component": code, "mark": component.mark, "x": 200, "y": 300}], "concrete_class": "C30/37",
        "mix": "C30-37-PC", "program": "half_slab", "finish": "rake", "demould": "lift", "mould": None,
    }  # fmt: skip
    tx.append(PalletRun, run, "run_planned", data)
    tx.append(Component, code, "component_planned", {"pallet_run": run})


def _start(tx: Tx, run: str, number: int) -> str:
    pallet = f"P{number:02d}"
    tx.append(Pallet, pallet, "pallet_taken", {"run": run})
    tx.append(PalletRun, run, "run_started", {"pallet": pallet})
    return pallet


def _at_station(tx: Tx, line: Any, run: str, number: int, code: str, steps: list[dict[str, Any]], place: str) -> None:
    pallet = _start(tx, run, number)
    step = next(i for i, s in enumerate(steps) if s["station"] == place)
    for done in steps[:step]:
        tx.append(PalletRun, run, "run_step_done", {"operation": done["operation"]})
    tx.append(PalletRun, run, "run_moved", {"position": place})
    station = next(s for s in line.stations if s.id == place)
    job = str(100 + number)
    tx.append(LineJob, job, "job_ready", {
        "line": line.id, "run": run, "pallet": pallet, "operation": steps[step]["operation"], "station": place,
        "machine": station.machine, "link": station.link, "role": station.role, "step": step,
    })  # fmt: skip
    if station.link:
        tx.append(LineJob, job, "job_started", {})
    if place == "vibration":
        tx.append(LineJob, job, "job_stopped", {"stop": "aborted", "reason": "motor protection tripped"})
        tx.append(PalletRun, run, "run_stopped", {"reason": "motor protection tripped"})
    for event in MADE[: {"prepour": 2, "spreader": 3, "vibration": 4, "finishing": 4}.get(place, 1)]:
        tx.append(Component, code, event, {})


def _in_chamber(tx: Tx, run: str, number: int, code: str, slot: str, index: int) -> None:
    _start(tx, run, number)
    tx.append(PalletRun, run, "run_moved", {"slot": slot})
    tx.append(PalletRun, run, "run_stored_in_chamber", {})
    strength = {"strength_mpa": 4.0 + index, "required_mpa": 15.0, "needs_cube_test": index == 6}
    tx.append(PalletRun, run, "strength_estimated", strength)
    for event in (*MADE, "curing_started"):
        tx.append(Component, code, event, {})


def _finished(tx: Tx, run: str, code: str) -> None:
    for event in (*MADE, *DONE):
        data: dict[str, Any] = {"place": "yard", "slot": "A1"} if event == "component_stored" else {}
        if event == "component_labelled":
            data = {"label_no": 1}
        if event == "component_demoulded":
            data = {"strength": {"strength_mpa": 19.4, "required_mpa": 15.0, "source": "maturity"}}
        tx.append(Component, code, event, data)
    tx.append(PalletRun, run, "run_finished", {})


def seed_tags(tags: TagTable, plant: Plant, now: datetime) -> list[Any]:
    """Readings of gauges and chamber; the link of the levelling station is down. Returns the links."""
    links = []
    for station in plant.lines[0].stations:
        if station.link is None:
            continue
        gauges = MACHINE_TYPES[station.machine].gauges
        names = [f"{station.link}/{gauge.tag}" for gauge in gauges]
        if station.id == "chamber":
            names += [temperature_tag(station.link, slot) for slot in plant.lines[0].chamber.slots]  # type: ignore[union-attr]
        tags.register(station.link, names)
        for index, name in enumerate(names):
            gauge = gauges[index] if index < len(gauges) else None
            value = (gauge.low + gauge.high) / 2 if gauge else 24.0 + (index * 7) % 29
            tags.set(name, Reading(value, Quality.GOOD, "", now, now, tags.mono()))
        down = station.id == "levelling"
        state = "offline" if down else "online"
        links.append(SimpleNamespace(name=station.link, state=state, reason="timeout" if down else "", since=now))
        if down:
            tags.link_down(station.link, "offline")
    return links
