"""How the hand-over of jobs is configured per link: job_control, mailbox or tags."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

WORDS = 24
PARAMETER_WORDS = 12


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WordArea(Part):
    """A row of 16-bit words: Modbus registers from `address` on, or one OPC UA variable `UInt16[]` (`node`)."""

    table: Literal["holding", "input"] | None = None
    address: Annotated[int, Field(ge=0, le=65535)] = 0
    node: str | None = None


class PayloadArea(WordArea):
    """Where bulk data goes. `words` is its greatest size."""

    words: Annotated[int, Field(ge=1, le=65536)]


class WordParameter(Part):
    """A recipe value in the mailbox's 12 parameter words: raw = (value - offset) / scale; 32-bit types take two words, high first."""

    word: Annotated[int, Field(ge=0, le=PARAMETER_WORDS - 1)]
    type: Literal["int16", "uint16", "int32", "uint32", "float32"] = "int16"
    scale: float = 1.0
    offset: float = 0.0

    @property
    def size(self) -> int:
        return 1 if self.type.endswith("16") else 2


class JobControlConfig(Part):
    """ISA-95 Job Control v2: node or browse path of the job order receiver, and of the response provider when it is another object."""

    kind: Literal["job_control"]
    receiver: str
    responses: str | None = None


class MailboxConfig(Part):
    """Two blocks of 24 words; with a payload area parameter words 0..3 carry its length and CRC-32."""

    kind: Literal["mailbox"]
    command: WordArea
    answer: WordArea
    parameters: dict[str, WordParameter] = {}
    payload: PayloadArea | None = None


class Roles(Part):
    """Tag names by role. `state` is one integer in place of ready, busy, done and fault."""

    job_id: str
    command: str
    pallet_id: str | None = None
    ready: str | None = None
    busy: str | None = None
    done: str | None = None
    fault: str | None = None
    state: str | None = None
    alarm_code: str | None = None
    last_job_id: str | None = None
    counter: str | None = None
    heartbeat: str | None = None
    mes_heartbeat: str | None = None


class CommandValues(Part):
    start: int
    abort: int | None = None
    acknowledge: int | None = None


class TagsConfig(Part):
    """An existing PLC program, its tags mapped to roles. `parameters` maps a job's parameter to a tag."""

    kind: Literal["tags"]
    roles: Roles
    state_values: dict[Literal["ready", "busy", "done", "fault"], list[int]] = {}
    command_values: CommandValues
    command_style: Literal["level", "pulse"] = "level"
    pulse_ms: Annotated[int, Field(ge=10, le=10_000)] = 500
    acknowledge: Literal["command", "reset", "none"] | None = None
    parameters: dict[str, str] = {}
    payload: PayloadArea | None = None

    @property
    def acknowledgement(self) -> str:
        """How a finished job is acknowledged; without a word about it by command where a value is given."""
        return self.acknowledge or ("none" if self.command_values.acknowledge is None else "command")


Handshake = Annotated[JobControlConfig | MailboxConfig | TagsConfig, Field(discriminator="kind")]
