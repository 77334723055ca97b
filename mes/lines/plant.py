"""The plant on paper: areas, lines, stations, pallets, moulds, chamber, mixes, curing programs and yard, as typed configuration."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
Positive = Annotated[float, Field(gt=0)]


class Part(BaseModel):
    """Base of all configuration: unknown fields are faults, values never change at run time."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Part):
    """A name in both languages of the product."""

    zh: str
    en: str


class TimeModel(Part):
    """Standard time of an operation on one pallet, in seconds: base + per piece, m of formwork, m², m³ and embed."""

    base_s: float = 0
    per_piece_s: float = 0
    per_m_s: float = 0
    per_m2_s: float = 0
    per_m3_s: float = 0
    per_embed_s: float = 0


class Station(Part):
    """One place of the line where one operation is done, by a machine behind a link or by a person (`machine: manual`)."""

    id: Id
    machine: Id
    link: str | None = None
    operation: str | None = None
    name: Text | None = None
    role: Literal["operator", "quality"] = "operator"
    on_pallet: bool = True
    time: TimeModel = TimeModel(base_s=300)


class PalletFleet(Part):
    """Equal pallets (模台) of a line."""

    prefix: str = "P"
    count: int = Field(gt=0, le=999)
    length_mm: Positive
    width_mm: Positive
    max_mass_kg: Positive
    edge_mm: float = Field(default=50, ge=0)
    gap_mm: float = Field(default=100, ge=0)


class MouldStock(Part):
    """Moulds of one type that stand on a pallet while a piece is made in them."""

    type: Id
    name: Text
    count: int = Field(gt=0)


class Chamber(Part):
    """Curing chamber with a stacker: columns × levels slots, each with a height and a mass limit."""

    columns: int = Field(gt=0)
    levels: int = Field(gt=0)
    max_height_mm: Positive
    max_mass_kg: Positive
    zones: int = Field(default=1, gt=0)

    @property
    def slots(self) -> list[str]:
        return [f"{column:02d}-{level}" for column in range(1, self.columns + 1) for level in range(1, self.levels + 1)]

    def zone(self, slot: str) -> int:
        """The temperature zone (from 1) of a slot: columns are shared out over the zones in order."""
        return (int(slot.split("-")[0]) - 1) * self.zones // self.columns + 1


class StrengthCurve(Part):
    """Strength over maturity of one mix, as calibrated in the plant's laboratory: S = Su·k(M−M0)/(1+k(M−M0)).

    `model` names the maturity: Nurse-Saul in °C·h above `datum_c`, or equivalent age in h at `reference_c` with Q = E/R in K (ASTM C1074).
    """

    model: Literal["nurse_saul", "equivalent_age"] = "nurse_saul"
    datum_c: float = 0
    q_k: float = 5000
    reference_c: float = 20
    su_mpa: Positive
    k: Positive
    m0: float = 0
    calibrated: str = ""
    status: Literal["verify", "seen", "own"] = "verify"


class Mix(Part):
    """One concrete (配合比): class it fulfils, density and kilograms of each ingredient for one m³."""

    id: Id
    name: Text
    concrete_class: str
    density_kg_m3: Positive = 2400
    slump_mm: float = 120
    recipe_kg_m3: dict[str, float]
    strength: StrengthCurve


class CuringProgram(Part):
    """One curing regime (养护制度): rest, heat at a rate, hold at a temperature, cool at a rate."""

    id: Id
    name: Text
    rest_h: float = Field(ge=0)
    heat_c_per_h: Positive
    hold_c: Positive
    hold_h: Positive
    cool_c_per_h: Positive
    exit_c: float = 30


class Line(Part):
    """One pallet-circulation line: its stations stand in the order of the flow."""

    id: Id
    name: Text | None = None
    stations: list[Station] = Field(min_length=1)
    pallets: PalletFleet | None = None
    moulds: list[MouldStock] = []
    chamber: Chamber | None = None
    class_change_s: float = 600

    def station(self, operation: str) -> Station | None:
        return next((s for s in self.stations if operation_of(s) == operation), None)


class Area(Part):
    id: Id
    name: Text | None = None
    lines: list[Line] = []


class Bay(Part):
    """One place of the yard: which mass it carries and how many flat pieces may lie on one another."""

    id: Id
    name: Text
    capacity: int = Field(default=20, gt=0)
    max_stack: int = Field(default=6, gt=0)
    families: list[str] = []


class PlantInfo(Part):
    id: Id
    name: Text
    enterprise: Id = "enterprise"
    timezone: str = "Asia/Shanghai"
    maker: Text | None = None


class Plant(Part):
    """`plant.yaml`. Only `plant` and `areas` are needed; the rest a production line needs to plan and to run."""

    plant: PlantInfo
    areas: list[Area] = Field(min_length=1)
    mixes: list[Mix] = []
    curing_programs: list[CuringProgram] = []
    yard: list[Bay] = []

    @property
    def lines(self) -> list[Line]:
        return [line for area in self.areas for line in area.lines]

    def line(self, line_id: str) -> Line:
        return next(line for line in self.lines if line.id == line_id)

    def area_of(self, line_id: str) -> Area:
        return next(area for area in self.areas if any(line.id == line_id for line in area.lines))


class Segment(Part):
    """Working time of a day, local, `from` ≤ t < `to` as HH:MM; `to` before `from` ends on the next day."""

    start: str = Field(alias="from", pattern=r"^\d\d:\d\d$")
    end: str = Field(alias="to", pattern=r"^\d\d:\d\d$")


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Shifts(Part):
    """`shifts.yaml`: weekly pattern and dated exceptions (an empty list is a day off)."""

    week: dict[Weekday, list[Segment]]
    exceptions: dict[str, list[Segment]] = {}


class UserEntry(Part):
    name: Id
    display: Text
    roles: list[str]
    language: Literal["zh", "en"] = "zh"


class Users(Part):
    """`users.yaml`: the people of a demo plant; their passwords are made at the first start."""

    users: list[UserEntry] = []


OPERATION_OF_MACHINE = {
    "cleaning_station": "clean",
    "oiling_station": "oil",
    "marking_plotter": "mark_out",
    "mould_robot": "place_moulds",
    "batching_plant": "batch",
    "concrete_spreader": "pour",
    "vibrating_table": "vibrate",
    "levelling_station": "level",
    "precuring_tunnel": "precure",
    "curing_chamber": "cure",
    "tilting_table": "demould",
}


def operation_of(station: Station) -> str:
    """The operation done at a station: named in the file, or what its machine type is made for."""
    return station.operation or OPERATION_OF_MACHINE.get(station.machine, station.id)
