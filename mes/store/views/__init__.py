"""Read models: one module per screen or report."""
