"""Which pieces may share a pallet: same family, concrete class, thickness, floor, curing program, routing and order; moulds stand alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mes.planning.problem import Piece

GroupKey = tuple[str, str, str, str, int, str, tuple[str, ...], str]


@dataclass(frozen=True)
class Group:
    """Pieces that may be nested together, in order of need."""

    key: GroupKey
    pieces: tuple[Piece, ...]

    @property
    def mould(self) -> str | None:
        return self.pieces[0].mould


def group_pieces(pieces: Iterable[Piece]) -> list[Group]:
    """Groups sorted by key; inside a group by due date, erection sequence and id."""
    found: dict[GroupKey, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(_key(piece), []).append(piece)
    return [Group(key, tuple(sorted(found[key], key=urgency))) for key in sorted(found)]


def urgency(piece: Piece) -> tuple[float, int, str]:
    return _seconds(piece.due), piece.sequence, piece.id


def _seconds(due: datetime | None) -> float:
    return float("inf") if due is None else due.timestamp()


def _key(p: Piece) -> GroupKey:
    return p.group, p.floor, p.family, p.concrete_class, p.thickness_mm, p.program, p.operations, p.mould or ""
