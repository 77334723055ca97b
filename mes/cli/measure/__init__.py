"""Measurements of the running plant: a board in a browser, memory and processor time."""
