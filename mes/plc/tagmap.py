"""Tag map (tags.yaml): which links a plant has, which tags each carries and how its jobs are handed over.

Three levels, each overriding the one above: link, group, tag. `load_tagmap` gives the effective values and remembers from
which level each came. Field meanings: docs of the plant folder; protocol facts stand beside the drivers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mes.plc.handshake.config import Handshake

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
Table = Literal["coil", "discrete", "holding", "input"]
Access = Literal["r", "w", "rw"]
TYPE_PATTERN = (
    r"^(bool|u?int(8|16|32|64)|float(32|64)|bcd(16|32)|string(\([1-9]\d{0,2}\))?|bit\((\d|1[0-5])\)|bytes|datetime)$"
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)


class Inherited(Strict):
    """Fields that may stand on a link, a group or a tag. Times in ms or s as named; `order` is that of the bytes in the registers."""

    order: Order | None = None
    write_order: Order | None = None
    access: Access | None = None
    enabled: bool | None = None
    simulated: bool | None = None
    deadband: Annotated[float, Field(ge=0)] | None = None
    max_age_s: Annotated[float, Field(gt=0)] | None = None
    scan_ms: Annotated[int, Field(ge=20, le=3_600_000)] | None = None
    publishing_ms: Annotated[int, Field(ge=10, le=3_600_000)] | None = None
    sampling_ms: Annotated[int, Field(ge=0, le=3_600_000)] | None = None
    queue: Annotated[int, Field(ge=1, le=10_000)] | None = None
    keep_alive_count: Annotated[int, Field(ge=1)] | None = None
    lifetime_count: Annotated[int, Field(ge=3)] | None = None


class HeartbeatConfig(Strict):
    """Dead-man's handle both ways. `in` must move within `limit_s`; `out` is written once a second, `limit_out` gets its limit (s)."""

    in_: str | None = Field(default=None, alias="in")
    out: str | None = None
    limit_out: str | None = None
    limit_s: Annotated[float, Field(gt=0)] | None = None
    period_s: Annotated[float, Field(gt=0)] = 1.0


