"""Faults of a tag map that no single line shows: overlaps, forbidden ranges, tags that do not fit their use."""

from collections.abc import Iterator
from itertools import pairwise

from mes.core.errors import Fault
from mes.core.yamlfile import YamlFile
from mes.plc.handshake.config import WORDS, JobControlConfig, MailboxConfig, TagsConfig, WordArea
from mes.plc.tagmap import ModbusLink, OpcUaLink, SecurityConfig, Tag, TagMap

_RAW = {"8": 8, "16": 16, "32": 32, "64": 64}
Where = tuple[str | int, ...]


def check(tagmap: TagMap, file: YamlFile) -> list[Fault]:
    """All such faults, with their places."""
    faults = [file.fault(where, code, text) for where, code, text in _all(tagmap, file)]
    return faults


def _all(tagmap: TagMap, file: YamlFile) -> Iterator[tuple[Where, str, str]]:
    known = set(file.data.get("links") or {}) if isinstance(file.data, dict) else set()
    for name, group in tagmap.groups.items():
        if group.link not in known:
            yield ("groups", name, "link"), "link_unknown", f"link {group.link!r} does not exist"
    for tag in tagmap.tags.values():
        yield from _tag(tag, tagmap)
    for name, link in tagmap.links.items():
        yield from _heartbeat(name, tagmap)
        if isinstance(link, OpcUaLink):
            yield from _security(name, link.security)
        if isinstance(link, ModbusLink):
            if link.host is None and link.serial is None:
                yield ("links", name), "missing", "has neither a host nor a serial port"
            yield from _overlaps(name, tagmap)
            yield from _consistency(name, link, tagmap)
        if isinstance(link.handshake, MailboxConfig):
            yield from _mailbox(name, link.handshake, tagmap)
        elif isinstance(link.handshake, TagsConfig):
            yield from _roles(name, link.handshake, tagmap)
        elif isinstance(link.handshake, JobControlConfig) and isinstance(link, ModbusLink):
            yield ("links", name, "handshake", "kind"), "handshake", "job_control needs OPC UA; use mailbox or tags"


def _security(name: str, security: SecurityConfig) -> Iterator[tuple[Where, str, str]]:
    where: Where = ("links", name, "security")
    if security.policy != "None" and security.mode == "None":
        yield where, "security_mode", f"policy {security.policy} needs mode Sign or SignAndEncrypt"
    if security.policy == "None" and security.mode in ("Sign", "SignAndEncrypt"):
        yield where, "security_policy", f"mode {security.mode} needs a policy, for example Basic256Sha256"
    open_channel = security.policy == "None" or security.mode in ("None", "Sign")
    if security.password_file is not None and open_channel:
        yield where, "password_in_clear", "sends a password; it needs a policy and mode SignAndEncrypt"
    if security.password_file is not None and security.user is None:
        yield where, "user_missing", "has a password_file and no user"


def _tag(tag: Tag, tagmap: TagMap) -> Iterator[tuple[Where, str, str]]:
    where: Where = ("tags", tag.name)
    link = tagmap.links[tag.link]
    if tag.writable and not _limited(tag) and tag.name not in _own_words(tagmap):
        needs = "max_length" if tag.type.startswith(("string", "bytes")) else "min and max"
        yield where, "limits_missing", f"can be written and needs limits ({needs})"
    for raw in tag.raw_invalid:
        if not _fits(raw, tag.type):
            yield (*where, "raw_invalid"), "raw_invalid", f"{raw:g} is no value of type {tag.type}"
    if isinstance(link, OpcUaLink):
        if tag.address.startswith("ns=") or ";ns=" in tag.address:
            yield (*where, "address"), "namespace_index", "names a namespace by index; write nsu=<URI>; in its place"
        elif not tag.address.startswith(("nsu=", "i=", "/")) and link.namespace is None:
            yield (*where, "address"), "namespace_missing", "has no nsu= and its link has no namespace"
    elif isinstance(link, ModbusLink):
        yield from _modbus_tag(tag, link)


