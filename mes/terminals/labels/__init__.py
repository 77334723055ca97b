"""Labels: find a piece and print its code."""
