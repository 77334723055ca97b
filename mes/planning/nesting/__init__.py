"""What lies together on a pallet, and where on it."""

from mes.planning.nesting.grouping import Group, group_pieces
from mes.planning.nesting.nest import Nest, Nesting, nest, pallet_type

__all__ = ["Group", "Nest", "Nesting", "group_pieces", "nest", "pallet_type"]
