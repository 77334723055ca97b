"""Twin of the pre-curing tunnel: warm air that follows its set point slowly."""

from collections.abc import Mapping
from math import exp
from typing import Any

from simulators.twin import AMBIENT_C, Twin

TIME_CONSTANT_S = 900.0
STANDBY_C = 30.0


class PrecuringTunnel(Twin):
    limits = {"temperature_c": (10, 60), "minutes": (1, 600)}

    air_c = STANDBY_C

    def duration(self) -> float:
        return 20 + 60 * self.number("minutes")

    def effect(self) -> None:
        self.result = {"temperature_c": round(self.air_c, 1), "minutes": self.number("minutes")}

    def always(self, seconds: float) -> None:
        target = self.number("temperature_c") if self.running else STANDBY_C
        self.air_c = target + (self.air_c - target) * exp(-seconds / TIME_CONSTANT_S)

    def gauges(self) -> dict[str, float]:
        wobble = self.noise(0.1) if self.running else 0.0
        return {"temperature": round(max(AMBIENT_C, self.air_c) + wobble, 1)}

    def keep(self) -> dict[str, Any]:
        return {"air_c": round(self.air_c, 1)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        self.air_c = float(kept.get("air_c", STANDBY_C))
