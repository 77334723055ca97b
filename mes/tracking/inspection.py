"""Inspections: the hidden-works check list before pouring, and the outgoing inspection with measured dimensions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mes.core.errors import RuleBroken
from mes.core.event import State
from mes.core.rules import RuleSet
from mes.tracking.component import Component

DEFAULT_STANDARD = "cn-gbt51231-2016"
PART_OF_FAMILY = {
    "wall": "wall",
    "double_wall": "wall",
    "sandwich_wall": "wall",
    "beam": "beam_column",
    "column": "beam_column",
}


class Measured(State):
    """One measured thing: `item` is a tolerance rule without `tol.`; deviations such as flatness have nominal 0. mm."""

    item: str
    nominal_mm: float = 0
    measured_mm: float


class Judged(State):
    """A measurement against its limits (mm); `ok` says whether it is inside."""

    item: str
    nominal_mm: float
    measured_mm: float
    minus_mm: float
    plus_mm: float
    ok: bool


class Inspection(State):
    """The result of an outgoing inspection, as it goes into the event inspection_passed or inspection_failed."""

    passed: bool
    inspector: str
    tolerance_set: str
    measurements: tuple[Judged, ...] = ()
    photos: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()

    @property
    def event_type(self) -> str:
        return "inspection_passed" if self.passed else "inspection_failed"

    def event_data(self) -> dict[str, Any]:
        return {**self.model_dump(mode="json"), "by": self.inspector}


@dataclass(frozen=True)
class CheckItem:
    """One point of the hidden-works list (隐蔽验收)."""

    id: str
    zh: str
    en: str


_BASE = (
    CheckItem("mould_dimensions", "模具尺寸与清理", "Mould: dimensions, clean and oiled"),
    CheckItem("rebar_grade_size", "钢筋牌号、规格、数量、间距", "Reinforcement: grade, size, count, spacing"),
    CheckItem("rebar_laps", "钢筋连接与搭接", "Reinforcement: connections and laps"),
    CheckItem("stirrup_hooks", "箍筋弯钩", "Stirrups and their hooks"),
    CheckItem("cover", "保护层厚度与垫块", "Cover and spacers"),
    CheckItem("embeds", "预埋件规格、数量、位置、固定", "Embeds: kind, count, position, fixing"),
    CheckItem("lifting", "吊点、吊环", "Lifting points and loops"),
)
_EXTRA: dict[str, tuple[CheckItem, ...]] = {
    "wall": (
        CheckItem("openings", "门窗洞口与预留洞", "Openings for doors, windows and services"),
        CheckItem("sleeves", "灌浆套筒与管线线盒", "Grout sleeves, boxes and conduits"),
    ),
    "sandwich_wall": (
        CheckItem("openings", "门窗洞口与预留洞", "Openings for doors, windows and services"),
        CheckItem("insulation", "保温板与拉结件布置", "Insulation and layout of connectors"),
    ),
    "half_slab": (CheckItem("lattice_girders", "桁架钢筋高度与外伸钢筋", "Lattice girders and projecting bars"),),
    "slab": (CheckItem("openings", "预留洞", "Openings"),),
    "balcony": (CheckItem("cantilever_bars", "悬挑受力钢筋位置", "Position of the cantilever's main bars"),),
    "beam": (CheckItem("keys", "键槽与外伸钢筋", "Keys and projecting bars"),),
    "column": (CheckItem("sleeves", "灌浆套筒与连接钢筋", "Grout sleeves and connecting bars"),),
}
_EXTRA["double_wall"] = (*_EXTRA["wall"], *_EXTRA["half_slab"])


def prepour_items(family: str) -> tuple[CheckItem, ...]:
    """The check list of a family before concrete is ordered."""
    return (*_BASE, *_EXTRA.get(family, ()))


def check_prepour(
    family: str,
    answers: Mapping[str, bool],
    photos: Collection[str],
    inspector: str,
    made_by: Collection[str],
    photos_min: int = 3,
) -> list[str]:
    """The ids of failed items; empty means passed. Raises RuleBroken when the list is incomplete, short of photos or not independent."""
    independent(inspector, made_by)
    items = [item.id for item in prepour_items(family)]
    open_items = [item for item in items if item not in answers]
    if open_items:
        raise RuleBroken(
            f"Not answered yet: {', '.join(open_items)}.", code="checklist_open", hint="Answer every item."
        )
    if len(set(photos)) < photos_min:
        raise RuleBroken(
            f"Hidden works need {photos_min} photos, there are {len(set(photos))}.",
            code="photos_missing",
            hint="Take the missing photos.",
        )
    return [item for item in items if not answers[item]]


def inspect_outgoing(
    component: Component,
    inspector: str,
    measurements: Sequence[Measured],
    rules: RuleSet,
    *,
    photos: Sequence[str] = (),
    defects: Sequence[str] = (),
    standard: str = DEFAULT_STANDARD,
) -> Inspection:
    """Judges a finished piece: every measurement in tolerance and no open defect. Raises RuleBroken(code="inspector_is_producer").

    `rules` is the pack `tolerances`; `standard` chooses its set (kept with the result).
    """
    independent(inspector, component.made_by)
    chosen = tolerance_set(component.family, standard)
    judged = tuple(judge_measured(m, rules, chosen, component.length_mm) for m in measurements)
    return Inspection(
        passed=all(m.ok for m in judged) and not defects,
        inspector=inspector,
        tolerance_set=chosen,
        measurements=judged,
        photos=tuple(photos),
        defects=tuple(defects),
    )


def judge_measured(measured: Measured, rules: RuleSet, set: str, length_mm: float) -> Judged:
    """One measurement against its rule; rules that end in _max or _centre have no lower limit below zero."""
    rule = f"tol.{measured.item}"
    one_sided = rule.endswith(("_max", "_centre"))
    limits = rules.limits(rule, set, L=length_mm)
    minus, plus = (0.0 if one_sided else limits.minus), limits.plus
    deviation = measured.measured_mm - measured.nominal_mm
    ok = abs(deviation) <= plus if one_sided else minus <= deviation <= plus
    return Judged(**measured.model_dump(), minus_mm=minus, plus_mm=plus, ok=ok)


def tolerance_set(family: str, standard: str = DEFAULT_STANDARD) -> str:
    """The set of the tolerance pack for a family; families without a table of their own are measured as slabs."""
    return f"{standard}.{PART_OF_FAMILY.get(family, 'slab')}"


def independent(inspector: str, made_by: Collection[str]) -> None:
    """Nobody inspects their own work. Raises RuleBroken(code="inspector_is_producer")."""
    if inspector in made_by:
        raise RuleBroken(
            f"{inspector} made this component and can't inspect it.",
            code="inspector_is_producer",
            hint="Let another inspector do it.",
        )
