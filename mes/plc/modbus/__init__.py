"""Modbus: the one door to pymodbus, with an own request planner and an own decoder."""
