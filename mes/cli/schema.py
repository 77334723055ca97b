"""`mes config schema`: what an editor needs to help with a plant folder's files."""

import json
from pathlib import Path
from typing import Any

from mes.lines.plant import Plant, Shifts, Users
from mes.plc.tagmap import json_schema


def schemas() -> dict[str, Any]:
    """JSON schemas by file name."""
    return {
        "plant.schema.json": Plant.model_json_schema(by_alias=True),
        "shifts.schema.json": Shifts.model_json_schema(by_alias=True),
        "users.schema.json": Users.model_json_schema(by_alias=True),
        "tags.schema.json": json_schema(),
    }


def write_schemas(folder: Path) -> list[str]:
    """Writes one file for each schema, where the first line of a plant's files looks for it: beside the plant folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(text_of(schema), encoding="utf-8")
    return [str(folder / name) for name in schemas()]


def text_of(schema: Any) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
