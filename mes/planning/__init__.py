"""When and where: components become pallets, pallets a sequence on the line, and every operation gets a start and an end."""
