"""Twin of the cleaning station: the brush draws more current the more concrete sticks to the pallet."""

from simulators.twin import Twin

TRAVEL_MM_S = 45.0
IDLE_A = 4.5


class CleaningStation(Twin):
    limits = {"pallet_length_mm": (1000, 20000), "brush_speed_rpm": (20, 400)}

    def begin(self) -> None:
        self._dirt = self.rng.uniform(0.3, 1.0)
        self.result = {"brush_current_max_a": round(IDLE_A + 14 * self._dirt, 1)}

    def duration(self) -> float:
        return 35 + self.number("pallet_length_mm") / TRAVEL_MM_S

    def gauges(self) -> dict[str, float]:
        if not self.running:
            return {"brush-current": IDLE_A}
        load = self._dirt * self.number("brush_speed_rpm") / 180
        return {"brush-current": round(IDLE_A + 12 * load + self.noise(0.8), 1)}
