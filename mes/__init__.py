"""Manufacturing execution system for precast concrete plants: from the BIM model over the PLCs to the wall it stands in."""

__version__ = "0.1.0"
