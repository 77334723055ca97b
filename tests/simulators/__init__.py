"""Tests of the simulated plant."""
