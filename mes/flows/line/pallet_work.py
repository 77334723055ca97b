"""From a pallet run to the work its machines see: outlines and embeds in pallet coordinates, mix, program, slot."""

from mes.core.errors import NotFound, RuleBroken
from mes.core.geometry import Outline, Point, Pose, rectangle
from mes.core.ports import Store, Tx
from mes.lines.plant import CuringProgram, Line, Mix, Plant
from mes.lines.run import Pallet, PalletRun, RunPiece
from mes.lines.work import PlacedPiece, Work
from mes.orders.component_type import ComponentDraft
from mes.orders.order import OrderLine, line_key
from mes.tracking.component import Component


def pallet_work(memory: Store | Tx, plant: Plant, line: Line, run: PalletRun) -> Work:
    """Raises RuleBroken(code="mix_unknown" or "program_unknown") when the plant has lost what the run was planned with."""
    if line.pallets is None:
        raise RuleBroken(f"Line {line.id} has no pallets in plant.yaml.", code="no_pallets")
    pallet = memory.get(Pallet, run.pallet)
    mix_no, mix = mix_by_id(plant, run.mix)
    return Work(
        run=run.id,
        pallet=run.pallet,
        pallet_no=pallet.number if pallet else 0,
        fleet=line.pallets,
        pieces=tuple(_placed(memory, piece) for piece in run.pieces),
        mix=mix,
        mix_no=mix_no,
        program=program_by_id(plant, run.program),
        finish=run.finish,
        demould=run.demould,
        mould=run.mould,
        slot=run.slot or None,
    )


def mix_by_id(plant: Plant, mix_id: str) -> tuple[int, Mix]:
    """The mix and its number, from 1, under which the PLCs know it."""
    for number, mix in enumerate(plant.mixes, 1):
        if mix.id == mix_id:
            return number, mix
    raise RuleBroken(
        f"The plant has no mix {mix_id!r}; it has {', '.join(m.id for m in plant.mixes) or 'none'}.",
        code="mix_unknown",
        hint="Add the mix to plant.yaml or plan the pieces anew.",
    )


def program_by_id(plant: Plant, program_id: str) -> CuringProgram:
    for program in plant.curing_programs:
        if program.id == program_id:
            return program
    raise RuleBroken(
        f"The plant has no curing program {program_id!r}.", code="program_unknown", hint="Add it to plant.yaml."
    )


def draft_of(memory: Store | Tx, component: Component) -> ComponentDraft:
    line = memory.get(OrderLine, line_key(component.order_id, component.mark))
    if line is None:
        raise NotFound(f"The order of component {component.code} has no mark {component.mark}.")
    return line.draft


def outline_of(draft: ComponentDraft) -> Outline:
    return draft.outline or rectangle(draft.length_mm, draft.width_mm)


def _placed(memory: Store | Tx, piece: RunPiece) -> PlacedPiece:
    component = memory.get(Component, piece.component)
    if component is None:
        raise NotFound(f"There is no component {piece.component}.")
    draft = draft_of(memory, component)
    outline = outline_of(draft)
    pose = Pose(piece.x, piece.y, piece.angle_deg)
    embeds: list[Point] = [(e.x, e.y) for e in draft.embeds]
    return PlacedPiece(
        component=component.code,
        mark=component.mark,
        family=component.family,
        outline=outline.placed(pose),
        embeds=_moved(outline, pose, embeds),
        thickness_mm=draft.thickness_mm,
        volume_m3=draft.volume_m3,
        mass_kg=draft.mass_kg,
    )


def _moved(outline: Outline, pose: Pose, points: list[Point]) -> tuple[Point, ...]:
    """Points travel with their outline: placed as a ring of an outline whose contour fixes the bounding box."""
    if not points:
        return ()
    return Outline(outline.contour, (tuple(points),)).placed(pose).openings[0]
