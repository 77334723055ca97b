"""Handshakes: how a job is given to a PLC exactly once."""
