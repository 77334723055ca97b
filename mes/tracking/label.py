"""The label of a component: QR code, the code in large capitals, and what a crew must know, as SVG, PNG or PDF sheets."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Literal

import qrcode
from qrcode.constants import ERROR_CORRECT_Q

from mes.core.errors import RuleBroken
from mes.tracking.label_layout import LabelData, Layout, layout
from mes.tracking.label_paint import paint_pdf, paint_png, paint_svg

__all__ = ["FORMATS", "LabelData", "label_layout", "label_png", "label_svg", "labels_pdf", "qr_matrix"]

MASK = 3
LARGEST_SYMBOL = 37


def label_svg(data: LabelData) -> str:
    """One label as SVG in millimetres."""
    return paint_svg(label_layout(data))


def label_png(data: LabelData, dpi: int = 300) -> bytes:
    """One label as PNG; a module of the symbol is a whole number of dots."""
    return paint_png(label_layout(data), dpi)


def labels_pdf(labels: Iterable[LabelData], sheet: Literal["a4", "label"] = "a4") -> bytes:
    """Labels as PDF with embedded fonts: four on an A4 sheet with cut marks, or one a page for a label printer."""
    layouts = [label_layout(data) for data in labels]
    if not layouts:
        raise RuleBroken("There is no label to print.", code="labels_none", hint="Name at least one code.")
    return paint_pdf(layouts, sheet)


FORMATS: dict[str, Callable[[LabelData], bytes]] = {
    "svg": lambda data: label_svg(data).encode("utf-8"),
    "png": label_png,
    "pdf": lambda data: labels_pdf([data], sheet="label"),
}


def label_layout(data: LabelData) -> Layout:
    """The shapes of a label. Raises RuleBroken(code="label_url_long") when the address makes the modules too small."""
    matrix = qr_matrix(data.url)
    if len(matrix) > LARGEST_SYMBOL:
        raise RuleBroken(
            f"The address {data.url} is too long for a label ({len(data.url)} characters).",
            code="label_url_long",
            hint="Choose a shorter MES_PUBLIC_URL.",
        )
    return layout(data, matrix)


@lru_cache(maxsize=4096)
def qr_matrix(text: str) -> tuple[tuple[bool, ...], ...]:
    """The modules of a QR code, level Q, fixed mask, capitals (so that the alphanumeric mode holds it), no border."""
    symbol = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=MASK)
    symbol.add_data(text.upper())
    symbol.make(fit=True)
    return tuple(tuple(bool(module) for module in row) for row in symbol.get_matrix())
