"""What a believable crew does next: when somebody starts, finishes, signs, scans, settles. Pure; both crews use it.

Times are plant time. Every decision is a function of the job and the seed, so a repeat after a lost answer is the same.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

SPACE = uuid.UUID("6f1d7f1e-2a51-4c0e-9a0f-8d2f3c1b7a55")
OPERATOR, QUALITY, LEAD = "operator", "quality", "lead"


@dataclass(frozen=True)
class Act:
    """One thing to do: `verb` start, finish, settle, cube_test or scan, on `target` (job, run or code), by `user`."""

    verb: str
    target: str
    user: str
    data: Mapping[str, Any]
    cmd_id: str


@dataclass(frozen=True)
class CrewPolicy:
    """`bay_of(family)` names the bay of the yard."""

    seed: int
    bay_of: Callable[[str], str]

    def acts(
        self, now: datetime, jobs: Sequence[Mapping[str, Any]], runs: Mapping[str, Mapping[str, Any]]
    ) -> list[Act]:
        """`jobs` and `runs` are the documents of LineJob and PalletRun."""
        acts: list[Act] = []
        for job in jobs:
            if job["state"] == "stopped":
                acts += self._settle(now, job)
            elif job["link"] is None:
                acts += self._work(now, job, runs.get(job["run"], {}))
        for run in runs.values():
            if run["needs_cube_test"] and run["status"] == "curing":
                acts += self._cube(now, run)
        return acts

    def _work(self, now: datetime, job: Mapping[str, Any], run: Mapping[str, Any]) -> list[Act]:
        user = QUALITY if job["role"] == "quality" else OPERATOR
        if job["state"] == "ready":
            if now < _time(job["ready_at"]) + timedelta(seconds=self._between(job["id"], "go", 20, 90)):
                return []
            return [self._act("start", job["id"], user, {})]
        planned = (_time(job["planned_end"]) - _time(job["planned_start"])).total_seconds()
        planned = min(max(planned, 60), 1800)
        if now < _time(job["started_at"]) + timedelta(seconds=planned * self._between(job["id"], "do", 0.8, 1.15)):
            return []
        return [*self._scans(now, job, run), self._act("finish", job["id"], user, self._report(job, run))]

    def _report(self, job: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
        match job["operation"]:
            case "inspect_prepour":
                return {"result": "pass", "checklist": {"rebar": True, "embeds": True, "cover": True, "forms": True}}
            case "inspect_outgoing":
                return {"result": "pass", "surface": "ok", "pieces": len(run.get("pieces", []))}
            case "store":
                return {"bay": self.bay_of(str(run.get("family", "")))}
        return {}

    def _scans(self, now: datetime, job: Mapping[str, Any], run: Mapping[str, Any]) -> list[Act]:
        """In the yard every piece is scanned into its bay before the job is finished."""
        if job["operation"] != "store":
            return []
        bay = self.bay_of(str(run.get("family", "")))
        found = []
        for piece in run.get("pieces", []):
            act = self._act("scan", piece["component"], OPERATOR, {})
            data = {
                "event_id": act.cmd_id,
                "code": piece["component"],
                "action": "stored",
                "place": f"yard/{bay}",
                "at": job["started_at"],
                "device": "crew-scanner",
            }
            found.append(Act("scan", act.target, act.user, data, act.cmd_id))
        return found

    def _settle(self, now: datetime, job: Mapping[str, Any]) -> list[Act]:
        """The shift lead walks to the machine: an undecided job has run as far as the machine's own counter shows."""
        since = _time(job["ended_at"] or job["ready_at"])
        if now < since + timedelta(seconds=self._between(job["id"], "settle", 180, 420)):
            return []
        unknown = job["stop"] == "unknown"
        reason = "looked at the machine: work complete" if unknown else "cause removed at the machine"
        data = {"decision": "done" if unknown else "retry", "reason": reason}
        return [self._act("settle", job["id"], LEAD, data)]

    def _cube(self, now: datetime, run: Mapping[str, Any]) -> list[Act]:
        """The laboratory presses cubes after the curing program would have ended (9 h)."""
        since = _time(run["chamber_in"])
        if now < since + timedelta(hours=9, seconds=self._between(run["id"], "cube", 0, 1200)):
            return []
        strength = round((run["required_mpa"] or 15.0) + self._between(run["id"], "mpa", 2, 8), 1)
        return [self._act("cube_test", run["id"], QUALITY, {"strength_mpa": strength})]

    def _act(self, verb: str, target: str, user: str, data: Mapping[str, Any]) -> Act:
        return Act(verb, target, user, data, str(uuid.uuid5(SPACE, f"{self.seed}/{verb}/{target}")))

    def _between(self, key: str, what: str, low: float, high: float) -> float:
        return Random(f"{self.seed}/{what}/{key}").uniform(low, high)


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
