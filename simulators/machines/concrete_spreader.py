"""Twin of the concrete spreader: pours from a hopper that empties and is filled from the batching plant's bucket."""

from collections.abc import Mapping
from typing import Any

from simulators.twin import DENSITY_KG_M3, Twin

SETUP_S = 105.0
POUR_KG_S = 23.0
REFILL_KG_S = 60.0
STARVED_S = 600.0


class ConcreteSpreader(Twin):
    """Without concrete it stands still; after ten minutes in all the crew brings the missing rest by crane bucket."""

    limits = {"mix_no": (1, 99), "volume_l": (1, 30000), "thickness_mm": (20, 1000), "pieces": (1, 200)}

    poured_kg = 0.0
    by_crane_kg = 0.0
    _starved_s = 0.0

    def duration(self) -> float:
        return SETUP_S + self._need_kg() / POUR_KG_S + 6 * self.number("pieces")

    def begin(self) -> None:
        self.poured_kg, self.by_crane_kg, self._starved_s = 0.0, 0.0, 0.0

    def work(self, seconds: float) -> bool:
        if self.worked_s < SETUP_S / 2:
            return True
        share = (self.worked_s - SETUP_S / 2) / max(1.0, self.duration_s - SETUP_S / 2)
        missing = self._take(self._need_kg() * min(1.0, share) - self.poured_kg)
        if missing <= 0.5:
            return True
        self.worked_s = max(SETUP_S / 2, self.worked_s - seconds)
        self._starved_s += seconds
        if self._starved_s >= STARVED_S:
            rest = self._need_kg() - self.poured_kg
            self.by_crane_kg += rest
            self.hall.concrete.bucket_kg += rest
        return False

    def effect(self) -> None:
        self._take(self._need_kg() - self.poured_kg)
        self.result = {"poured_kg": round(self.poured_kg), "hopper_kg": round(self.hall.concrete.hopper_kg)}

    def always(self, seconds: float) -> None:
        self.hall.concrete.refill(REFILL_KG_S * seconds)

    def gauges(self) -> dict[str, float]:
        return {"hopper": float(round(self.hall.concrete.hopper_kg)), "poured": float(round(self.poured_kg))}

    def keep(self) -> dict[str, Any]:
        return {"hopper_kg": round(self.hall.concrete.hopper_kg), "poured_kg": round(self.poured_kg)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        self.hall.concrete.hopper_kg = float(kept.get("hopper_kg", 0))
        self.poured_kg = float(kept.get("poured_kg", 0))

    def _need_kg(self) -> float:
        return self.number("volume_l") / 1000 * DENSITY_KG_M3

    def _take(self, kg: float) -> float:
        """Pours up to `kg`, filling up from the bucket on the way; gives what is missing."""
        concrete = self.hall.concrete
        while kg > 0.01:
            concrete.refill(kg)
            part = min(kg, concrete.hopper_kg)
            if part <= 0.01:
                break
            concrete.hopper_kg -= part
            self.poured_kg += part
            kg -= part
        return kg
