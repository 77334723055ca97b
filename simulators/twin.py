"""Twin of a machine: what it does in plant time once its PLC has started a job. The machine types stand in `machines/`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

AMBIENT_C = 22.0
DENSITY_KG_M3 = 2400.0
HOPPER_KG = 9600.0

Parameters = Mapping[str, Any]


@dataclass
class Concrete:
    """The way of the concrete: what the batching plant has discharged into the bucket, and what lies in the spreader's hopper."""

    bucket_kg: float = 0.0
    hopper_kg: float = 0.0

    def refill(self, kg: float) -> None:
        """Empties up to `kg` of the bucket into the hopper, as far as there is room."""
        moved = max(0.0, min(kg, self.bucket_kg, HOPPER_KG - self.hopper_kg))
        self.bucket_kg -= moved
        self.hopper_kg += moved


@dataclass
class Hall:
    """What machines of one plant share: concrete and the size of the curing chamber."""

    concrete: Concrete = field(default_factory=Concrete)
    columns: int = 8
    levels: int = 5


class Twin:
    """One machine. A job takes `duration_s` plant seconds (times `slow`) and works steadily in `work`.

    `effect` is what the finished job leaves behind; a job cut by a power failure that a person settles as done has it too.
    """

    limits: Mapping[str, tuple[float, float]] = {}
    """Least and greatest value of each parameter the PLC insists on."""

    def __init__(self, hall: Hall, rng: Random) -> None:
        self.hall = hall
        self.rng = rng
        self.slow = 1.0
        self.job = 0
        self.parameters: dict[str, Any] = {}
        self.payload: dict[str, Any] | None = None
        self.duration_s = 0.0
        self.worked_s = 0.0
        self.done = False
        self.result: dict[str, Any] = {}
        self._last: datetime | None = None

    def check(self, parameters: Parameters, payload: Mapping[str, Any] | None) -> str | None:
        """Why the machine would refuse this job, or None."""
        for name, (low, high) in self.limits.items():
            value = parameters.get(name)
            if not isinstance(value, int | float) or not low <= value <= high:
                return f"{name} = {value!r} is not within {low:g}..{high:g}"
        return None

    def start(self, job: int, parameters: Parameters, payload: Mapping[str, Any] | None = None) -> str | None:
        """Starts a job; gives the reason when the machine refuses it."""
        reason = self.check(parameters, payload)
        if reason is not None:
            return reason
        self.job, self.done, self.worked_s, self.result = job, False, 0.0, {}
        self.parameters, self.payload = dict(parameters), dict(payload) if payload is not None else None
        self.duration_s = self.duration() * self.rng.uniform(0.96, 1.06)
        self.begin()
        return None

    def step(self, now: datetime) -> None:
        """Moves the machine on to `now` (plant time); time never goes back."""
        passed = 0.0 if self._last is None else max(0.0, (now - self._last).total_seconds())
        self._last = now
        self.always(passed)
        if not self.running:
            return
        share = min(passed / self.slow, self.duration_s - self.worked_s)
        self.worked_s += share
        if self.work(share) and self.worked_s >= self.duration_s - 1e-6:
            self.effect()
            self.done = True

    def stop(self) -> None:
        """The actuators are switched off; what was done stays as it is."""
        self.job, self.done = 0, False

    def settle(self, parameters: Parameters) -> None:
        """A person found the interrupted job done: its effect holds."""
        self.parameters = dict(parameters)
        self.effect()
        self.stop()

    @property
    def running(self) -> bool:
        return self.job != 0 and not self.done

    @property
    def progress(self) -> float:
        """Share of the job in percent."""
        if self.job == 0 or self.duration_s <= 0:
            return 0.0
        return 100.0 * min(1.0, self.worked_s / self.duration_s)

    def number(self, name: str) -> float:
        return float(self.parameters.get(name, 0))

    def noise(self, amount: float) -> float:
        return self.rng.uniform(-amount, amount)

    def duration(self) -> float:
        """Plant seconds of the job in `parameters`."""
        raise TypeError(f"{type(self).__name__} does not say how long a job takes")

    def begin(self) -> None:
        """Before the first movement of a job."""

    def work(self, seconds: float) -> bool:
        """Moves the job on; False while the machine cannot end it yet."""
        return True

    def effect(self) -> None:
        """What the finished job leaves behind."""

    def always(self, seconds: float) -> None:
        """What goes on whether or not a job runs."""

    def gauges(self) -> dict[str, float]:
        """Measured values by the tag names of the machine type."""
        return {}

    def keep(self) -> dict[str, Any]:
        """What survives a power failure."""
        return {}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Takes back what `keep` gave."""