class SecurityConfig(Strict):
    """OPC UA security, both explicit. Files are relative to the plant folder; passwords stand in files only."""

    policy: Literal["None", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = "None"
    mode: Literal["None", "Sign", "SignAndEncrypt"] | None = None
    user: str | None = None
    password_file: str | None = None
    server_certificate: str | None = None
    certificate: str | None = None
    private_key: str | None = None


class BaseLink(Inherited):
    name: str = ""
    connect_timeout_s: Annotated[float, Field(gt=0)] = 2.0
    request_timeout_s: Annotated[float, Field(gt=0)] = 1.0
    backoff_min_s: Annotated[float, Field(gt=0)] = 0.25
    backoff_max_s: Annotated[float, Field(gt=0)] = 2.0
    stale_s: Annotated[float, Field(gt=0)] = 2.0
    clock_difference_limit_s: Annotated[float, Field(gt=0)] | None = None
    heartbeat: HeartbeatConfig | None = None
    handshake: Handshake | None = None


class OpcUaLink(BaseLink):
    protocol: Literal["opcua"]
    endpoint: Annotated[str, Field(pattern=r"^opc\.tcp://")]
    alternatives: list[str] = []
    security: SecurityConfig = SecurityConfig()
    namespace: str | None = None
    session_timeout_s: Annotated[float, Field(ge=5)] = 60.0
    max_items_per_call: Annotated[int, Field(ge=1)] = 1000
    full_read_s: Annotated[float, Field(ge=1)] = 60.0


class ForbiddenRange(Strict):
    table: Table
    from_: Annotated[int, Field(ge=0, le=65535, alias="from")]
    to: Annotated[int, Field(ge=0, le=65535)]


class SerialConfig(Strict):
    port: str
    baud: int = 19200
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1


class ModbusLink(BaseLink):
    protocol: Literal["modbus"]
    host: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    serial: SerialConfig | None = None
    framer: Literal["tcp", "rtu"] = "tcp"
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    max_read_registers: Annotated[int, Field(ge=1, le=125)] = 125
    max_write_registers: Annotated[int, Field(ge=1, le=123)] = 123
    max_read_bits: Annotated[int, Field(ge=1, le=2000)] = 2000
    merge_hole: Annotated[int, Field(ge=0, le=125)] = 125
    forbidden: list[ForbiddenRange] = []
    pause_after_connect_ms: Annotated[int, Field(ge=0)] = 0
    pause_ms: Annotated[int, Field(ge=0)] = 0
    single_requests: bool = False
    address_base: Literal[0, 1] = 0


class MemoryLink(BaseLink):
    protocol: Literal["memory"]


LinkConfig = Annotated[OpcUaLink | ModbusLink | MemoryLink, Field(discriminator="protocol")]


class GroupConfig(Inherited):
    """A rate: one OPC UA subscription or one Modbus scan class. `unit` is a Modbus unit id."""

    link: str
    unit: Annotated[int, Field(ge=0, le=255)] | None = None


class Limits(Strict):
    """What may be written: numbers within min..max, texts up to max_length characters."""

    min: float | None = None
    max: float | None = None
    max_length: Annotated[int, Field(ge=1)] | None = None


class TagConfig(Inherited):
    """`address` is an OPC UA node (`s=…` in the link's namespace, or `nsu=<URI>;s=…`) or a Modbus register. `unit` is UCUM."""

    group: str | None = None
    link: str | None = None
    address: int | str | None = None
    table: Table | None = None
    type: Annotated[str, Field(pattern=TYPE_PATTERN)] = "float64"
    count: Annotated[int, Field(ge=1, le=2000)] = 1
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    raw_invalid: list[float] = []
    range: tuple[float, float] | None = None
    clamp: bool = False
    limits: Limits | None = None
    verify: bool = False
    consistency: str | None = None
    role: str = "value"
    description: str = ""


class TagFile(Strict):
    """The whole of tags.yaml."""

    links: dict[str, LinkConfig] = {}
    groups: dict[str, GroupConfig] = {}
    tags: dict[str, TagConfig] = {}


@dataclass(frozen=True)
class Tag:
    """A tag with everything it inherits. `unit_id` is the Modbus unit; `origins` says on which level a field stood."""

    name: str
    link: str
    group: str = ""
    address: str = ""
    table: str = ""
    index: int = 0
    type: str = "float64"
    count: int = 1
    order: str = "ABCD"
    write_order: str = "ABCD"
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    unit_id: int = 1
    raw_invalid: tuple[float, ...] = ()
    range: tuple[float, float] | None = None
    clamp: bool = False
    access: str = "r"
    limits: Limits | None = None
    deadband: float = 0.0
    max_age_s: float | None = None
    scan_ms: int = 1000
    publishing_ms: int = 200
    sampling_ms: int = 100
    queue: int = 10
    keep_alive_count: int = 4
    lifetime_count: int = 60
    verify: bool = False
    consistency: str | None = None
    enabled: bool = True
    simulated: bool = False
    description: str = ""
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def words(self) -> int:
        """Registers (or bits of coils and discretes) this tag covers on Modbus."""
        if self.table in ("coil", "discrete"):
            return self.count
        if self.type.startswith("string("):
            return (int(self.type[7:-1]) + 1) // 2
        return self.count * {"32": 2, "64": 4}.get(self.type[-2:], 1)

    @property
    def where(self) -> str:
        """The address as a person writes it, for Modbus with the vendor's 4xxxx number."""
        if not self.table:
            return self.address
        base = {"coil": 0, "discrete": 100_000, "input": 300_000, "holding": 400_000}[self.table]
        return f"{self.table} {self.index} ({base + self.index + 1:06d})"

    @property
    def readable(self) -> bool:
        return "r" in self.access

    @property
    def writable(self) -> bool:
        return "w" in self.access


@dataclass(frozen=True)
class TagMap:
    """All links, groups and effective tags of a plant. `folder` is where relative file names start."""

    folder: Path
    links: Mapping[str, Any]
    groups: Mapping[str, GroupConfig]
    tags: Mapping[str, Tag]

    def tags_of(self, link: str) -> list[Tag]:
        return [tag for tag in self.tags.values() if tag.link == link]

    def moved(self, places: Mapping[str, Mapping[str, Any]]) -> "TagMap":
        """The same map with other addresses of links: `{"m1": {"endpoint": …}, "c1": {"host": …, "port": …}}`."""
        links = {name: link.model_copy(update=dict(places.get(name, {}))) for name, link in self.links.items()}
        return replace(self, links=links)

    def in_memory(self) -> "TagMap":
        """The same map with every link in this process's memory and every job handed over by name (see `soft.py`)."""
        job_control = TypeAdapter[Any](Handshake).validate_python({"kind": "job_control", "receiver": "memory"})
        links = {
            name: MemoryLink(
                protocol="memory",
                name=name,
                heartbeat=link.heartbeat,
                handshake=job_control if link.handshake else None,
                stale_s=link.stale_s,
            )
            for name, link in self.links.items()
        }
        return replace(self, links=links)


def load_tagmap(path: Path) -> TagMap:
    """Reads tags.yaml (or the one in a folder). Raises ConfigError with all faults at once, each with file, line and path."""
    from mes.plc.tagmap_load import load

    return load(path)


def json_schema() -> dict[str, Any]:
    """JSON schema of tags.yaml, for editors and for the pinned file beside the plants."""
    return TagFile.model_json_schema(by_alias=True)
