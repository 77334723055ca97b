"""An order without a drawing: the pieces of a small apartment building, for simulations that need no BIM file."""

from random import Random

from mes.core.geometry import Outline, Ring, rectangle
from mes.orders.component_type import ComponentDraft, Placement

DENSITY_KG_M3 = 2450


def paper_order(rng: Random, *, floors: int = 2) -> list[ComponentDraft]:
    """About 30 pieces a floor: half-slabs, walls with windows, stairs, landings and balconies."""
    drafts = []
    for kind, marks, quantity in (
        ("half_slab", 6, 2),
        ("wall", 5, 2),
        ("stair", 1, 2),
        ("landing", 1, 1),
        ("balcony", 2, 1),
    ):
        for number in range(1, marks + 1):
            drafts.append(_draft(rng, kind, number, quantity, floors))
    return drafts


def _draft(rng: Random, kind: str, number: int, quantity: int, floors: int) -> ComponentDraft:
    length, width, thickness, concrete = _sizes(rng, kind)
    outline = Outline(rectangle(length, width).contour, _window(rng, length, width) if kind == "wall" else ())
    hole = 2.25 if outline.openings else 0.0
    volume = round((length * width / 1e6 - hole) * min(thickness, 250) / 1000, 4)
    letter = {"half_slab": "DB", "wall": "YQ", "stair": "YT", "landing": "PT", "balcony": "YYT"}[kind]
    return ComponentDraft(
        mark=f"{letter}{number}",
        name=f"{letter}{number}",
        family=kind,
        building="1#",
        storey="2F",
        quantity=quantity * floors,
        length_mm=length,
        width_mm=width,
        thickness_mm=thickness,
        volume_m3=volume,
        mass_kg=round(volume * DENSITY_KG_M3),
        concrete_class=concrete,
        outline=outline,
        embed_count=rng.randint(2, 12),
        form_stripping_strength_mpa=rng.choice([15.0, 18.0]),
        placements=[
            Placement(global_id=f"{letter}{number}-{floor}-{n}", building="1#", storey=f"{floor}F")
            for floor in range(2, 2 + floors)
            for n in range(quantity)
        ],
    )


def _sizes(rng: Random, kind: str) -> tuple[int, int, int, str]:
    match kind:
        case "half_slab":
            return rng.choice([3300, 3600, 4200, 5100]), rng.choice([1500, 2100, 2400]), 60, "C30"
        case "wall":
            return rng.choice([2700, 3000, 3600, 4500]), 2800, 200, "C35"
        case "stair":
            return 2980, 1200, 460, "C30"
        case "landing":
            return 2600, 1300, 140, "C30"
    return 3600, 1400, 120, "C30"


def _window(rng: Random, length: int, width: int) -> tuple[Ring, ...]:
    x = rng.randrange(600, length - 2000, 50)
    return (((x, 900.0), (x + 1500, 900.0), (x + 1500, 2400.0), (x, 2400.0)),)
