"""From a time limit to a number of evaluations, and instance files read with one clear sentence when they are faulty."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mes.core.errors import PlanError

Timer = Callable[[], float]
PROBE = 50
real_time: Timer = time.perf_counter


def planned_evaluations(run: Callable[[int], object], time_limit: float, timer: Timer) -> int:
    """How many evaluations fit into the limit (s), by a short speed probe of `run(evaluations)`."""
    began = timer()
    run(PROBE)
    spent = max(timer() - began, 1e-6)
    return max(1, int((time_limit - spent) * 0.9 / spent * PROBE))


def read_instance(path: Path, *fields: str) -> dict[str, Any]:
    """Raises PlanError(code="instance_faulty") when the file is no JSON object with these fields."""
    try:
        doc = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PlanError(f"{path} cannot be read as JSON: {error}.", code="instance_faulty") from error
    missing = [name for name in fields if not isinstance(doc, dict) or name not in doc]
    if missing:
        raise PlanError(
            f"{path} has no {', '.join(missing)}.", code="instance_faulty", hint="See planning file formats."
        )
    instance: dict[str, Any] = doc
    return instance