def _modbus_tag(tag: Tag, link: ModbusLink) -> Iterator[tuple[Where, str, str]]:
    where: Where = ("tags", tag.name)
    bits = tag.table in ("coil", "discrete")
    last = tag.index + tag.words - 1
    if tag.writable and tag.table in ("input", "discrete"):
        yield (*where, "access"), "table_access", f"table {tag.table} cannot be written"
    if tag.index < 0 or last > 65535:
        yield (*where, "address"), "address_range", f"reaches past 65535 ({tag.index}..{last})"
    if bits != (tag.type == "bool"):
        yield (*where, "type"), "type_table", f"type {tag.type} does not fit table {tag.table}"
    if tag.type in ("string", "bytes", "datetime", "int8", "uint8"):
        yield (*where, "type"), "type_modbus", f"type {tag.type} does not exist on Modbus (a text is string(n))"
    if tag.words > (link.max_read_bits if bits else link.max_read_registers):
        yield where, "block_limit", f"has {tag.words} words, more than one request of this link carries"
    for zone in link.forbidden:
        if zone.table == tag.table and tag.index <= zone.to and last >= zone.from_:
            yield (*where, "address"), "forbidden", f"lies in the forbidden range {zone.from_}..{zone.to}"


def _limited(tag: Tag) -> bool:
    if tag.type == "bool" or tag.type.startswith(("bit", "string(")):
        return True
    if tag.limits is None:
        return False
    if tag.type in ("string", "bytes"):
        return tag.limits.max_length is not None
    return tag.type == "datetime" or (tag.limits.min is not None and tag.limits.max is not None)


def _own_words(tagmap: TagMap) -> set[str]:
    """Tags whose values the protocol itself chooses: the MES heartbeat and its limit."""
    beats = [link.heartbeat for link in tagmap.links.values() if link.heartbeat]
    return {name for beat in beats for name in (beat.out, beat.limit_out) if name}


def _fits(raw: float, type_: str) -> bool:
    if type_.startswith("float"):
        return True
    size = next((bits for end, bits in _RAW.items() if type_.endswith(f"int{end}")), None)
    if size is None or raw != int(raw):
        return False
    low = 0 if type_.startswith("u") else -(2 ** (size - 1))
    return bool(low <= raw < 2**size)  # a signed 0x8000 may be written as it looks


def _heartbeat(name: str, tagmap: TagMap) -> Iterator[tuple[Where, str, str]]:
    beat = tagmap.links[name].heartbeat
    if beat is None:
        return
    where: Where = ("links", name, "heartbeat")
    if beat.limit_s is None:
        yield where, "heartbeat_limit", "has no limit_s"
    for key, tag, writes in (("in", beat.in_, False), ("out", beat.out, True), ("limit_out", beat.limit_out, True)):
        if tag is not None:
            yield from _use((*where, key), tag, name, tagmap, writes=writes)


def _use(where: Where, tag_name: str, link: str, tagmap: TagMap, *, writes: bool) -> Iterator[tuple[Where, str, str]]:
    tag = tagmap.tags.get(tag_name)
    if tag is None:
        yield where, "tag_unknown", f"tag {tag_name!r} does not exist or is faulty"
    elif tag.link != link:
        yield where, "tag_link", f"tag {tag_name!r} belongs to link {tag.link!r}"
    elif writes and not tag.writable:
        yield where, "tag_access", f"tag {tag_name!r} cannot be written (access {tag.access})"
    elif not writes and not tag.readable:
        yield where, "tag_access", f"tag {tag_name!r} cannot be read (access {tag.access})"


def _overlaps(name: str, tagmap: TagMap) -> Iterator[tuple[Where, str, str]]:
    tags = sorted(tagmap.tags_of(name), key=lambda t: (t.unit_id, t.table, t.index, -t.words))
    for index, first in enumerate(tags):
        for second in tags[index + 1 :]:
            if (second.unit_id, second.table) != (first.unit_id, first.table):
                break
            if second.index >= first.index + first.words:
                break
            bits = first.type.startswith("bit") or second.type.startswith("bit")
            if first.writable and second.writable and not (bits and first.type != second.type):
                yield ("tags", second.name, "address"), "two_writers", f"writes the same register as {first.name!r}"
            elif not bits and (first.type, first.index) != (second.type, second.index):
                text = f"overlaps {first.name!r}, which has another type"
                yield ("tags", second.name, "address"), "overlap", text


