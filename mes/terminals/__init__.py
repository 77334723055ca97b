"""The screens of the plant: one folder per screen with its template and who stands in front of it."""

from mes.terminals.web import add_pages

__all__ = ["add_pages"]
