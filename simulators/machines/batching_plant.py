"""Twin of the batching plant: weighs and mixes batch by batch and discharges into the bucket that serves the spreader."""

from collections.abc import Mapping
from math import ceil, sin
from typing import Any

from simulators.twin import AMBIENT_C, DENSITY_KG_M3, Twin

MIXER_L = 1500.0
CYCLE_S = 55.0
RECEIVE_S = 95.0


class BatchingPlant(Twin):
    limits = {"mix_no": (1, 99), "volume_l": (1, 30000), "slump_mm": (0, 250)}

    age_s = 0.0
    batched_kg = 0.0

    def duration(self) -> float:
        return RECEIVE_S + CYCLE_S * ceil(self.number("volume_l") / MIXER_L)

    def begin(self) -> None:
        """Batches are weighed to the heavy side, so that the hopper does not run dry on the last metre."""
        self.batched_kg = 0.0
        self._target_kg = self._order_kg() * (1 + abs(self.noise(0.008)))

    def work(self, seconds: float) -> bool:
        """Discharge goes on from the end of the first mixing cycle to the end of the job."""
        share = max(0.0, self.worked_s - RECEIVE_S) / max(1.0, self.duration_s - RECEIVE_S)
        self._discharge(self._target_kg * min(1.0, share))
        return True

    def effect(self) -> None:
        self._discharge(getattr(self, "_target_kg", self._order_kg()))
        self.result = {
            "concrete_kg": round(self.batched_kg),
            "temperature_c": round(self._temperature_c(), 1),
            "sand_moisture_percent": round(self._moisture(), 1),
            "batches": ceil(self.number("volume_l") / MIXER_L),
        }

    def always(self, seconds: float) -> None:
        self.age_s += seconds

    def gauges(self) -> dict[str, float]:
        return {
            "concrete-temperature": round(self._temperature_c(), 1),
            "sand-moisture": round(self._moisture(), 1),
            "batched": float(round(self.batched_kg)),
        }

    def keep(self) -> dict[str, Any]:
        concrete = self.hall.concrete
        return {
            "bucket_kg": round(concrete.bucket_kg),
            "batched_kg": round(self.batched_kg),
            "age_s": round(self.age_s),
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        self.hall.concrete.bucket_kg = float(kept.get("bucket_kg", 0))
        self.batched_kg, self.age_s = float(kept.get("batched_kg", 0)), float(kept.get("age_s", 0))

    def _order_kg(self) -> float:
        return self.number("volume_l") / 1000 * DENSITY_KG_M3

    def _discharge(self, until_kg: float) -> None:
        more = max(0.0, until_kg - self.batched_kg)
        self.batched_kg += more
        self.hall.concrete.bucket_kg += more

    def _temperature_c(self) -> float:
        """Fresh concrete follows the day a little."""
        return AMBIENT_C + 1.5 * sin(self.age_s / 13_750)

    def _moisture(self) -> float:
        return 4.2 + 1.1 * sin(self.age_s / 5_000)
