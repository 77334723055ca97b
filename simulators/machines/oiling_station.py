"""Twin of the oiling station: each pallet takes release agent out of the tank; the tank is filled when it runs low."""

from collections.abc import Mapping
from typing import Any

from simulators.twin import Twin

TRAVEL_MM_S = 80.0
TANK_G = 60_000.0
PALLET_WIDTH_M = 3.5
REFILL_SHARE = 0.2


class OilingStation(Twin):
    limits = {"pallet_length_mm": (1000, 20000), "spray_g_per_m2": (5, 100)}

    tank_g = TANK_G * 0.9

    def duration(self) -> float:
        return 35 + self.number("pallet_length_mm") / TRAVEL_MM_S

    def work(self, seconds: float) -> bool:
        self.tank_g = max(0.0, self.tank_g - self._need_g() * seconds / self.duration_s)
        return True

    def effect(self) -> None:
        self.result = {"oil_g": round(self._need_g())}

    def always(self, seconds: float) -> None:
        if not self.running and self.tank_g < TANK_G * REFILL_SHARE:
            self.tank_g = TANK_G

    def gauges(self) -> dict[str, float]:
        return {"tank-level": round(100 * self.tank_g / TANK_G, 1)}

    def keep(self) -> dict[str, Any]:
        return {"tank_g": round(self.tank_g)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        self.tank_g = float(kept.get("tank_g", self.tank_g))

    def _need_g(self) -> float:
        return self.number("pallet_length_mm") / 1000 * PALLET_WIDTH_M * self.number("spray_g_per_m2")
