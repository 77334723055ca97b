"""With what it is built: plant, routing, jobs, pallets, machines, curing, concrete."""
