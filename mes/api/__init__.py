"""HTTP: routes, people, the live stream, and how errors look from outside."""
