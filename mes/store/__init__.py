"""The plant's memory: one append-only log of events, the states folded from it, and the telemetry beside it."""
