"""The committed JSON schemas are those of the program, and the demo plant's files name them."""

import pytest

from mes.cli.schema import schemas, text_of
from tests.contracts.house import ROOT

PLANTS = ROOT / "config" / "plants"


@pytest.mark.parametrize("name", ["plant", "tags", "shifts", "users"])
def test_schema_is_pinned_and_named(name: str) -> None:
    schema = schemas()[f"{name}.schema.json"]
    hint = "run `mes config schema --out config/plants`"
    assert (PLANTS / f"{name}.schema.json").read_text(encoding="utf-8") == text_of(schema), hint
    assert schema["properties"]
    text = (PLANTS / "demo" / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"# yaml-language-server: $schema=../{name}.schema.json"
