"""`mes config schema`: what an editor needs to help with a plant folder's files."""

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
