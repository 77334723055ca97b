"""What the reading of one file gives: component drafts, what was left out and why, and remarks about the file."""

from typing import Any

from mes.core.errors import Finding
from mes.core.event import State
from mes.orders.component_type import ComponentDraft


class Excluded(State):
    """`count` elements of one class that are no pieces, for one reason (a stable slug such as `not_marked_precast`)."""

    reason: str
    source_class: str
    count: int


class ImportResult(State):
    """`source` is the id of the rule that found most pieces (`slab_cad`, `tekla`, …), "" where there are none."""

    file: str
    format: str
    schema_name: str
    source: str
    application: str = ""
    project: str
    sha256: str = ""
    components: list[ComponentDraft] = []
    excluded: list[Excluded] = []
    findings: list[Finding] = []

    @property
    def pieces(self) -> int:
        """Number of physical pieces."""
        return sum(draft.quantity for draft in self.components)

    def to_json(self) -> dict[str, Any]:
        """The document that `mes import --json` prints; `order_id` stays null until an order is taken."""
        document = self.model_dump(mode="json")
        return {
            "file": document["file"],
            "format": document["format"],
            "schema": document["schema_name"],
            "source": document["source"],
            "application": document["application"],
            "project": document["project"],
            "sha256": document["sha256"],
            "components": [_component(draft) for draft in document["components"]],
            "excluded": document["excluded"],
            "findings": document["findings"],
            "order_id": None,
        }


def _component(draft: dict[str, Any]) -> dict[str, Any]:
    return {**draft, "embeds": draft["embed_count"], "embed_positions": draft["embeds"]}
