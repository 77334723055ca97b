"""Packaging check: a wheel or sdist is refused when the parts that `make web` builds are missing."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = (
    "mes/_web/htmx.js",
    "mes/_web/uplot.js",
    "mes/_web/THIRD-PARTY.txt",
    "mes/_fonts/NotoSansSC-Regular.ttf",
    "mes/plc/_nodesets/opc.ua.isa95-jobcontrol.nodeset2.xml",
)


class BuiltPartsHook(BuildHookInterface[Any]):
    """Only looks; the Makefile builds. An editable install needs nothing, since `make setup` follows it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        missing = [name for name in BUILT if not (Path(self.root) / name).is_file()]
        if missing:
            raise RuntimeError(f"not built yet: {', '.join(missing)}; run `make web` first")
