"""Labels: every one is read back from PNG, PDF and SVG, holds what a crew must know, and keeps the label rules."""

import re
import time
from dataclasses import replace
from datetime import date
from io import BytesIO
from xml.etree import ElementTree

import pytest
import zxingcpp
from PIL import Image

from mes.core.errors import RuleBroken
from mes.core.rules import load_rules
from mes.tracking import code, fonts, label
from mes.tracking.label_layout import HEIGHT_MM, WIDTH_MM, LabelData
from tests.tracking.pdf_page import pages

A4_PT = (595.28, 841.89)


def _label(number: int, language: str = "zh") -> LabelData:
    own = code.new_code(number * 0x9E3779B97F4A7C15)
    return LabelData(
        code=own,
        url=code.url("https://mes.example.cn", own),
        mark=f"TX2024009-3#-12F-YWQ-{number:03d}",
        project="桐乡实验学校扩建工程",
        storey="3层",
        mass_kg=2350,
        concrete_class="C30/37",
        cast_on=date(2026, 11, 2),
        maker="桐乡装配式构件厂",
        family_name="叠合板",
        language="zh" if language == "zh" else "en",
    )


def _read(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)]


def test_png_is_read_back() -> None:
    for number in range(1, 25):
        data = _label(number)
        image = Image.open(BytesIO(label.label_png(data, dpi=203)))
        assert _read(image) == [data.url]
        assert code.parse(data.url) == data.code


def test_png_is_as_large_as_the_label() -> None:
    image = Image.open(BytesIO(label.label_png(_label(1), dpi=300)))
    dpi = image.info["dpi"][0]
    assert image.width / dpi * 25.4 == pytest.approx(WIDTH_MM, rel=0.01)
    assert image.height / dpi * 25.4 == pytest.approx(HEIGHT_MM, rel=0.01)
    assert dpi == pytest.approx(300, rel=0.05)


def test_pdf_sheets_are_read_back_from_the_file() -> None:
    labels = [_label(number, "zh" if number % 2 else "en") for number in range(1, 11)]
    read = [text for page in pages(label.labels_pdf(labels), A4_PT) for text in _read(page)]
    assert sorted(read) == sorted(data.url for data in labels)


def test_pdf_for_a_label_printer_has_one_label_a_page() -> None:
    pdf = label.labels_pdf([_label(1), _label(2)], sheet="label")
    size = (WIDTH_MM / 25.4 * 72, HEIGHT_MM / 25.4 * 72)
    assert [_read(page) for page in pages(pdf, size)] == [[_label(1).url], [_label(2).url]]


def test_svg_holds_the_same_modules() -> None:
    data = _label(7)
    root = ElementTree.fromstring(label.label_svg(data))
    scale = 10
    image = Image.new("L", (round(WIDTH_MM * scale), round(HEIGHT_MM * scale)), 255)
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        if rect.get("class") == "m":
            x, y, w, h = (float(rect.attrib[name]) * scale for name in ("x", "y", "width", "height"))
            image.paste(0, (round(x), round(y), round(x + w), round(y + h)))
    assert _read(image) == [data.url]
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert code.printed(data.code) in texts
    said = " ".join(text or "" for text in texts)
    for wanted in (data.mark, "2,350 kg", "2026-11-02", data.project, "3层", data.maker, "吊装向上", "C30/37"):
        assert wanted in said


def test_the_label_rules_are_kept() -> None:
    rules = load_rules("codes")
    for host in ("https://q.cn", "https://mes.example.cn", "https://production.precast-plant.example.com.cn"):
        shapes = label.label_layout(replace(_label(3), url=code.url(host, _label(3).code)))
        symbol = WIDTH_MM - 2 * shapes.origin_mm[0]
        lowest, highest = (60, 70)
        assert rules.value("code.label.symbol") == [lowest, highest]
        assert lowest <= symbol <= highest
        assert shapes.module_mm >= rules.number("code.qr.module_min")
        quiet = rules.number("code.qr.quiet_zone") * shapes.module_mm
        assert shapes.origin_mm[0] >= quiet - 1e-9
        own_text = shapes.lines[0]
        assert own_text.cap_mm >= rules.number("code.label.id_text_min")
        assert own_text.y - own_text.cap_mm >= shapes.origin_mm[1] + symbol + quiet - 1e-9
        assert all(line.x + line.width_mm <= WIDTH_MM and line.y < HEIGHT_MM for line in shapes.lines)


def test_texts_that_are_too_long_are_squeezed_and_then_cut_but_never_leave_the_label() -> None:
    long = replace(_label(4), project="很长的工程名称" * 12, mark="M-" * 40)
    shapes = label.label_layout(long)
    assert all(line.x + line.width_mm <= WIDTH_MM for line in shapes.lines)
    assert any(line.text.endswith("…") for line in shapes.lines)
    assert _read(Image.open(BytesIO(label.label_png(long)))) == [long.url]


def test_markup_in_a_name_does_no_harm() -> None:
    nasty = replace(_label(5), project='<b> & "#eval(1)" \\', mark="A$B#C_*")
    ElementTree.fromstring(label.label_svg(nasty))
    assert [_read(page) for page in pages(label.labels_pdf([nasty]), A4_PT)] == [[nasty.url]]


def test_chinese_is_drawn_with_real_glyphs() -> None:
    face = fonts.font(40)
    drawn = {bytes(face.getmask(character)) for character in "桐乡构件厂吊装向上"}
    assert len(drawn) == 9, "missing glyphs would all look alike"
    names = set(re.findall(rb"/BaseFont/[A-Z]+\+([A-Za-z]+)", label.labels_pdf([_label(1)])))
    assert not names or all(b"NotoSans" in name for name in names)


def test_a_label_without_a_date_and_a_host_that_is_too_long() -> None:
    assert "—" in label.label_svg(replace(_label(1), cast_on=None))
    with pytest.raises(RuleBroken, match="too long for a label"):
        label.label_svg(replace(_label(1), url="HTTPS://" + "A" * 120 + ".CN/C/7K3M9QX2ABED"))
    with pytest.raises(RuleBroken, match="no label"):
        label.labels_pdf([])


def test_a_thousand_labels_in_a_few_seconds() -> None:
    labels = [_label(number) for number in range(1, 1001)]
    started = time.monotonic()
    pdf = label.labels_pdf(labels)
    assert time.monotonic() - started < 10
    assert pdf.startswith(b"%PDF")
