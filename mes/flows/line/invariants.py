"""What must hold of every plant at every moment, checked over its whole event log by code of its own.

(1) a station holds one pallet, a chamber slot one pallet; (2) an operation is done once, in the order of the routing, and
no station works on two jobs; (3) every component is ordered, then finished, scrapped or under way; (4) concrete is poured
only after the hidden-works point was passed; (5) nothing is demoulded below its required strength; (6) moulds in use
never exceed their stock; (7) what is in the yard has passed its outgoing inspection and carries a label.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from mes.core.event import Event
from mes.lines.plant import Plant

STATION_FREE_OPERATIONS = ("cure",)


class Watch:
    """Feed it every event in order; `broken` lists each violation in one sentence."""

    def __init__(self, plant: Plant) -> None:
        self.broken: list[str] = []
        self._on_pallet = {s.id for line in plant.lines for s in line.stations if s.on_pallet}
        self._stock = {m.type: m.count for line in plant.lines for m in line.moulds}
        self._runs: dict[str, dict[str, Any]] = {}
        self._jobs: dict[str, dict[str, Any]] = {}
        self._components: dict[str, dict[str, Any]] = {}

    def feed(self, events: Iterable[Event]) -> "Watch":
        for event in events:
            handler = {"run": self._run, "job": self._job, "component": self._component}.get(event.kind)
            if handler is not None:
                handler(event)
        return self

    def _fail(self, event: Event, text: str) -> None:
        self.broken.append(f"event {event.seq}: {text}")

    def _run(self, event: Event) -> None:
        run = self._runs.setdefault(event.key, {"position": "", "slot": "", "done": [], "out": False, **event.data})
        match event.type:
            case "run_started":
                run["out"] = True
                self._moulds(event, run)
            case "run_moved":
                run |= event.data
                self._places(event)
            case "run_stored_in_chamber":
                run["position"] = ""
            case "run_step_done":
                self._step(event, run)
            case "run_cured":
                run["done"].append("cure")
                if (event.data.get("strength_mpa") or 0) < event.data.get("required_mpa", 0):
                    self._fail(event, f"run {event.key} left curing below its required strength")
            case "run_finished" | "run_scrapped":
                run["position"] = run["slot"] = ""
                run["out"] = False

    def _step(self, event: Event, run: dict[str, Any]) -> None:
        operation = event.data["operation"]
        planned = [step["operation"] for step in run.get("steps", [])]
        at = len(run["done"])
        if at >= len(planned) or planned[at] != operation:
            self._fail(event, f"run {event.key} did {operation} out of turn")
        run["done"].append(operation)
        if operation == "demould":
            run["out"] = False

    def _places(self, event: Event) -> None:
        for name in ("position", "slot"):
            held = Counter(run[name] for run in self._runs.values() if run[name])
            for place, count in held.items():
                if count > 1:
                    self._fail(event, f"{count} pallets at {place}")

    def _moulds(self, event: Event, run: dict[str, Any]) -> None:
        used = Counter(r["mould"] for r in self._runs.values() if r["out"] and r.get("mould"))
        for mould, count in used.items():
            if count > self._stock.get(mould, 0):
                self._fail(event, f"{count} moulds {mould} in use, {self._stock.get(mould, 0)} exist")

    def _job(self, event: Event) -> None:
        job = self._jobs.setdefault(event.key, {"open": False, "starts": 0, **event.data})
        match event.type:
            case "job_ready":
                if any(j["open"] and j["station"] == job["station"] for j in self._jobs.values()):
                    self._fail(event, f"two open jobs at {job['station']}")
                job["open"] = True
            case "job_started":
                job["starts"] += 1
                if job["starts"] > 1:
                    self._fail(event, f"job {event.key} was started twice")
            case "job_done" | "job_settled":
                job["open"] = False

    def _component(self, event: Event) -> None:
        seen = self._components.setdefault(event.key, {"events": []})
        seen["events"].append(event.type)
        match event.type:
            case "component_cast":
                if "prepour_passed" not in seen["events"]:
                    self._fail(event, f"component {event.key} was cast before its hidden works were signed")
                if seen["events"].count("component_cast") > 1:
                    self._fail(event, f"component {event.key} was cast twice")
            case "component_demoulded":
                strength = event.data.get("strength") or {}
                if (strength.get("strength_mpa") or 0) < strength.get("required_mpa", 0):
                    self._fail(event, f"component {event.key} was demoulded below its required strength")
            case "component_stored":
                if "inspection_passed" not in seen["events"] or "component_labelled" not in seen["events"]:
                    self._fail(event, f"component {event.key} reached the yard without label or inspection")


def broken_invariants(plant: Plant, events: Iterable[Event]) -> list[str]:
    return Watch(plant).feed(events).broken
