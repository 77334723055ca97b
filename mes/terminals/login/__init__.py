"""Login: who stands in front of the screen."""
