"""Concrete: which mix fulfils a class, how much of it a pallet takes, and how that is split into batches (盘)."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from mes.core.errors import RuleBroken
from mes.lines.plant import Mix


def mix_for(concrete_class: str, mixes: Sequence[Mix]) -> Mix:
    """The first mix of the plant that fulfils a class, written in any case. Raises RuleBroken(code="mix_unknown")."""
    wanted = _plain(concrete_class)
    found = next((mix for mix in mixes if _plain(mix.concrete_class) == wanted), None)
    if found is None:
        known = ", ".join(f"{mix.id} ({mix.concrete_class})" for mix in mixes) or "none"
        raise RuleBroken(
            f"No mix for concrete class {concrete_class or '(none)'}; the plant has: {known}.",
            code="mix_unknown",
            hint="Add a mix of this class to plant.yaml or correct the class of the order line.",
            data={"concrete_class": concrete_class, "known": [mix.id for mix in mixes]},
        )
    return found


def mix_number(mix_id: str, mixes: Sequence[Mix]) -> int:
    """The number of a mix on PLC links: its place in plant.yaml from 1. Raises RuleBroken(code="mix_unknown")."""
    for number, mix in enumerate(mixes, start=1):
        if mix.id == mix_id:
            return number
    raise RuleBroken(
        f"Mix {mix_id} is not in plant.yaml; it has: {', '.join(mix.id for mix in mixes) or 'none'}.",
        code="mix_unknown",
        hint="Correct the name of the mix.",
    )


def pallet_volume_m3(piece_volumes_m3: Iterable[float], waste_share: float = 0.0) -> float:
    """The concrete one pallet takes: its pieces and a share that stays in hopper and forms, up to whole litres."""
    net = sum(piece_volumes_m3)
    return ceil(round(net * (1 + waste_share) * 1000, 6)) / 1000


def split_batches(volume_m3: float, max_batch_m3: float) -> list[float]:
    """As few batches as the mixer allows, of equal size in whole litres; their sum is the volume (m³)."""
    if max_batch_m3 <= 0:
        raise RuleBroken("The mixer's largest batch must be above 0 m³.", code="batch_size")
    litres = ceil(round(volume_m3 * 1000, 6))
    if litres <= 0:
        return []
    count = ceil(litres / int(max_batch_m3 * 1000 + 1e-6))
    small, rest = divmod(litres, count)
    return [(small + (1 if n < rest else 0)) / 1000 for n in range(count)]


def batch_recipe(
    mix: Mix, volume_m3: float, moisture: Mapping[str, float] | None = None, water: str = "water"
) -> dict[str, float]:
    """Kilograms of each ingredient of a batch. `moisture` is the share of water in dry aggregate (0.04 = 4 %).

    Wet aggregate is weighed heavier by its water and the added water is less by the same, so that total water stays.
    """
    kilograms = {name: per_m3 * volume_m3 for name, per_m3 in mix.recipe_kg_m3.items()}
    for name, share in (moisture or {}).items():
        wet = kilograms.get(name, 0.0) * share
        kilograms[name] = kilograms.get(name, 0.0) + wet
        kilograms[water] = kilograms.get(water, 0.0) - wet
    if kilograms.get(water, 0.0) < 0:
        raise RuleBroken(
            "The aggregate holds more water than the mix needs.", code="aggregate_wet", hint="Use drier aggregate."
        )
    return {name: round(value, 2) for name, value in kilograms.items()}


def _plain(concrete_class: str) -> str:
    return concrete_class.replace(" ", "").upper()
