"""Paints label layouts: SVG as text, PNG with Pillow, PDF with typst."""

from collections.abc import Sequence
from html import escape
from io import BytesIO
from json import dumps
from typing import Any

from PIL import Image, ImageDraw

from mes.tracking.fonts import CAP_HEIGHT, FAMILIES, font, typst_folders
from mes.tracking.label_layout import HEIGHT_MM, WIDTH_MM, Layout, Line

A4_MM = (210.0, 297.0)
A4_PLACES = ((20.0, 20.0), (110.0, 20.0), (20.0, 157.0), (110.0, 157.0))
INCH_MM = 25.4


def paint_svg(label: Layout) -> str:
    """One label as SVG, 1 user unit = 1 mm; each dark run of the symbol is one `rect` of class `m`."""
    families = ",".join(f"'{name}'" for name in FAMILIES)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM:g}mm" height="{HEIGHT_MM:g}mm" '
        f'viewBox="0 0 {WIDTH_MM:g} {HEIGHT_MM:g}" font-family="{families},sans-serif" shape-rendering="crispEdges">',
        f'<rect width="{WIDTH_MM:g}" height="{HEIGHT_MM:g}" fill="#fff"/>',
    ]
    parts += [
        f'<rect class="m" x="{x:.4f}" y="{y:.4f}" width="{w:.4f}" height="{h:.4f}"/>'
        for x, y, w, h in label.run_boxes()
    ]
    for polygon in label.polygons:
        points = " ".join(f"{x:g},{y:g}" for x, y in polygon)
        parts.append(f'<polygon points="{points}"/>')
    parts += [_svg_text(line) for line in label.lines]
    return "".join([*parts, "</svg>"])


def paint_png(label: Layout, dpi: int) -> bytes:
    """One label as black-and-white PNG of about `dpi`, with whole dots for a module."""
    dots = max(1, round(label.module_mm * dpi / INCH_MM))
    scale = dots / label.module_mm
    image = Image.new("L", (round(WIDTH_MM * scale), round(HEIGHT_MM * scale)), 255)
    draw = ImageDraw.Draw(image)
    x0, y0 = (round(c * scale) for c in label.origin_mm)
    for column, row, length in label.runs:
        x, y = x0 + column * dots, y0 + row * dots
        draw.rectangle((x, y, x + length * dots - 1, y + dots - 1), fill=0)
    for polygon in label.polygons:
        draw.polygon([(x * scale, y * scale) for x, y in polygon], fill=0)
    for line in label.lines:
        _png_text(image, line, scale)
    out = BytesIO()
    image.save(out, "PNG", dpi=(scale * INCH_MM, scale * INCH_MM), optimize=True)
    return out.getvalue()


def paint_pdf(labels: Sequence[Layout], sheet: str) -> bytes:
    """Labels as PDF: one a page (`label`) or four on A4."""
    import typst

    folders: list[Any] = typst_folders()
    return typst.compile(pdf_source(labels, sheet).encode("utf-8"), format="pdf", font_paths=folders)


def pdf_source(labels: Sequence[Layout], sheet: str) -> str:
    """The typst document of a set of labels."""
    width, height = A4_MM if sheet == "a4" else (WIDTH_MM, HEIGHT_MM)
    places = A4_PLACES if sheet == "a4" else ((0.0, 0.0),)
    families = ", ".join(dumps(name) for name in FAMILIES)
    parts = [
        f"#set page(width: {width}mm, height: {height}mm, margin: 0mm)",
        f'#set text(font: ({families},), top-edge: "baseline", bottom-edge: "baseline", lang: "zh")',
        "#set par(spacing: 0pt, leading: 0pt)",
        "#let t(x, y, size, weight, squeeze, body) = place(top + left, dx: x * 1mm, dy: y * 1mm,"
        " scale(x: squeeze * 100%, origin: left + bottom,"
        " block(width: 500mm, text(size: size * 1mm, weight: weight, body))))",
    ]
    for number, label in enumerate(labels):
        place = number % len(places)
        if number and place == 0:
            parts.append("#pagebreak()")
        parts.append(_typst_label(label, *places[place], cut=sheet == "a4"))
    return "\n".join(parts)


def _typst_label(label: Layout, dx: float, dy: float, *, cut: bool) -> str:
    parts = [_typst_shapes(label)]
    parts += [
        f"#t({line.x:.3f}, {line.y:.3f}, {line.cap_mm / CAP_HEIGHT:.3f}, "
        f"{700 if line.bold else 400}, {line.squeeze}, {dumps(line.text, ensure_ascii=False)})"
        for line in label.lines
    ]
    stroke = "0.1mm + luma(150)" if cut else "none"
    return (
        f"#place(top + left, dx: {dx}mm, dy: {dy}mm, "
        f"box(width: {WIDTH_MM}mm, height: {HEIGHT_MM}mm, stroke: {stroke})[{''.join(parts)}])"
    )


def _typst_shapes(label: Layout) -> str:
    """Symbol and polygons as one SVG path: typst reads that much faster than shapes of its own language."""
    path = "".join(f"M{x:.3f} {y:.3f}h{w:.3f}v{h:.3f}h-{w:.3f}z" for x, y, w, h in label.run_boxes())
    for polygon in label.polygons:
        path += "M" + "L".join(f"{x:g} {y:g}" for x, y in polygon) + "z"
    box = f"{WIDTH_MM:g} {HEIGHT_MM:g}"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {box}'><path d='{path}'/></svg>"
    return f'#place(top + left, image(bytes({dumps(svg)}), format: "svg", width: {WIDTH_MM}mm, height: {HEIGHT_MM}mm))'


def _svg_text(line: Line) -> str:
    weight = ' font-weight="700"' if line.bold else ""
    return (
        f'<text x="{line.x:g}" y="{line.y:g}" font-size="{line.cap_mm / CAP_HEIGHT:.3f}"{weight} '
        f'textLength="{line.width_mm:g}" lengthAdjust="spacingAndGlyphs">{escape(line.text)}</text>'
    )


def _png_text(image: Image.Image, line: Line, scale: float) -> None:
    face = font(round(line.cap_mm / CAP_HEIGHT * scale), line.bold)
    ascent, descent = face.getmetrics()
    width = max(1, round(face.getlength(line.text)))
    strip = Image.new("L", (width, ascent + descent), 0)
    ImageDraw.Draw(strip).text((0, 0), line.text, font=face, fill=255)
    if line.squeeze < 1:
        strip = strip.resize((max(1, round(width * line.squeeze)), strip.height), Image.Resampling.LANCZOS)
    image.paste(0, (round(line.x * scale), round(line.y * scale) - ascent), strip)
