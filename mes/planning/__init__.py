"""When and where: components become pallets, pallets a sequence on the line, and every operation gets a start and an end."""

from mes.planning.planner import plan, run_key
from mes.planning.problem import (
    Because,
    Calendar,
    ChamberSpec,
    LatePiece,
    LineSpec,
    PalletSpec,
    Piece,
    Plan,
    PlanFinding,
    PlannedOp,
    PlannedPallet,
    Problem,
    StationSpec,
    TimeModel,
    planned_pallet_from_dict,
)

__all__ = [
    "Because",
    "Calendar",
    "ChamberSpec",
    "LatePiece",
    "LineSpec",
    "PalletSpec",
    "Piece",
    "Plan",
    "PlanFinding",
    "PlannedOp",
    "PlannedPallet",
    "Problem",
    "StationSpec",
    "TimeModel",
    "plan",
    "planned_pallet_from_dict",
    "run_key",
]
