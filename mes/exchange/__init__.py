"""To other systems: what happens in the plant, told outside."""
