"""An event: one fact about one thing of the plant, never changed afterwards.

A stream is one thing (`component/7K3M9QX2ABED`, `pallet/P07`); its state is the fold of its events with the pure
`apply(state, event)` of the folder that owns the kind. States are frozen pydantic models, stored as JSON documents.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Event:
    """`at` is plant time (UTC); `data` is JSON; `seq` counts all events of the plant from 1, `stream_seq` those of one thing."""

    kind: str
    key: str
    type: str
    at: datetime
    actor: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0
    stream_seq: int = 0
    cmd_id: str = ""


class State(BaseModel):
    """Base of all folded states: frozen, JSON in and out."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class StreamKind:
    """How one kind of thing is remembered: its state model, its fold, and the key by which lists of it are found.

    `group(state)` names the one list this thing stands in (`find(kind, group)`), or "".
    """

    name: str
    state: type[State]
    apply: Callable[[Any, Event], Any]
    group: Callable[[Any], str] = lambda state: ""
