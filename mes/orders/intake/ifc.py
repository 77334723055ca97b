"""Reads an IFC model of a designer, a slab factory or a building architect into component drafts."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mes.core.errors import Finding
from mes.orders.component_type import EmbedPosition, Placement
from mes.orders.intake.drafts import Mark, PieceFacts, check_global_ids, count_marks
from mes.orders.intake.ifc_bodies import bodies_of, insertion_point, middle, solid_leaves
from mes.orders.intake.ifc_open import open_ifc
from mes.orders.intake.ifc_pieces import Found, IfcPiece, PieceFinder
from mes.orders.intake.ifc_values import IfcValues
from mes.orders.intake.mesh import Measured, Mesh, measure
from mes.orders.intake.result import Excluded, ImportResult
from mes.orders.intake.rules import Rules, load_rules

Progress = Callable[[int, int, str], None]


def read_ifc(path: Path, profile: str | None, progress: Progress) -> ImportResult:
    """Reads one file. Raises IntakeRejected where it is no readable IFC model or the profile is unknown."""
    rules = load_rules()
    sources = rules.sources_for(profile)
    progress(0, 1, "open")
    content = path.read_bytes()
    model, findings = open_ifc(path, content)
    values = IfcValues(model, rules)
    found = PieceFinder(model, values, rules, sources).find()
    reader = _Reader(model, values, rules, progress)
    facts = reader.facts(found.pieces)
    marks, mark_findings = count_marks(facts)
    components = [mark.draft(embeds) for mark, embeds in reader.embeds(marks, found.pieces)]
    main = Counter(found.pieces[fact.index].source.id for fact in facts).most_common(1)
    findings += [*check_global_ids(facts), *mark_findings, *reader.findings]
    if not components:
        findings.append(_no_part(found, profile))
    return ImportResult(
        file=path.name,
        format="ifc",
        schema_name=str(model.schema),
        source=main[0][0] if main else "",
        application=values.application,
        project=reader.project or values.project,
        sha256=hashlib.sha256(content).hexdigest(),
        components=components,
        excluded=[
            Excluded(reason=reason, source_class=kind, count=count)
            for (reason, kind), count in sorted((found.excluded + reader.excluded).items())
        ],
        findings=findings,
    )


class _Reader:
    """Turns found pieces into facts: bodies are measured, values read; remarks gather in `findings`."""

    def __init__(self, model: Any, values: IfcValues, rules: Rules, progress: Progress) -> None:
        from ifcopenshell.util.unit import calculate_unit_scale

        self.findings: list[Finding] = []
        self.excluded: Counter[tuple[str, str]] = Counter()
        self.project = ""
        self._model = model
        self._values = values
        self._rules = rules
        self._progress = progress
        self._to_mm = float(calculate_unit_scale(model)) * 1000.0
        self._measured: dict[tuple[bytes, ...], Measured] = {}

    def facts(self, pieces: Sequence[IfcPiece]) -> list[PieceFacts]:
        bodies = [body for piece in pieces for body in piece.bodies]
        meshes = bodies_of(self._model, bodies, lambda n: self._progress(n, len(bodies), "bodies"))
        facts = []
        for index, piece in enumerate(pieces):
            solid = [meshes[body.id()] for body in piece.bodies if body.id() in meshes]
            measured = self._measure(solid) if len(solid) == len(piece.bodies) else None
            if measured is None:
                where = piece.element.GlobalId or f"#{piece.element.id()}"
                message = f"The body of {piece.element.is_a()} {piece.element.Name or ''!r} cannot be built."
                self.findings.append(Finding("error", "body_unreadable", message, where=where))
                self.excluded["body_unreadable", piece.element.is_a()] += 1
                continue
            facts.append(self._fact(index, piece, measured))
            self._progress(index + 1, len(pieces), "pieces")
        self._summarise(facts)
        return facts

    def embeds(self, marks: Sequence[Mark], pieces: Sequence[IfcPiece]) -> list[tuple[Mark, list[EmbedPosition]]]:
        """The embed positions of each mark's first piece, in its flat coordinates; reinforcement has none."""
        wanted: dict[int, list[Any]] = {}
        for mark in marks:
            piece = pieces[mark.first.index]
            parts = [e for e in piece.embeds if not any(e.is_a(c) for c in self._rules.reinforcement_classes)]
            wanted[mark.first.index] = parts
        solids = [
            leaf
            for index, parts in wanted.items()
            for part in parts
            if pieces[index].source.embed_position == "body" or part.ObjectPlacement is None
            for leaf in solid_leaves(part)
        ]
        meshes = bodies_of(self._model, solids, lambda n: self._progress(n, len(solids), "embeds"))
        return [
            (mark, [e for part in wanted[mark.first.index] if (e := self._embed(part, mark.first.measured, meshes))])
            for mark in marks
        ]

    def _embed(self, part: Any, body: Measured, meshes: dict[int, Mesh]) -> EmbedPosition | None:
        leaves = solid_leaves(part)
        own = [meshes[leaf.id()] for leaf in leaves if leaf.id() in meshes]
        point = middle(own) if own else insertion_point(part, self._to_mm)
        if point is None:
            return None
        x, y = body.to_flat(point)
        x, y = min(max(x, 0.0), body.length), min(max(y, 0.0), body.width)
        name = part.Name if part.Representation is not None or not leaves else leaves[0].Name or part.Name
        article = part.Tag or part.ObjectType or ""
        return EmbedPosition(name=name or part.is_a(), x=round(x, 1), y=round(y, 1), article=article)

    def _measure(self, meshes: Sequence[Mesh]) -> Measured | None:
        """Equal bodies in equal direction are measured once."""
        if not meshes:
            return None
        origin = meshes[0].origin
        parts = [(m.vertices, m.faces, m.rotation.round(9), (m.origin - origin).round(3)) for m in meshes]
        key = tuple(array.tobytes() for part in parts for array in part)
        if key not in self._measured:
            try:
                self._measured[key] = measure(meshes)
            except (ValueError, IndexError):
                return None
        known = self._measured[key]
        if not 0 < known.volume_m3 <= known.length * known.width * known.thickness / 1e9 * 1.01:
            return None
        return Measured(**{**known.__dict__, "origin": meshes[0].origin})

    def _fact(self, index: int, piece: IfcPiece, measured: Measured) -> PieceFacts:
        values, paths, element = self._values, piece.source.paths, piece.element
        holders = [element, *(body for body in piece.bodies if body.id() != element.id())]
        self.project = self.project or values.text(holders, paths["project"])
        placement = Placement(
            global_id=element.GlobalId or "",
            building=values.building(element),
            storey=values.text(holders, paths["storey"]),
            position=values.text(holders, paths["position"]),
        )
        family = self._family(piece, measured)
        return PieceFacts(
            index=index,
            mark=self._mark(piece, family),
            name=values.text([element], ["@Name", "@ObjectType"]) or element.is_a(),
            family=family,
            placement=placement,
            measured=measured,
            mass_kg=self._mass(values.number(holders, paths["mass_kg"]), measured, placement.global_id),
            concrete_class=self._concrete_class(holders, paths["concrete_class"]),
            embed_count=len(piece.embeds),
            source_class=element.is_a(),
            form_stripping_strength_mpa=values.megapascal(holders, paths["form_stripping_strength"]),
            lifting_strength_mpa=values.megapascal(holders, paths["lifting_strength"]),
            split_quietly=piece.source.unique_by_geometry,
        )

    def _mark(self, piece: IfcPiece, family: str) -> str:
        mark = self._values.text([piece.element], piece.source.paths["mark"])
        if piece.source.mark_cut and (match := piece.source.mark_cut.match(mark)):
            mark = match[1]
        if mark:
            return mark
        if not piece.source.unique_by_geometry:
            message = "The piece has no mark; its family and geometry stand for it."
            self.findings.append(Finding("warning", "mark_missing", message, where=piece.element.GlobalId or ""))
        return family

    def _family(self, piece: IfcPiece, body: Measured) -> str:
        if piece.source.family:
            return piece.source.family
        element = piece.element
        words = " ".join(str(getattr(element, n, None) or "") for n in ("Name", "ObjectType", "PredefinedType"))
        for rule in self._rules.families:
            if rule.classes and not any(element.is_a(name) for name in rule.classes):
                continue
            if rule.name and not rule.name.search(words):
                continue
            if rule.not_name and rule.not_name.search(words):
                continue
            return rule.family
        return _family_by_shape(body)

    def _mass(self, stated: float | None, body: Measured, where: str) -> float:
        low, high = self._rules.density_range
        if stated is None:
            return body.volume_m3 * self._rules.density_kg_m3
        if not low <= stated / body.volume_m3 <= high:
            message = f"The stated mass {stated:.0f} kg does not fit the volume {body.volume_m3:.3f} m³."
            self.findings.append(Finding("warning", "mass_implausible", message, where=where))
        return stated

    def _concrete_class(self, holders: Sequence[Any], paths: Sequence[str]) -> str:
        texts = [self._values.text(holders, paths)]
        texts += [name for holder in holders for name in self._values.materials(holder)]
        for text in texts:
            if match := self._rules.strength_class.search(text):
                return match[0].replace(" ", "")
        return ""

    def _summarise(self, facts: Sequence[PieceFacts]) -> None:
        bare = [fact for fact in facts if not fact.concrete_class]
        if bare:
            message = f"{len(bare)} piece(s) have no concrete class; it must be given before they are planned."
            self.findings.append(Finding("warning", "concrete_class_missing", message, where=bare[0].mark))


def _family_by_shape(body: Measured) -> str:
    """For names and classes that say nothing: flat pieces are walls or slabs by how they stand, long ones beams or columns."""
    x_up, n_up = abs(float(body.axes[0][2])), abs(float(body.axes[2][2]))
    if body.width < 3 * body.thickness:
        return "column" if x_up > 0.7 else "beam"
    return "slab" if n_up > 0.7 else "wall"


def _no_part(found: Found, profile: str | None) -> Finding:
    count = sum(found.excluded.values())
    message = f"None of the file's {count} element(s) is a precast piece."
    if profile is None and count:
        message = (
            f"None of the file's {count} element(s) is marked as precast (precast property sets, FACTORY or PRECAST, "
            "cast units, slab CAD). The import profile 'design' takes walls, slabs, stairs, beams and columns as pieces."
        )
    return Finding("warning", "no_precast_part", message)
