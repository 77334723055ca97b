"""Which elements of an IFC model are precast pieces, what their concrete body is and which parts are embeds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mes.orders.intake.ifc_values import Element, IfcValues, parts_of
from mes.orders.intake.rules import Rules, Source

NOT_MARKED, NOT_CONCRETE, NO_BODY, IN_PLACE = "not_marked_precast", "not_concrete", "no_body", "cast_in_place"
CLASS_NOT_MADE = "not_a_precast_family"


@dataclass(frozen=True)
class IfcPiece:
    """One physical piece: the element that carries its mark, the elements that are its concrete, and its embeds."""

    element: Element
    source: Source
    bodies: tuple[Element, ...]
    embeds: tuple[Element, ...]


@dataclass
class Found:
    pieces: list[IfcPiece] = field(default_factory=list)
    excluded: Counter[tuple[str, str]] = field(default_factory=Counter)


class PieceFinder:
    """Walks the parts tree from the top; a piece is not searched for further pieces."""

    def __init__(self, model: Any, values: IfcValues, rules: Rules, sources: Sequence[Source]) -> None:
        self._model = model
        self._values = values
        self._rules = rules
        self._sources = sources
        self._design = any(source.piece.design for source in sources)

    def find(self) -> Found:
        elements = [
            element
            for element in self._model.by_type("IfcElement")
            if not element.is_a("IfcFeatureElement") and not element.is_a("IfcVirtualElement")
        ]
        below = {part.id() for element in elements for part in parts_of(element)}
        stack = [element for element in reversed(elements) if element.id() not in below]
        found, seen = Found(), set[int]()
        while stack:
            element = stack.pop()
            if element.id() in seen:
                continue
            seen.add(element.id())
            reason = self._judge(element, found)
            parts = [] if reason is None else parts_of(element)
            stack.extend(reversed(parts))
            if reason and not (parts and element.Representation is None):
                found.excluded[reason, element.is_a()] += 1
        return found

    def _judge(self, element: Element, found: Found) -> str | None:
        """Adds the piece and returns None, or returns the reason why the element is none."""
        source = next((source for source in self._sources if self._fits(element, source)), None)
        if source is None:
            made = any(element.is_a(name) for name in self._rules.design_classes)
            return CLASS_NOT_MADE if self._design and not made else NOT_MARKED
        if self._rules.in_place.search(self._values.text([element], self._rules.in_place_paths)):
            return IN_PLACE
        if source.id == "precast_method" and self._values.concrete(element) is False:
            return NOT_CONCRETE
        bodies, embeds = self._divide(element, source)
        if not bodies:
            return NO_BODY
        found.pieces.append(IfcPiece(element, source, tuple(bodies), tuple(embeds)))
        return None

    def _fits(self, element: Element, source: Source) -> bool:
        condition = source.piece
        if condition.design:
            return any(element.is_a(name) for name in self._rules.design_classes) and self._has_own_body(element)
        if not any(element.is_a(name) for name in condition.classes or self._rules.piece_classes):
            return False
        if condition.any_property and not self._has_property(element, source):
            return False
        if condition.part_name and not any(condition.part_name.search(p.Name or "") for p in parts_of(element)):
            return False
        return not condition.part_concrete or any(self._values.concrete(part) for part in parts_of(element))

    def _has_property(self, element: Element, source: Source) -> bool:
        condition = source.piece
        for path in condition.any_property:
            value = self._values.first([element], [path])
            if value is not None and (condition.matches is None or condition.matches.search(str(value))):
                return not self._only_holds_pieces(element, source)
        return False

    def _only_holds_pieces(self, element: Element, source: Source) -> bool:
        """An assembly marked as made in a factory whose parts carry precast properties themselves is a group of pieces;
        one without any concrete part is no concrete at all."""
        if source.id != "precast_method" or element.Representation is not None:
            return False
        own = next((s for s in self._sources if s.id == "precast"), None)
        parts = parts_of(element)
        if own is not None and any(self._fits(part, own) for part in parts):
            return True
        return bool(element.is_a("IfcElementAssembly")) and not any(self._values.concrete(part) for part in parts)

    def _has_own_body(self, element: Element) -> bool:
        if element.Representation is not None:
            return True
        layers = [part for part in parts_of(element) if part.is_a("IfcBuildingElementPart")]
        return any(part.Representation is not None for part in layers)

    def _divide(self, element: Element, source: Source) -> tuple[list[Element], list[Element]]:
        parts = parts_of(element)
        if element.Representation is not None:
            return [element], [p for p in parts if self._is_embed(p) or self._values.concrete(p) is False]
        if source.body_name:
            bodies = [p for p in parts if source.body_name.search(p.Name or "") and p.Representation is not None]
        else:
            parts = self._leaves(parts, set())
            solid = [p for p in parts if p.Representation is not None and not self._is_embed(p)]
            bodies = [p for p in solid if self._values.concrete(p)] or [
                p for p in solid if self._values.concrete(p) is None and not p.is_a("IfcElementAssembly")
            ]
        ids = {body.id() for body in bodies}
        return bodies, [part for part in parts if part.id() not in ids]

    def _leaves(self, parts: Sequence[Element], seen: set[int]) -> list[Element]:
        """The parts, with groups that hold concrete opened; a nested assembly of embeds stays one embed."""
        result = []
        for part in parts:
            if part.id() in seen:
                continue
            seen.add(part.id())
            below = parts_of(part) if part.Representation is None else []
            if below and any(self._values.concrete(p) for p in below):
                result += self._leaves(below, seen)
            else:
                result.append(part)
        return result

    def _is_embed(self, part: Element) -> bool:
        return any(part.is_a(name) for name in self._rules.embed_classes)
