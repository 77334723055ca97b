"""Twin of the vibrating table: clamps the pallet, runs up to its frequency, shakes, runs down."""

from simulators.twin import Twin

CLAMP_S = 110.0
RAMP_S = 6.0


class VibratingTable(Twin):
    limits = {"program": (1, 9), "frequency_hz": (10, 100), "duration_s": (1, 600)}

    def duration(self) -> float:
        return CLAMP_S + 2 * RAMP_S + self.number("duration_s")

    def effect(self) -> None:
        self.result = {"frequency_hz": self.number("frequency_hz"), "duration_s": self.number("duration_s")}

    def gauges(self) -> dict[str, float]:
        return {"frequency": round(self._frequency_hz(), 1)}

    def _frequency_hz(self) -> float:
        if not self.running:
            return 0.0
        shaken = self.worked_s - CLAMP_S / 2
        left = self.duration_s - CLAMP_S / 2 - self.worked_s
        share = max(0.0, min(1.0, shaken / RAMP_S, left / RAMP_S))
        return share * self.number("frequency_hz") + (self.noise(0.3) if share == 1 else 0.0)
