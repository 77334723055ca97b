"""What the planner is asked and what it answers: pieces, one pallet line with its calendar, and the plan with every start and end.

Plain values only. Lengths are whole mm, standard times seconds, planned times whole minutes; datetimes are UTC-aware.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from mes.core.geometry import Outline, Pose

ENGINE = "planning-1"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Piece:
    """One component to make. `length_mm` × `width_mm` is its bounding box as it lies on the pallet; `formwork_m` the side forms it needs.

    `rotate`: may be turned by 90°. `mould`: type of the mould it is made in (one mould on a pallet), None for side forms.
    `operations`: its routing in order; empty means every station of the line. `due`: needed in the yard; `sequence`: place in the erection
    order; `group`: project or building, never mixed on a pallet; `program`: curing program, a key of `ChamberSpec.cure_h`.
    """

    id: str
    mark: str
    family: str
    concrete_class: str
    thickness_mm: int
    length_mm: int
    width_mm: int
    outline: Outline | None = None
    mass_kg: float = 0.0
    volume_m3: float = 0.0
    formwork_m: float = 0.0
    embeds: int = 0
    floor: str = ""
    sequence: int = 0
    due: datetime | None = None
    rotate: bool = True
    mould: str | None = None
    group: str = ""
    operations: tuple[str, ...] = ()
    program: str = "standard"


@dataclass(frozen=True)
class TimeModel:
    """Standard time of an operation on one pallet in seconds: base + per piece, m of formwork, m² of piece area, m³ of concrete and embed."""

    base_s: float = 0.0
    per_piece_s: float = 0.0
    per_m_s: float = 0.0
    per_m2_s: float = 0.0
    per_m3_s: float = 0.0
    per_embed_s: float = 0.0


@dataclass(frozen=True)
class StationSpec:
    """One place of the line, in the order of the flow; `on_pallet` False: done beside the line (batching, labelling, inspection, yard)."""

    id: str
    operation: str
    times: TimeModel = TimeModel()
    on_pallet: bool = True


@dataclass(frozen=True)
class PalletSpec:
    id: str
    length_mm: int
    width_mm: int
    max_mass_kg: float


@dataclass(frozen=True)
class ChamberSpec:
    """Curing chamber: places, limits of a place, and hours from entry to cured for each curing program."""

    slots: int
    max_height_mm: int
    max_mass_kg: float
    cure_h: Mapping[str, float] = field(default_factory=lambda: {"standard": 8.0})


@dataclass(frozen=True)
class LineSpec:
    """One pallet-circulation line. Exactly one station has operation `cure` (the chamber); stations before it are the blocking line.

    `moulds`: stock per type. `class_change_s`: cleaning between two concrete classes at `wet_from`. `mould_operation`: where a mould is set up.
    `wet_same_day`: a pallet poured on a working day enters the chamber on that day.
    """

    id: str
    stations: tuple[StationSpec, ...]
    pallets: tuple[PalletSpec, ...]
    chamber: ChamberSpec
    edge_mm: int = 50
    gap_mm: int = 100
    moulds: Mapping[str, int] = field(default_factory=dict)
    class_change_s: float = 600.0
    wet_from: str = "pour"
    wet_same_day: bool = True
    mould_operation: str = "place_moulds"


Segment = tuple[int, int]


@dataclass(frozen=True)
class Calendar:
    """Working time: for each weekday (Monday first) and dated exception (ISO date) the segments [from, to) in local minutes of that day.

    `to` above 1440 ends on the next day; an exception without segments is a day off.
    """

    timezone: str
    week: tuple[tuple[Segment, ...], ...]
    exceptions: Mapping[str, tuple[Segment, ...]] = field(default_factory=dict)

    @classmethod
    def from_shifts(
        cls,
        timezone: str,
        week: Mapping[str, Iterable[tuple[str, str]]],
        exceptions: Mapping[str, Iterable[tuple[str, str]]] | None = None,
    ) -> "Calendar":
        """From pairs of "HH:MM" as in `shifts.yaml`; an end at or before its start is on the next day."""
        days = tuple(_segments(week.get(day, ())) for day in WEEKDAYS)
        return cls(timezone, days, {day: _segments(pairs) for day, pairs in (exceptions or {}).items()})

    @classmethod
    def always(cls, timezone: str = "UTC") -> "Calendar":
        """Work around the clock."""
        return cls(timezone, (((0, 1440),),) * 7)


@dataclass(frozen=True)
class PlannedOp:
    """One operation of a pallet; `cure` runs from the start of the put-away to the moment the pallet leaves the chamber."""

    operation: str
    station: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class PlannedPallet:
    """One run of a pallet: what lies where on it and when it is where. `id` is a key of the run that depends on its pieces only.

    `end` is the end of the last operation; `returned` when the pallet is empty again. `pieces` holds (piece id, pose).
    """

    id: str
    pallet: str
    line: str
    pieces: tuple[tuple[str, Pose], ...]
    ops: tuple[PlannedOp, ...]
    start: datetime
    end: datetime
    returned: datetime
    concrete_class: str
    mould: str | None
    program: str
    family: str
    thickness_mm: int
    mass_kg: float
    volume_m3: float
    length_mm: int
    width_mm: int
    fill: float

    def op(self, operation: str) -> PlannedOp | None:
        return next((op for op in self.ops if op.operation == operation), None)


@dataclass(frozen=True)
class Problem:
    """What is to be planned. `locked`: runs already released or under way; they keep their times, new pallets queue behind them.

    `evaluations` is the search budget (pallet orders tried): the same problem gives the same plan, however fast the machine is.
    """

    pieces: tuple[Piece, ...]
    line: LineSpec
    calendar: Calendar
    start: datetime
    locked: tuple[PlannedPallet, ...] = ()
    seed: int = 1
    evaluations: int = 2000


@dataclass(frozen=True)
class Because:
    """One cause of lateness: reason slug, minutes of working time, and the run or resource that was waited for."""

    reason: str
    minutes: int
    other: str = ""


@dataclass(frozen=True)
class LatePiece:
    piece: str
    due: datetime
    finish: datetime
    because: tuple[Because, ...]


@dataclass(frozen=True)
class PlanFinding:
    """A remark of the planner: stable slug and one sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Plan:
    """The answer. `objective` and `lower_bound` are work minutes (weighted tardiness + makespan); `gap` = objective / bound − 1.

    `status`: "feasible", "optimal" only when objective equals the bound, "empty" without pieces. `id` is the hash of all but `solve_s`.
    """

    id: str
    status: str
    line: str
    start: datetime
    pallets: tuple[PlannedPallet, ...]
    objective: int
    lower_bound: int
    gap: float
    pallet_bound: int
    late: tuple[LatePiece, ...]
    findings: tuple[PlanFinding, ...]
    evaluations: int
    seed: int
    engine: str = ENGINE
    solve_s: float = field(default=0.0, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON values, with times as ISO 8601 in UTC; `solve_s` is the only part that differs between two runs."""
        doc = _jsonable(asdict(self))
        assert isinstance(doc, dict)
        return doc

    def to_json(self) -> str:
        """Canonical JSON without `solve_s`: byte-equal for the same problem."""
        doc = self.to_dict()
        del doc["solve_s"]
        return _canonical(doc)

    def signed(self) -> "Plan":
        """The same plan with its id."""
        doc = self.to_dict()
        del doc["solve_s"], doc["id"]
        return replace(self, id="plan-" + hashlib.sha256(_canonical(doc).encode()).hexdigest()[:16])


def planned_pallet_from_dict(doc: Mapping[str, Any]) -> PlannedPallet:
    """Reads one entry of `pallets` of a stored plan document back, so that a new plan can lock it."""
    values = dict(doc)
    values["pieces"] = tuple((piece, Pose(**pose)) for piece, pose in doc["pieces"])
    values["ops"] = tuple(
        PlannedOp(op["operation"], op["station"], _time(op["start"]), _time(op["end"])) for op in doc["ops"]
    )
    for name in ("start", "end", "returned"):
        values[name] = _time(doc[name])
    return PlannedPallet(**values)


def _segments(pairs: Iterable[tuple[str, str]]) -> tuple[Segment, ...]:
    out = []
    for start, end in pairs:
        a, b = _minute(start), _minute(end)
        out.append((a, b if b > a else b + 1440))
    return tuple(sorted(out))


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): _jsonable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(part) for part in value]
    return value


def _canonical(doc: Any) -> str:
    return json.dumps(doc, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
