"""The simulated plant: twins of the machines behind real PLC servers, and a crew of simulated people. Never imported by `mes/`."""
