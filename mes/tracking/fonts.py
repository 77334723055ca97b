"""Fonts of printed matter: Noto Sans SC of the product's own build, else the CJK fonts of the machine."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from PIL import ImageFont

from mes.core.errors import NotFound

CAP_HEIGHT = 0.733
FAMILIES = ("Noto Sans SC", "Noto Sans CJK SC")
SYSTEM_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
CHINESE_FACE_OF_COLLECTION = 2
PROBE_EM = 1000


def own_folder() -> Path:
    """Where the web build puts the product's fonts; may be absent."""
    return Path(str(files("mes"))) / "_fonts"


@lru_cache(maxsize=4)
def font_file(bold: bool = False) -> Path:
    """A font file that holds Chinese. Raises NotFound(code="font_missing") when the machine has none."""
    weight = "Bold" if bold else "Regular"
    for folder in (own_folder(), *SYSTEM_FOLDERS):
        found = _best(sorted(p for p in folder.rglob("Noto*Sans*") if _is_chinese(p.name)), weight)
        if found is not None:
            return found
    raise NotFound(
        "No font with Chinese characters is on this machine.",
        code="font_missing",
        hint="Run the web build, or install the package fonts-noto-cjk.",
    )


@lru_cache(maxsize=64)
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font for drawing with Pillow; `size` in pixels."""
    path = font_file(bold)
    return ImageFont.truetype(path, size, index=CHINESE_FACE_OF_COLLECTION if path.suffix == ".ttc" else 0)


def text_width(text: str, cap_mm: float, bold: bool = False) -> float:
    """The width in mm of a line whose capitals are `cap_mm` high."""
    return font(PROBE_EM, bold).getlength(text) / PROBE_EM * cap_mm / CAP_HEIGHT


def typst_folders() -> list[Path]:
    """The folders in which typst looks for fonts besides those of the system."""
    return [own_folder()] if own_folder().is_dir() else []


def _best(paths: Sequence[Path], weight: str) -> Path | None:
    return next((p for p in paths if weight in p.stem), paths[0] if paths else None)


def _is_chinese(name: str) -> bool:
    return name.lower().endswith((".ttf", ".otf", ".ttc")) and ("SC" in name or "CJK" in name) and "Mono" not in name