def _consistency(name: str, link: ModbusLink, tagmap: TagMap) -> Iterator[tuple[Where, str, str]]:
    groups: dict[str, list[Tag]] = {}
    for tag in tagmap.tags_of(name):
        if tag.consistency:
            groups.setdefault(tag.consistency, []).append(tag)
    for label, tags in groups.items():
        where: Where = ("tags", tags[0].name, "consistency")
        if len({(tag.unit_id, tag.table, tag.group) for tag in tags}) > 1:
            yield (
                where,
                "consistency",
                f"group {label!r} spans units, tables or groups and cannot come from one request",
            )
            continue
        first, last = min(tag.index for tag in tags), max(tag.index + tag.words - 1 for tag in tags)
        if last - first + 1 > link.max_read_registers:
            yield where, "block_limit", f"group {label!r} has {last - first + 1} words, more than one request carries"
        if any(z.table == tags[0].table and first <= z.to and last >= z.from_ for z in link.forbidden):
            yield where, "forbidden", f"group {label!r} lies across a forbidden range"


def _mailbox(name: str, config: MailboxConfig, tagmap: TagMap) -> Iterator[tuple[Where, str, str]]:
    where: Where = ("links", name, "handshake")
    areas: list[tuple[str, WordArea, int]] = [("command", config.command, WORDS), ("answer", config.answer, WORDS)]
    if config.payload:
        areas.append(("payload", config.payload, config.payload.words))
    link = tagmap.links[name]
    for key, area, size in areas:
        if isinstance(link, ModbusLink):
            yield from _area((*where, key), area, size, link, tagmap, writes=key != "answer")
        elif isinstance(link, OpcUaLink) and area.node is None:
            yield (*where, key), "missing", "needs a node on an OPC UA link"
    for (key_a, a, size_a), (key_b, b, size_b) in pairwise([*areas, areas[0]] if len(areas) > 2 else areas):
        if a.table and a.table == b.table and a.address < b.address + size_b and b.address < a.address + size_a:
            yield (*where, key_b), "overlap", f"overlaps the {key_a} block"
    taken: dict[int, str] = {}
    for parameter, place in config.parameters.items():
        for word in range(place.word, place.word + place.size):
            if word > 11:
                yield (*where, "parameters", parameter), "word_range", f"word {word} is past the 12 parameter words"
            elif word in taken:
                yield (*where, "parameters", parameter), "overlap", f"word {word} already carries {taken[word]!r}"
            taken[word] = parameter


def _area(
    where: Where, area: WordArea, size: int, link: ModbusLink, tagmap: TagMap, *, writes: bool
) -> Iterator[tuple[Where, str, str]]:
    if area.table is None:
        yield where, "missing", "needs a table on a Modbus link"
        return
    if writes and area.table != "holding":
        yield where, "table_access", f"table {area.table} cannot be written"
    if area.address + size - 1 > 65535:
        yield where, "address_range", f"reaches past 65535 ({area.address}..{area.address + size - 1})"
    if size == WORDS and (link.max_write_registers if writes else link.max_read_registers) < WORDS:
        yield where, "block_limit", "does not fit one request of this link"
    for zone in link.forbidden:
        if zone.table == area.table and area.address <= zone.to and area.address + size > zone.from_:
            yield where, "forbidden", f"lies in the forbidden range {zone.from_}..{zone.to}"
    for tag in tagmap.tags_of(link.name):
        same = (tag.table, tag.unit_id) == (area.table, link.unit)
        if same and tag.index < area.address + size and area.address < tag.index + tag.words:
            yield ("tags", tag.name, "address"), "overlap", f"lies in the mailbox's {where[-1]} block"


def _roles(name: str, config: TagsConfig, tagmap: TagMap) -> Iterator[tuple[Where, str, str]]:
    where: Where = ("links", name, "handshake")
    roles = config.roles
    written = ("job_id", "pallet_id", "command", "mes_heartbeat")
    for role, tag in roles.model_dump(exclude_none=True).items():
        yield from _use((*where, "roles", role), tag, name, tagmap, writes=role in written)
    for parameter, tag in config.parameters.items():
        yield from _use((*where, "parameters", parameter), tag, name, tagmap, writes=True)
    if roles.state is not None:
        missing = {"ready", "busy", "done"} - set(config.state_values)
        if missing:
            yield (*where, "state_values"), "missing", f"lacks {', '.join(sorted(missing))}"
    elif not (roles.ready and roles.busy and roles.done):
        yield (*where, "roles"), "missing", "needs ready, busy and done, or one state with state_values"
    if config.acknowledgement == "command" and config.command_values.acknowledge is None:
        yield (*where, "command_values"), "missing", "lacks acknowledge, which acknowledge: command writes"
