"""A small pallet line and random pieces for the planner's tests."""

from datetime import UTC, datetime, timedelta
from random import Random

from mes.planning import Calendar, ChamberSpec, LineSpec, PalletSpec, Piece, Problem, StationSpec, TimeModel

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)  # a Monday, 08:00 in Shanghai
WORKDAY = [("06:00", "11:30"), ("12:00", "17:30"), ("18:00", "22:00")]
CALENDAR = Calendar.from_shifts("Asia/Shanghai", dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), WORKDAY))


def station(id: str, operation: str | None = None, on_pallet: bool = True, **times: float) -> StationSpec:
    return StationSpec(id, operation or id, TimeModel(**times), on_pallet)


STATIONS = (
    station("clean", base_s=240),
    station("oil", base_s=150),
    station("mark", "mark_out", base_s=150, per_m_s=3, per_embed_s=5),
    station("mould", "place_moulds", base_s=180, per_m_s=10),
    station("rebar", "place_rebar", base_s=240, per_m2_s=12),
    station("embeds", "place_embeds", base_s=180, per_embed_s=14),
    station("prepour", "inspect_prepour", base_s=300, per_piece_s=60),
    station("batching", "batch", on_pallet=False, base_s=120, per_m3_s=40),
    station("spreader", "pour", base_s=120, per_m3_s=110),
    station("vibration", "vibrate", base_s=180),
    station("levelling", "level", base_s=180, per_m2_s=6),
    station("precure", base_s=480),
    station("finishing", "finish", base_s=240, per_m2_s=10),
    station("chamber", "cure", base_s=180),
    station("strip", base_s=180, per_m_s=6),
    station("demould", base_s=240, per_piece_s=120),
    station("label", on_pallet=False, per_piece_s=90),
    station("outgoing", "inspect_outgoing", on_pallet=False, per_piece_s=240),
    station("yard", "store", on_pallet=False, per_piece_s=180),
)


def line(pallets: int = 24, slots: int = 40, stairs: int = 3) -> LineSpec:
    return LineSpec(
        "line-1",
        STATIONS,
        tuple(PalletSpec(f"P{n:02d}", 9000, 3500, 25000) for n in range(1, pallets + 1)),
        ChamberSpec(slots, 700, 25000, {"standard": 10.0, "half_slab": 8.0}),
        moulds={"stair_mould": stairs, "landing_mould": 2},
    )


def pieces(count: int, seed: int = 1, dated: bool = True) -> tuple[Piece, ...]:
    """Walls, half-slabs and stairs on several floors; every floor is due as a whole."""
    random = Random(seed)
    return tuple(_piece(n, random, dated) for n in range(count))


def _piece(n: int, random: Random, dated: bool) -> Piece:
    floor = n // 20
    kind = random.choice(["wall", "wall", "half_slab", "half_slab", "half_slab", "stair"])
    length, width, thick, concrete = {
        "wall": (random.randrange(1200, 7500), random.randrange(2620, 3150), 200, "C35"),
        "half_slab": (random.randrange(2200, 7600), random.randrange(1200, 2990), 60, "C30/37"),
        "stair": (3200, 1250, 400, "C45/55"),
    }[kind]
    volume = length * width * thick / 1e9
    return Piece(
        f"c{n:04d}",
        f"{kind[0].upper()}-{n}",
        kind,
        concrete,
        thick,
        length,
        width,
        mass_kg=round(volume * 2450, 1),
        volume_m3=round(volume, 4),
        formwork_m=2 * (length + width) / 1000,
        embeds=random.randrange(12),
        floor=f"F{floor}",
        sequence=n,
        due=START + timedelta(days=2 + floor, hours=10) if dated else None,
        mould="stair_mould" if kind == "stair" else None,
        program="half_slab" if kind == "half_slab" else "standard",
    )


def problem(count: int = 34, seed: int = 1, evaluations: int = 2000, **changes: object) -> Problem:
    values: dict[str, object] = {"pieces": pieces(count, seed), "line": line(), "calendar": CALENDAR, "start": START}
    return Problem(**{**values, "evaluations": evaluations, **changes})  # type: ignore[arg-type]
