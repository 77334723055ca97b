"""`mes label`: files with the labels of components."""

from collections.abc import Sequence
from pathlib import Path

from mes.app import House, open_memory
from mes.core.clock import system_clock
from mes.core.errors import NotFound, RuleBroken
from mes.core.settings import Settings
from mes.lines.routing import load_families
from mes.tracking.code import parse
from mes.tracking.component import Component
from mes.tracking.label import FORMATS, LabelData, labels_pdf


async def write_labels(settings: Settings, codes: Sequence[str], format_: str, out: Path) -> list[str]:
    """One file for each code (svg, png) or one sheet (pdf); raises NotFound for a code nobody carries."""
    if format_ not in ("svg", "png", "pdf"):
        raise RuleBroken(f"{format_!r} is no label format; choose svg, png or pdf.", code="format_unknown")
    house = await open_memory(settings, system_clock())
    try:
        labels = [label_data(house, code) for code in codes]
    finally:
        await house.close()
    out.mkdir(parents=True, exist_ok=True)
    if format_ == "pdf":
        path = out / "labels.pdf"
        path.write_bytes(labels_pdf(labels))
        return [str(path)]
    files = []
    for label in labels:
        path = out / f"{label.code}.{format_}"
        path.write_bytes(FORMATS[format_](label))
        files.append(str(path))
    return files


def label_data(house: House, text: str) -> LabelData:
    code = parse(text)
    component = house.store.get(Component, code)
    if component is None:
        raise NotFound(f"No component carries the code {code}.", hint="Check the code on the label.")
    families, info = load_families(), house.folder.plant.plant
    kind = families.get(component.family)
    return LabelData(
        code=code,
        url=f"{house.settings.public_url}/C/{code}".upper(),
        mark=component.mark,
        project=component.project,
        storey=component.storey,
        mass_kg=component.mass_kg,
        concrete_class=component.concrete_class,
        cast_on=component.cast_at.date() if component.cast_at else None,
        maker=info.maker.zh if info.maker else info.name.zh,
        family_name=kind.name.zh if kind else component.family,
        language="zh",
    )
