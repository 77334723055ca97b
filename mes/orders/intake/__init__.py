"""How files of the designers become component drafts: one reader per format, each run in a process of its own."""

from mes.orders.intake.formats import FORMATS, Progress, Reader, reader_for
from mes.orders.intake.result import Excluded, ImportResult

__all__ = ["FORMATS", "Excluded", "ImportResult", "Progress", "Reader", "reader_for"]
