"""The rules by which a BIM file's elements are known: config/rules/profiles.yaml as typed values."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from mes.core.errors import IntakeRejected
from mes.core.yamlfile import YamlFile


@dataclass(frozen=True)
class Condition:
    """When an element is a piece; see the head of profiles.yaml."""

    classes: tuple[str, ...] = ()
    any_property: tuple[str, ...] = ()
    matches: re.Pattern[str] | None = None
    part_name: re.Pattern[str] | None = None
    part_concrete: bool = False
    design: bool = False


@dataclass(frozen=True)
class Source:
    """One kind of writer and where it keeps its values (property paths, the first with a value counts)."""

    id: str
    piece: Condition
    only_on_request: bool
    family: str
    body_name: re.Pattern[str] | None
    unique_by_geometry: bool
    mark_cut: re.Pattern[str] | None
    embed_position: str
    paths: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class FamilyRule:
    family: str
    classes: tuple[str, ...]
    name: re.Pattern[str] | None
    not_name: re.Pattern[str] | None


@dataclass(frozen=True)
class Rules:
    sources: tuple[Source, ...]
    families: tuple[FamilyRule, ...]
    piece_classes: tuple[str, ...]
    design_classes: tuple[str, ...]
    embed_classes: tuple[str, ...]
    reinforcement_classes: tuple[str, ...]
    concrete_material: re.Pattern[str]
    other_material: re.Pattern[str]
    strength_class: re.Pattern[str]
    density_kg_m3: float
    density_range: tuple[float, float]
    in_place_paths: tuple[str, ...]
    in_place: re.Pattern[str]

    def sources_for(self, profile: str | None) -> tuple[Source, ...]:
        """None: every source that is not only on request; an on-request profile is added to those; another stands alone."""
        usual = tuple(source for source in self.sources if not source.only_on_request)
        if profile is None:
            return usual
        chosen = next((source for source in self.sources if source.id == profile), None)
        if chosen is None:
            known = ", ".join(source.id for source in self.sources)
            raise IntakeRejected(
                f"There is no import profile {profile!r}.", code="profile_unknown", hint=f"Profiles: {known}."
            )
        return (*usual, chosen) if chosen.only_on_request else (chosen,)


@cache
def load_rules() -> Rules:
    """Raises ConfigError where the packaged file is damaged."""
    with as_file(files("config.rules") / "profiles.yaml") as path:
        data = YamlFile(path).data
    concrete, classes = data["concrete"], data["classes"]
    return Rules(
        sources=tuple(_source(item, data) for item in data["sources"]),
        families=tuple(
            FamilyRule(
                item["family"],
                tuple(item.get("classes", ())),
                _pattern(item.get("name")),
                _pattern(item.get("not_name")),
            )
            for item in data["families"]
        ),
        piece_classes=tuple(classes["pieces"]),
        design_classes=tuple(classes["design"]),
        embed_classes=tuple(classes["embeds"]),
        reinforcement_classes=tuple(classes["reinforcement"]),
        concrete_material=re.compile(concrete["material"]),
        other_material=re.compile(concrete["other"]),
        strength_class=re.compile(concrete["strength_class"]),
        density_kg_m3=float(concrete["density_kg_m3"]),
        density_range=(float(concrete["density_range_kg_m3"][0]), float(concrete["density_range_kg_m3"][1])),
        in_place_paths=tuple(data["cast_in_place"]["paths"]),
        in_place=re.compile(data["cast_in_place"]["matches"]),
    )


_PATHS = (
    "mark",
    "storey",
    "project",
    "concrete_class",
    "mass_kg",
    "position",
    "form_stripping_strength",
    "lifting_strength",
)


def _source(item: dict[str, Any], data: dict[str, Any]) -> Source:
    merged = {**data.get(item.get("like", ""), {}), **item}
    piece = merged["piece"]
    return Source(
        id=merged["id"],
        piece=Condition(
            classes=tuple(piece.get("classes", ())),
            any_property=tuple(piece.get("any_property", ())),
            matches=_pattern(piece.get("matches")),
            part_name=_pattern(piece.get("part_name")),
            part_concrete=bool(piece.get("part_concrete")),
            design=bool(piece.get("design")),
        ),
        only_on_request=bool(merged.get("only_on_request")),
        family=merged.get("family", ""),
        body_name=_pattern(merged.get("body_name")),
        unique_by_geometry=bool(merged.get("unique_by_geometry")),
        mark_cut=_pattern(merged.get("mark_cut")),
        embed_position=merged.get("embed_position", "placement"),
        paths={name: tuple(merged.get(name, ())) for name in _PATHS},
    )


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text) if text else None
