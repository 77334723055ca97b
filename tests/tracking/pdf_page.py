"""Reads the filled shapes of a PDF back into pictures, so that a printed code is read from the file itself."""

import re
import zlib
from collections.abc import Iterator

from PIL import Image, ImageDraw

TOKEN = re.compile(rb"[-+]?\d*\.?\d+|/?[A-Za-z*]+|\S")
Matrix = tuple[float, float, float, float, float, float]


def pages(pdf: bytes, size_pt: tuple[float, float], scale: float = 2.0) -> Iterator[Image.Image]:
    """Each page's filled paths in black on white; text and images are left out."""
    for stream in re.finditer(rb"stream\r?\n(.*?)\s*endstream", pdf, re.DOTALL):
        try:
            content = zlib.decompressobj().decompress(stream[1])
        except zlib.error:
            continue
        if b" cm/c0 cs" in content:
            yield _paint(content, size_pt, scale)


def _paint(content: bytes, size_pt: tuple[float, float], scale: float) -> Image.Image:
    image = Image.new("L", (round(size_pt[0] * scale), round(size_pt[1] * scale)), 255)
    draw = ImageDraw.Draw(image)
    matrix: Matrix = (1, 0, 0, 1, 0, 0)
    saved: list[Matrix] = []
    rings: list[list[tuple[float, float]]] = []
    numbers: list[float] = []
    for token in TOKEN.findall(re.sub(rb"BT.*?ET", b"", content, flags=re.DOTALL)):
        if re.fullmatch(rb"[-+]?\d*\.?\d+", token):
            numbers.append(float(token))
            continue
        if token == b"q":
            saved.append(matrix)
        elif token == b"Q":
            matrix = saved.pop()
        elif token == b"cm":
            matrix = _times(numbers[-6:], matrix)
        elif token in (b"m", b"l"):
            x, y, m = *numbers[-2:], matrix
            point = ((m[0] * x + m[2] * y + m[4]) * scale, (size_pt[1] - (m[1] * x + m[3] * y + m[5])) * scale)
            rings = [*rings, [point]] if token == b"m" else rings
            if token == b"l":
                rings[-1].append(point)
        elif token in (b"f", b"f*"):
            for ring in rings:
                draw.polygon(ring, fill=0)
            rings = []
        elif token in (b"n", b"S"):
            rings = []
        numbers = []
    return image


def _times(inner: list[float], outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    m = outer
    return (
        a * m[0] + b * m[2],
        a * m[1] + b * m[3],
        c * m[0] + d * m[2],
        c * m[1] + d * m[3],
        e * m[0] + f * m[2] + m[4],
        e * m[1] + f * m[3] + m[5],
    )
