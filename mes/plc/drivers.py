"""Which driver serves which protocol, and which handshake hands over the jobs of a link."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mes.core.clock import Clock
from mes.core.errors import PlcError
from mes.core.ports import CommandTable
from mes.plc.driver import Driver
from mes.plc.handshake.command import Handshake
from mes.plc.handshake.config import JobControlConfig, MailboxConfig, TagsConfig
from mes.plc.handshake.job_control import JobControl
from mes.plc.handshake.mailbox import Mailbox
from mes.plc.handshake.tag_handshake import TagHandshake
from mes.plc.link import Link, OnLinkState
from mes.plc.soft import MemoryDriver, MemoryPlc
from mes.plc.tagmap import TagMap
from mes.plc.tags import TagTable

DriverMaker = Callable[[Any, Path, Clock], Callable[[], Driver]]


def _opcua(config: Any, folder: Path, clock: Clock) -> Callable[[], Driver]:
    from mes.plc.opcua.driver import OpcUaDriver

    return lambda: OpcUaDriver(config, folder, clock)


def _modbus(config: Any, folder: Path, clock: Clock) -> Callable[[], Driver]:
    from mes.plc.modbus.driver import ModbusDriver

    return lambda: ModbusDriver(config, clock)


def _memory(config: Any, folder: Path, clock: Clock) -> Callable[[], Driver]:
    plc = MemoryPlc()
    return lambda: MemoryDriver(plc, clock)


DRIVERS: dict[str, DriverMaker] = {"opcua": _opcua, "modbus": _modbus, "memory": _memory}


def make_link(
    tagmap: TagMap,
    name: str,
    table: TagTable,
    *,
    clock: Clock,
    rng: random.Random,
    on_state: OnLinkState | None = None,
    memory: Mapping[str, MemoryPlc] | None = None,
) -> Link:
    """The supervised link of a tag map. `memory` gives the PLCs of links that live in this process."""
    config = tagmap.links[name]
    if memory is not None and name in memory:
        plc = memory[name]
        driver: Callable[[], Driver] = lambda: MemoryDriver(plc, clock)  # noqa: E731
    else:
        driver = DRIVERS[config.protocol](config, tagmap.folder, clock)
    return Link(config, tagmap.tags_of(name), driver, table, clock=clock, rng=rng, on_state=on_state)


def make_handshake(link: Link, commands: CommandTable) -> Handshake:
    """The hand-over of jobs as the link's configuration says. Raises PlcError(code="handshake_missing")."""
    match link.config.handshake:
        case JobControlConfig() as config:
            return JobControl(link, config, commands)
        case MailboxConfig() as config:
            return Mailbox(link, config, commands)
        case TagsConfig() as config:
            return TagHandshake(link, config, commands)
    raise PlcError(f"Link {link.name} has no handshake.", code="handshake_missing", hint="Add one in tags.yaml.")
