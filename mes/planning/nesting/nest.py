"""Which pieces lie together on a pallet and where: whole groups laid on as few pallets as possible."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mes.core.errors import NoFeasiblePlan
from mes.core.geometry import Pose
from mes.planning.nesting.grouping import Group, group_pieces, urgency
from mes.planning.nesting.maxrects import Bin, Laid, Rect
from mes.planning.nesting.packing import compact, lower_bound, pack
from mes.planning.problem import LineSpec, PalletSpec, Piece

PalletType = tuple[int, int, float]


@dataclass(frozen=True)
class Nest:
    """The load of one pallet, and the pallet type it needs (length mm, width mm, mass limit kg)."""

    pieces: tuple[Piece, ...]
    poses: tuple[Pose, ...]
    pallet_type: PalletType

    @property
    def mass_kg(self) -> float:
        return sum(piece.mass_kg for piece in self.pieces)

    @property
    def area_mm2(self) -> int:
        return sum(piece.length_mm * piece.width_mm for piece in self.pieces)


@dataclass(frozen=True)
class Nesting:
    nests: tuple[Nest, ...]
    lower_bound: int
    evaluations: int


def pallet_type(pallet: PalletSpec) -> PalletType:
    return pallet.length_mm, pallet.width_mm, pallet.max_mass_kg


def nest(pieces: Sequence[Piece], line: LineSpec, *, evaluations: int = 150, seed: int = 1) -> Nesting:
    """Loads in order of need. `evaluations`: greedy packings per group.

    Raises NoFeasiblePlan: "piece_too_large", "piece_too_heavy", "piece_too_high", "mould_unknown" or "program_unknown", naming all pieces.
    """
    types = _types(line)
    refuse_impossible(pieces, line)
    nests: list[Nest] = []
    bound = 0
    for group in group_pieces(pieces):
        for type_, members in _by_type(group, types, line):
            made, least = _nest_group(members, group.mould, type_, line, evaluations, seed)
            nests += made
            bound += least
    nests.sort(key=lambda n: min(urgency(p) for p in n.pieces))
    return Nesting(tuple(nests), bound, evaluations)


def refuse_impossible(pieces: Sequence[Piece], line: LineSpec) -> None:
    """One sentence for all pieces that this line can never make; the first kind of fault gives the code."""
    types = _types(line)
    faults = [(code, text) for piece in pieces for code, text in [_fault(piece, types, line)] if code]
    if not faults:
        return
    code = faults[0][0]
    texts = [text for _, text in faults]
    more = f" and {len(texts) - 5} more" if len(texts) > 5 else ""
    raise NoFeasiblePlan(
        "; ".join(texts[:5]) + more + ".",
        code=code,
        hint="Take these pieces out of the plan, or change the pallets, moulds, chamber or programs of the line.",
        data={"pieces": [p.id for p in pieces if _fault(p, types, line)[0]], "line": line.id},
    )


def _fault(piece: Piece, types: Sequence[PalletType], line: LineSpec) -> tuple[str, str]:
    name = f"Piece {piece.mark} ({piece.id})"
    size = f"{piece.length_mm} × {piece.width_mm} mm"
    if not any(_fits_flat(piece, t, line) for t in types):
        room = " or ".join(f"{t[0] - 2 * line.edge_mm} × {t[1] - 2 * line.edge_mm} mm" for t in types)
        turn = "" if piece.rotate else ", and it may not be turned"
        return "piece_too_large", f"{name} of {size} fits no pallet of line {line.id} (usable {room}{turn})"
    if not any(_fits_flat(piece, t, line) and piece.mass_kg <= _limit(t, line) for t in types):
        limit = max(_limit(t, line) for t in types)
        return (
            "piece_too_heavy",
            f"{name} of {piece.mass_kg:g} kg is heavier than a pallet may be loaded ({limit:g} kg)",
        )
    if piece.thickness_mm > line.chamber.max_height_mm:
        high = line.chamber.max_height_mm
        return "piece_too_high", f"{name} is {piece.thickness_mm} mm high, a chamber place takes {high} mm"
    if piece.mould is not None and line.moulds.get(piece.mould, 0) < 1:
        return "mould_unknown", f"{name} needs a mould {piece.mould}, line {line.id} has none"
    if piece.program not in line.chamber.cure_h:
        return "program_unknown", f"{name} needs curing program {piece.program}, the chamber has none of that name"
    return "", ""


def _types(line: LineSpec) -> list[PalletType]:
    """Kinds of pallets, the most frequent first."""
    counts = Counter(pallet_type(pallet) for pallet in line.pallets)
    return [t for t, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _limit(type_: PalletType, line: LineSpec) -> float:
    return min(type_[2], line.chamber.max_mass_kg)


def _fits_flat(piece: Piece, type_: PalletType, line: LineSpec) -> bool:
    length, width = type_[0] - 2 * line.edge_mm, type_[1] - 2 * line.edge_mm
    straight = piece.length_mm <= length and piece.width_mm <= width
    return straight or (piece.rotate and piece.width_mm <= length and piece.length_mm <= width)


def _by_type(group: Group, types: Sequence[PalletType], line: LineSpec) -> list[tuple[PalletType, list[Piece]]]:
    """Each piece goes to the most frequent kind of pallet that takes it."""
    split: dict[PalletType, list[Piece]] = {}
    for piece in group.pieces:
        chosen = next(t for t in types if _fits_flat(piece, t, line) and piece.mass_kg <= _limit(t, line))
        split.setdefault(chosen, []).append(piece)
    return [(t, split[t]) for t in types if t in split]


def _nest_group(
    pieces: Sequence[Piece], mould: str | None, type_: PalletType, line: LineSpec, evaluations: int, seed: int
) -> tuple[list[Nest], int]:
    """The gap is added to pieces and pallet, so that packing without gaps keeps it."""
    gap, edge = line.gap_mm, line.edge_mm
    size = Bin(type_[0] - 2 * edge + gap, type_[1] - 2 * edge + gap, _limit(type_, line))
    rects = [Rect(n, p.length_mm + gap, p.width_mm + gap, p.mass_kg, p.rotate) for n, p in enumerate(pieces)]
    if mould is not None:
        loads, bound = [pack([rect], size, 1) for rect in rects], len(rects)
        bins = [load[0] for load in loads]
    else:
        bins, bound = pack(rects, size, evaluations, seed), lower_bound(rects, size)
    return [_nest(compact([one.rect for one in laid], size) or laid, pieces, type_, edge) for laid in bins], bound


def _nest(laid: Sequence[Laid], pieces: Sequence[Piece], type_: PalletType, edge: int) -> Nest:
    ordered = sorted(laid, key=lambda one: one.rect.id)
    poses = tuple(Pose(float(one.x + edge), float(one.y + edge), 90 if one.turned else 0) for one in ordered)
    return Nest(tuple(pieces[one.rect.id] for one in ordered), poses, type_)
