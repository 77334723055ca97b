"""Story: the laboratory's cube strength stands in where the temperature history is not enough."""

from mes.core.errors import NotFound, RuleBroken
from mes.core.ports import Tx
from mes.lines.run import PalletRun


def record_cube_test(tx: Tx, run_id: str, strength_mpa: float) -> PalletRun:
    """Strength of same-condition cubes in MPa (0 < value ≤ 150)."""
    run = tx.get(PalletRun, run_id)
    if run is None:
        raise NotFound(f"There is no pallet run {run_id}.")
    if run.status != "curing":
        raise RuleBroken(f"Run {run_id} is {run.status}, not curing.", code="not_curing")
    if not 0 < strength_mpa <= 150:
        raise RuleBroken(
            f"{strength_mpa} MPa is no cube strength.", code="out_of_range", hint="Enter MPa between 0 and 150."
        )
    tx.append(PalletRun, run_id, "cube_tested", {"strength_mpa": strength_mpa})
    tested = tx.get(PalletRun, run_id)
    assert tested is not None
    return tested
