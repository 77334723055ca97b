"""The stories of the factory, one verb per file."""
