"""The plan: what lies on which pallet, and when."""
