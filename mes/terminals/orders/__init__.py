"""Orders: what must be built, taken in from files and called off by storey."""
