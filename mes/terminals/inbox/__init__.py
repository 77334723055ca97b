"""The inbox: everything that waits for the decision of a person."""
