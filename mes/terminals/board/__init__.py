"""The board: one page that shows the whole line, live."""
