"""Story: an empty pallet begins the lap of a planned run."""

from mes.core.errors import NotFound, RuleBroken
from mes.core.ports import Tx
from mes.lines.run import Pallet, PalletRun


def start_run(tx: Tx, run_id: str, pallet_id: str) -> PalletRun:
    """Raises RuleBroken(code="pallet_occupied") when the pallet carries another run."""
    run, pallet = tx.get(PalletRun, run_id), tx.get(Pallet, pallet_id)
    if run is None or pallet is None:
        raise NotFound(f"There is no run {run_id} or no pallet {pallet_id}.")
    if pallet.run or run.status != "planned":
        raise RuleBroken(
            f"Pallet {pallet_id} carries run {pallet.run or '-'}; run {run_id} is {run.status}.", code="pallet_occupied"
        )
    tx.append(Pallet, pallet_id, "pallet_taken", {"run": run_id})
    tx.append(PalletRun, run_id, "run_started", {"pallet": pallet_id})
    tx.publish("state", "run", run_id, place=f"{run.line}/{pallet_id}")
    started = tx.get(PalletRun, run_id)
    assert started is not None
    return started
