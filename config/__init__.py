"""The product's own configuration: rule packs and the demo plant."""
