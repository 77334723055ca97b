"""Twin of the levelling station: lowers its beam to the concrete and draws it over the pallet once or more."""

from simulators.twin import Twin

PARKED_MM = 650.0
LOWER_S = 40.0
PASS_S = 120.0


class LevellingStation(Twin):
    limits = {"thickness_mm": (20, 1000), "passes": (1, 5)}

    def duration(self) -> float:
        return 2 * LOWER_S + 60 + PASS_S * self.number("passes")

    def effect(self) -> None:
        self.result = {"passes": int(self.number("passes"))}

    def gauges(self) -> dict[str, float]:
        if not self.running:
            return {"beam-height": PARKED_MM}
        lowered = max(0.0, min(1.0, self.worked_s / LOWER_S, (self.duration_s - self.worked_s) / LOWER_S))
        return {"beam-height": float(round(PARKED_MM - lowered * (PARKED_MM - self.number("thickness_mm"))))}
