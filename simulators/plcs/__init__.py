"""Simulated PLCs: the program all share, its mailbox and its job orders, served over real Modbus TCP and OPC UA."""
