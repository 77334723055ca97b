"""The book of the MES against what the machines wrote down themselves: what was lost, and what was made twice."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mes.lines.job import LineJob
from mes.lines.run import Pallet, PalletRun

Journal = Mapping[str, Mapping[str, int]]
"""For each job number how often a machine started, ended and settled it."""

OPEN = ("ready", "running", "stopped")


def lost_jobs(jobs: Sequence[LineJob], journal: Journal, *, complete: bool) -> list[str]:
    """One sentence for each job that the book and the machines tell differently.

    A job that runs in the book and has ended at its machine is on its way into the book, unless the demo is `complete`.
    """
    book = {job.id: job for job in jobs}
    lost = [f"job {number} was made by a machine and is not in the book" for number in journal if number not in book]
    for job in jobs:
        entry = journal.get(job.id, {})
        made = bool(entry.get("ended") or entry.get("settled"))
        if job.state == "ready" and entry.get("started"):
            lost.append(f"job {job.id} ({job.operation}) was started by its machine and waits in the book")
        if job.link is not None and job.state == "done" and job.settled is None and not made:
            lost.append(f"job {job.id} ({job.operation}) is booked and was never made")
        if complete and job.state in OPEN:
            lost.append(f"job {job.id} ({job.operation}) is left {job.state}")
    return lost


def standing_runs(runs: Sequence[PalletRun], jobs: Sequence[LineJob], pallets: Sequence[Pallet]) -> list[str]:
    """One sentence for each run or pallet that nothing and nobody can move any more."""
    waiting = {job.run for job in jobs if job.state == "stopped" and job.settled is None}
    by_id = {run.id: run for run in runs}
    stands = []
    for run in runs:
        if run.status == "stopped" and run.id not in waiting:
            stands.append(f"run {run.id} is stopped and has no job to settle")
        if run.status == "active" and run.due_step is None:
            stands.append(f"run {run.id} has no step left and is not finished")
    for pallet in pallets:
        carried = by_id.get(pallet.run)
        if pallet.run and (carried is None or carried.status not in ("active", "stopped", "curing")):
            stands.append(f"pallet {pallet.id} carries run {pallet.run}, which is not under way")
    return stands


def made_twice(jobs: Sequence[LineJob], journal: Journal) -> list[str]:
    """One sentence for each job started more than once, and for each step of a run that machines brought to its end twice."""
    twice = [f"job {number} was started {entry['started']} times" for number, entry in journal.items()]
    twice = [text for text, entry in zip(twice, journal.values(), strict=True) if entry.get("started", 0) > 1]
    ended = [job for job in jobs if journal.get(job.id, {}).get("ended")]
    for (run, step), count in Counter((job.run, job.step) for job in ended).items():
        if count > 1:
            twice.append(f"step {step} of run {run} was made {count} times")
    return twice


def carried_twice(runs: Sequence[PalletRun]) -> list[str]:
    """One sentence for each component that stands on more than one run that is not scrapped."""
    pieces: Counter[str] = Counter(p.component for run in runs if run.status != "scrapped" for p in run.pieces)
    return [f"component {code} is on {count} runs" for code, count in pieces.items() if count > 1]


def settled_count(jobs: Sequence[LineJob], stop: str) -> int:
    """Stopped jobs of a kind (refused, aborted, unknown) that a person has decided."""
    return sum(1 for job in jobs if job.stop == stop and job.settled is not None)


def accounts(
    jobs: Sequence[LineJob],
    runs: Sequence[PalletRun],
    pallets: Sequence[Pallet],
    journal: Journal,
    *,
    complete: bool,
) -> dict[str, Any]:
    """`double_starts` and `lost_jobs` as numbers, with the sentences behind them in `faults`."""
    lost = lost_jobs(jobs, journal, complete=complete) + standing_runs(runs, jobs, pallets)
    twice = made_twice(jobs, journal) + carried_twice(runs)
    return {
        "double_starts": len(twice),
        "lost_jobs": len(lost),
        "faults": [*twice, *lost],
        "unknown_settled": settled_count(jobs, "unknown"),
        "refused_settled": settled_count(jobs, "refused"),
        "cube_tests": sum(1 for run in runs if run.cube_mpa is not None),
    }
