"""A component type as an imported file describes it: one mark, what it is, and how many pieces of it are wanted."""

from mes.core.event import State
from mes.core.geometry import Outline

FAMILIES = (
    "wall",
    "slab",
    "half_slab",
    "stair",
    "landing",
    "balcony",
    "beam",
    "column",
    "double_wall",
    "sandwich_wall",
)
FLAT_FAMILIES = ("wall", "slab", "half_slab", "landing", "balcony", "double_wall", "sandwich_wall")


class EmbedPosition(State):
    """Where an embed sits in the piece's flat coordinates (mm, origin at the lower left corner of the outline)."""

    name: str
    x: float
    y: float
    article: str = ""


class Placement(State):
    """One piece's place in the building: `position` is the grid or location code, where the file states one."""

    global_id: str
    building: str = ""
    storey: str = ""
    position: str = ""


class ComponentDraft(State):
    """One mark of a file. `length_mm >= width_mm >= thickness_mm` are the sorted extents of the concrete body in its own axes.

    `outline` lies flat: x along the longer side, seen from above the pallet, with the openings that go through.
    `embed_count` counts every part that is not the concrete body; `embeds` holds those with a known position.
    `volume_m3` is the net concrete volume of one piece. `concrete_class` is "" where the file names none.
    Strengths are MPa, or None where the file states none. `placements` has one entry per piece.
    """

    mark: str
    name: str
    family: str
    building: str
    storey: str
    quantity: int
    length_mm: float
    width_mm: float
    thickness_mm: float
    volume_m3: float
    mass_kg: float
    concrete_class: str
    outline: Outline | None = None
    embeds: list[EmbedPosition] = []
    embed_count: int = 0
    global_ids: list[str] = []
    form_stripping_strength_mpa: float | None = None
    lifting_strength_mpa: float | None = None
    source_class: str = ""
    placements: list[Placement] = []
