"""What is written about an IFC element: properties, materials, its parts, its storey and building."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from mes.orders.intake.rules import Rules

Element = Any  # ifcopenshell entities have no static types


class IfcValues:
    """Reads properties by path (see profiles.yaml) and remembers what it has read."""

    def __init__(self, model: Any, rules: Rules) -> None:
        import ifcopenshell.util.element as util
        import ifcopenshell.util.unit as unit

        self._util = util
        self._rules = rules
        self._psets: dict[int, dict[str, dict[str, Any]]] = {}
        self._materials: dict[int, tuple[str, ...]] = {}
        projects = model.by_type("IfcProject")
        self.project = _text(projects[0].LongName) or _text(projects[0].Name) if projects else ""
        applications = model.by_type("IfcApplication")
        self.application = _text(applications[0].ApplicationFullName) if applications else ""
        self.pressure_scale = float(unit.calculate_unit_scale(model, "PRESSUREUNIT"))

    def psets(self, element: Element) -> dict[str, dict[str, Any]]:
        """Property and quantity sets, those of the type included."""
        key = element.id()
        if key not in self._psets:
            self._psets[key] = self._util.get_psets(element)
        return self._psets[key]

    def first(self, elements: Iterable[Element], paths: Sequence[str]) -> Any:
        """The first value that one of the paths gives on one of the elements; None where there is none."""
        elements = list(elements)
        for path in paths:
            for element in elements:
                value = self._value(element, path)
                if value not in (None, ""):
                    return value
        return None

    def text(self, elements: Iterable[Element], paths: Sequence[str]) -> str:
        return _text(self.first(elements, paths))

    def number(self, elements: Iterable[Element], paths: Sequence[str]) -> float | None:
        """A positive number, also where it is written as text with a decimal comma; else None."""
        value = self.first(elements, paths)
        if isinstance(value, str):
            try:
                value = float(value.strip().replace(",", "."))
            except ValueError:
                return None
        return float(value) if isinstance(value, int | float) and 0 < value < 1e15 else None

    def megapascal(self, elements: Iterable[Element], paths: Sequence[str]) -> float | None:
        """A pressure in MPa. Files that write 15 for 15 MPa in a project with pascal are common, so small values are MPa."""
        value = self.number(elements, paths)
        if value is None:
            return None
        pascal = value * self.pressure_scale
        return round(pascal / 1e6 if pascal >= 1e4 else value, 3)

    def concrete(self, element: Element) -> bool | None:
        """True or False where the material says so, None where it is unknown."""
        names = self.materials(element)
        if any(self._rules.concrete_material.search(name) for name in names):
            return True
        return False if any(self._rules.other_material.search(name) for name in names) else None

    def materials(self, element: Element) -> tuple[str, ...]:
        key = element.id()
        if key not in self._materials:
            found = self._util.get_materials(element)
            self._materials[key] = tuple(_text(m.Name) for m in found if m is not None and m.Name)
        return self._materials[key]

    def storey(self, element: Element) -> str:
        return self._above(element, "IfcBuildingStorey")

    def building(self, element: Element) -> str:
        return self._above(element, "IfcBuilding")

    def _above(self, element: Element, kind: str) -> str:
        seen: set[int] = set()
        while element is not None and element.id() not in seen:
            seen.add(element.id())
            if element.is_a(kind):
                name = _text(element.Name) or _text(element.LongName)
                return "" if name.lower() in ("undefined", "default") else name
            element = _parent(element)
        return ""

    def _value(self, element: Element, path: str) -> Any:
        if path == "@storey":
            return self.storey(element)
        if path == "@project":
            return self.project
        if path.startswith("@"):
            return getattr(element, path[1:], None)
        pset, name = path.split(".", 1)
        wild = "*" in pset
        for title, values in self.psets(element).items():
            if not (fnmatchcase(title, pset) if wild else title == pset):
                continue
            if name == "*":
                return title
            if values.get(name) not in (None, ""):
                return values[name]
        return None


def parts_of(element: Element) -> list[Element]:
    """Direct parts: aggregated, nested, assigned to it, or accessories connected with it."""
    found: dict[int, Element] = {}
    for name in ("IsDecomposedBy", "IsNestedBy", "ReferencedBy"):
        for relation in getattr(element, name, ()):
            found |= {part.id(): part for part in relation.RelatedObjects if part.is_a("IfcElement")}
    for relation in getattr(element, "ConnectedTo", ()):
        if relation.RelatedElement.is_a("IfcElementComponent"):
            found[relation.RelatedElement.id()] = relation.RelatedElement
    found.pop(element.id(), None)
    return [part for part in found.values() if not part.is_a("IfcFeatureElement")]


def _parent(element: Element) -> Element | None:
    for name, end in (
        ("Decomposes", "RelatingObject"),
        ("Nests", "RelatingObject"),
        ("ContainedInStructure", "RelatingStructure"),
    ):
        relations = getattr(element, name, ())
        if relations:
            return getattr(relations[0], end)
    return None


def _text(value: Any) -> str:
    """One line of printable text, at most 120 characters."""
    if value is None:
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())[:120]
