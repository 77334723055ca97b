"""Twin of the mould robot: fetches each side form from the store, sets it and switches its magnets on."""

from collections.abc import Mapping
from typing import Any

from simulators.twin import Parameters, Twin

SET_FORM_S = 14.0
MAGNET_S = 2.0
STORE_FORMS = 320.0


class MouldRobot(Twin):
    store = STORE_FORMS

    def check(self, parameters: Parameters, payload: Mapping[str, Any] | None) -> str | None:
        if payload is None:
            return "no side forms came"
        for name in ("side_forms", "magnets"):
            if len(payload.get(name, [])) != int(parameters.get(name, 0)):
                return f"{len(payload.get(name, []))} {name} came, {name} says {parameters.get(name)}"
        return None

    def duration(self) -> float:
        return 110 + SET_FORM_S * self.number("side_forms") + MAGNET_S * self.number("magnets")

    def begin(self) -> None:
        if self.store < self.number("side_forms"):
            self.store = STORE_FORMS

    def work(self, seconds: float) -> bool:
        self.store = max(0.0, self.store - self.number("side_forms") * seconds / self.duration_s)
        return True

    def effect(self) -> None:
        self.result = {"side_forms": int(self.number("side_forms")), "magnets": int(self.number("magnets"))}

    def always(self, seconds: float) -> None:
        """The cleaned forms of stripped pallets come back over the return conveyor."""
        self.store = min(STORE_FORMS, self.store + seconds * 0.03)

    def gauges(self) -> dict[str, float]:
        return {"forms-in-store": float(round(self.store))}

    def keep(self) -> dict[str, Any]:
        return {"store": round(self.store)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        self.store = float(kept.get("store", self.store))
