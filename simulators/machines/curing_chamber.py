"""Twin of the curing chamber: a stacker that travels, and slots whose concrete follows the program, late and never too fast."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import exp
from typing import Any

from simulators.twin import AMBIENT_C, Parameters, Twin

STORE, RETRIEVE = 1, 2
HANDLING_S = 45.0
COLUMN_S = 5.0
LEVEL_S = 8.0
EMPTY_C = 28.0
MAX_RATE_C_PER_H = 20.0
LAG_H = 0.5
HYDRATION_C = 4.0
HYDRATION_PEAK_H, HYDRATION_WIDTH_H = 7.0, 2.5
SUBSTEP_S = 60.0


@dataclass
class Slot:
    """A pallet in the chamber: its program, how long it has been in, air around it and concrete inside it in °C."""

    pallet_no: int
    rest_min: float
    heat_c_per_h: float
    hold_c: float
    hold_min: float
    cool_c_per_h: float
    exit_c: float
    elapsed_s: float = 0.0
    air_c: float = AMBIENT_C + 2
    concrete_c: float = AMBIENT_C + 2
    sensor_c: float = 0.0

    def target_c(self) -> float:
        """Air temperature the program asks for: rest, heat, hold, cool to the exit temperature, keep it."""
        start, hours = AMBIENT_C + 2, self.elapsed_s / 3600
        heating_h = max(0.0, self.hold_c - start) / self.heat_c_per_h
        after_rest = hours - self.rest_min / 60
        if after_rest <= 0:
            return start
        if after_rest < heating_h:
            return start + self.heat_c_per_h * after_rest
        after_hold = after_rest - heating_h - self.hold_min / 60
        return max(min(self.exit_c, self.hold_c), self.hold_c - max(0.0, after_hold) * self.cool_c_per_h)

    def step(self, seconds: float) -> None:
        while seconds > 1e-9:
            part = min(seconds, SUBSTEP_S)
            self._substep(part)
            seconds -= part

    def _substep(self, seconds: float) -> None:
        hours = seconds / 3600
        self.elapsed_s += seconds
        most = MAX_RATE_C_PER_H * hours
        self.air_c += max(-most, min(most, self.target_c() - self.air_c))
        self.concrete_c = self.air_c + (self.concrete_c - self.air_c) * exp(-hours / LAG_H)
        late = (self.elapsed_s / 3600 - HYDRATION_PEAK_H) / HYDRATION_WIDTH_H
        self.concrete_c += HYDRATION_C / (HYDRATION_WIDTH_H * 2.507) * exp(-late * late / 2) * hours


class CuringChamber(Twin):
    """A pallet on the stacker counts as stored from the start of its job: after a power failure it lies at or in its slot and cures."""

    slots: dict[str, Slot]
    column, level = 0.0, 1.0

    def check(self, parameters: Parameters, payload: Mapping[str, Any] | None) -> str | None:
        action, column, level = (int(parameters.get(name, 0)) for name in ("action", "column", "level"))
        if action not in (STORE, RETRIEVE):
            return f"action {action} is unknown"
        if not (1 <= column <= self.hall.columns and 1 <= level <= self.hall.levels):
            return f"there is no slot {column}-{level}"
        here, pallet = self._slots.get(_name(column, level)), int(parameters.get("pallet_no", 0))
        if action == RETRIEVE:
            return None if here else f"slot {_name(column, level)} is empty"
        if here is not None and here.pallet_no != pallet:
            return f"slot {_name(column, level)} is occupied by pallet {here.pallet_no}"
        return _check_program(parameters)

    def duration(self) -> float:
        home = COLUMN_S * self.number("column") + LEVEL_S * (self.number("level") - 1)
        first = (
            COLUMN_S * self.column + LEVEL_S * (self.level - 1)
            if self._action == STORE
            else COLUMN_S * abs(self.column - self.number("column")) + LEVEL_S * abs(self.level - self.number("level"))
        )
        return 2 * HANDLING_S + home + first

    def begin(self) -> None:
        self._from = (self.column, self.level)
        if self._action == STORE:
            self._put()

    def work(self, seconds: float) -> bool:
        """The stacker goes to where the pallet is, takes it, and goes to where it belongs."""
        slot, gate = (self.number("column"), self.number("level")), (0.0, 1.0)
        pick, drop = (gate, slot) if self._action == STORE else (slot, gate)
        share = self.worked_s / self.duration_s
        start, end, part = (self._from, pick, share * 2.5) if share < 0.4 else (pick, drop, (share - 0.5) * 2.5)
        part = max(0.0, min(1.0, part))
        self.column = start[0] + (end[0] - start[0]) * part
        self.level = start[1] + (end[1] - start[1]) * part
        return True

    def effect(self) -> None:
        if self._action == STORE:
            slot = self._slots.get(self._here) or self._put()
        else:
            slot = self._slots.pop(self._here, None)
        if slot is not None:
            self.result = {"pallet_no": slot.pallet_no, "concrete_c": round(slot.concrete_c, 1)}

    def always(self, seconds: float) -> None:
        for slot in self._slots.values():
            before = int(slot.elapsed_s // 300)
            slot.step(seconds)
            if int(slot.elapsed_s // 300) != before:
                slot.sensor_c = self.noise(0.15)

    def gauges(self) -> dict[str, float]:
        values = {
            "humidity": round(93 + 3 * min(1.0, len(self._slots) / 10), 1),
            "stacker-column": round(self.column, 2),
            "stacker-level": round(self.level, 2),
        }
        for column in range(1, self.hall.columns + 1):
            for level in range(1, self.hall.levels + 1):
                name = _name(column, level)
                slot = self._slots.get(name)
                values[f"temperature-{name}"] = round(slot.concrete_c + slot.sensor_c, 1) if slot else EMPTY_C
                values[f"occupied-{name}"] = float(slot.pallet_no) if slot else 0.0
        return values

    def keep(self) -> dict[str, Any]:
        return {"slots": {name: asdict(slot) for name, slot in self._slots.items()}, "at": [self.column, self.level]}

    def restore(self, kept: Mapping[str, Any]) -> None:
        self.slots = {name: Slot(**slot) for name, slot in kept.get("slots", {}).items()}
        self.column, self.level = kept.get("at", (0.0, 1.0))

    @property
    def _slots(self) -> dict[str, Slot]:
        if "slots" not in self.__dict__:
            self.slots = {}
        return self.slots

    @property
    def _action(self) -> int:
        return int(self.number("action"))

    @property
    def _here(self) -> str:
        return _name(int(self.number("column")), int(self.number("level")))

    def _put(self) -> Slot:
        """A pallet lies in one slot only: one found elsewhere is moved with what it has cured."""
        pallet = int(self.number("pallet_no"))
        old = next((name for name, slot in self._slots.items() if slot.pallet_no == pallet), None)
        slot = self._slots.pop(old) if old is not None else None
        if slot is None:
            names = ("rest_min", "heat_c_per_h", "hold_c", "hold_min", "cool_c_per_h", "exit_c")
            slot = Slot(pallet, **{name: self.number(name) for name in names})
        self._slots[self._here] = slot
        return slot


def _name(column: int, level: int) -> str:
    return f"{column:02d}-{level}"


def _check_program(parameters: Parameters) -> str | None:
    bounds = {
        "pallet_no": (1, 65535),
        "rest_min": (0, 1440),
        "heat_c_per_h": (1, MAX_RATE_C_PER_H),
        "hold_c": (20, 70),
        "hold_min": (1, 2880),
        "cool_c_per_h": (1, MAX_RATE_C_PER_H),
        "exit_c": (10, 70),
    }
    for name, (low, high) in bounds.items():
        value = float(parameters.get(name, -1))
        if not low <= value <= high:
            return f"{name} = {value:g} is not within {low:g}..{high:g}"
    return None
