"""Pieces become marks: equal pieces are counted, unequal ones under one mark are told apart and reported."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mes.core.errors import Finding
from mes.core.geometry import rectangle
from mes.orders.component_type import FLAT_FAMILIES, ComponentDraft, EmbedPosition, Placement
from mes.orders.intake.mesh import Measured

SAME_EXTENT_MM = 5.0
SAME_VOLUME = 0.01
_GLOBAL_ID = re.compile(r"[0-3][0-9A-Za-z_$]{21}")


@dataclass
class PieceFacts:
    """Everything known about one physical piece before marks are counted. `index` is its place in the reader's list."""

    index: int
    mark: str
    name: str
    family: str
    placement: Placement
    measured: Measured
    mass_kg: float
    concrete_class: str
    embed_count: int
    source_class: str
    form_stripping_strength_mpa: float | None = None
    lifting_strength_mpa: float | None = None
    split_quietly: bool = False


@dataclass
class Mark:
    """Equal pieces under one mark; the first stands for all."""

    mark: str
    pieces: list[PieceFacts] = field(default_factory=list)

    @property
    def first(self) -> PieceFacts:
        return self.pieces[0]

    def draft(self, embeds: list[EmbedPosition]) -> ComponentDraft:
        piece, body = self.first, self.first.measured
        outline = body.silhouette if piece.family in FLAT_FAMILIES else rectangle(body.length, body.width)
        return ComponentDraft(
            mark=self.mark,
            name=piece.name,
            family=piece.family,
            building=piece.placement.building,
            storey=piece.placement.storey,
            quantity=len(self.pieces),
            length_mm=round(body.length, 1),
            width_mm=round(body.width, 1),
            thickness_mm=round(body.thickness, 1),
            volume_m3=round(body.volume_m3, 5),
            mass_kg=round(piece.mass_kg, 1),
            concrete_class=piece.concrete_class,
            outline=outline,
            embeds=embeds,
            embed_count=piece.embed_count,
            global_ids=[p.placement.global_id for p in self.pieces],
            form_stripping_strength_mpa=piece.form_stripping_strength_mpa,
            lifting_strength_mpa=piece.lifting_strength_mpa,
            source_class=piece.source_class,
            placements=[p.placement for p in self.pieces],
        )


def count_marks(pieces: Iterable[PieceFacts]) -> tuple[list[Mark], list[Finding]]:
    """One entry per mark in order of appearance; unequal pieces under one mark become `mark-1`, `mark-2`, …"""
    groups: dict[str, list[Mark]] = {}
    for piece in pieces:
        group = groups.setdefault(piece.mark, [])
        same = next((mark for mark in group if _equal(mark.first, piece)), None)
        if same is None:
            same = Mark(piece.mark)
            group.append(same)
        same.pieces.append(piece)
    taken = set(groups)
    findings: list[Finding] = []
    for name, group in groups.items():
        if len(group) > 1:
            taken.discard(name)
            _tell_apart(name, group, taken)
            if not group[0].first.split_quietly:
                message = f"{len(group)} different pieces carry this mark; they were told apart as {group[0].mark} …"
                findings.append(Finding("warning", "mark_differs", message, where=name))
    return [mark for group in groups.values() for mark in group], findings


def check_global_ids(pieces: Sequence[PieceFacts]) -> list[Finding]:
    """Findings for malformed and repeated GlobalIds: they are kept, but identify nothing."""
    ids = [piece.placement.global_id for piece in pieces]
    bad = [value for value in ids if not _GLOBAL_ID.fullmatch(value)]
    seen: set[str] = set()
    repeated = [value for value in ids if value in seen or seen.add(value)]  # type: ignore[func-returns-value]
    findings = []
    if bad:
        message = f"{len(bad)} of {len(ids)} pieces have a malformed GlobalId; marks are used to tell pieces apart."
        findings.append(Finding("warning", "global_id_malformed", message, where=bad[0]))
    if repeated:
        message = f"{len(repeated)} GlobalId(s) stand on more than one piece; marks are used to tell pieces apart."
        findings.append(Finding("warning", "global_id_repeated", message, where=repeated[0]))
    return findings


def _tell_apart(name: str, group: Sequence[Mark], taken: set[str]) -> None:
    number = 0
    for mark in group:
        number += 1
        while f"{name}-{number}" in taken:
            number += 1
        mark.mark = f"{name}-{number}"
        taken.add(mark.mark)


def _equal(one: PieceFacts, other: PieceFacts) -> bool:
    a, b = one.measured, other.measured
    extents = zip((a.length, a.width, a.thickness), (b.length, b.width, b.thickness), strict=True)
    return (
        one.family == other.family
        and one.concrete_class == other.concrete_class
        and one.embed_count == other.embed_count
        and len(a.silhouette.openings) == len(b.silhouette.openings)
        and all(abs(x - y) <= SAME_EXTENT_MM for x, y in extents)
        and abs(a.volume_m3 - b.volume_m3) <= SAME_VOLUME * max(a.volume_m3, b.volume_m3)
    )
