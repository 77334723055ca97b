"""Twin of the tilting table: does not move without the release; raises walls to their angle, waits for the crane, comes down."""

from collections.abc import Mapping
from typing import Any

from simulators.twin import Parameters, Twin

RAISE_S = 75.0
CRANE_S = 110.0


class TiltingTable(Twin):
    limits = {"angle_deg": (0, 85), "pieces": (1, 200), "mass_kg": (0, 40000)}

    def check(self, parameters: Parameters, payload: Mapping[str, Any] | None) -> str | None:
        if int(parameters.get("release", 0)) != 1:
            return "there is no release: nothing is lifted"
        return super().check(parameters, None)

    def duration(self) -> float:
        return 2 * RAISE_S + 70 + CRANE_S * self.number("pieces")

    def effect(self) -> None:
        self.result = {"pieces": int(self.number("pieces")), "crane_kg": round(self.number("mass_kg"))}

    def gauges(self) -> dict[str, float]:
        if not self.running:
            return {"angle": 0.0}
        up, down = self.worked_s / RAISE_S, (self.duration_s - self.worked_s) / RAISE_S
        return {"angle": round(max(0.0, min(1.0, up, down)) * self.number("angle_deg"), 1)}
