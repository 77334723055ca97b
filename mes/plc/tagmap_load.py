"""Reads tags.yaml piece by piece, so that every fault is found in one go, and works out what each tag inherits."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mes.core.errors import ConfigError, Fault
from mes.core.yamlfile import YamlFile
from mes.plc.tagmap import GroupConfig, Inherited, LinkConfig, Tag, TagConfig, TagMap
from mes.plc.tagmap_checks import check

_PARTS: dict[str, TypeAdapter[Any]] = {
    "links": TypeAdapter(LinkConfig),
    "groups": TypeAdapter(GroupConfig),
    "tags": TypeAdapter(TagConfig),
}
_INHERITED = tuple(Inherited.model_fields)
_OWN = ("type", "count", "scale", "offset", "unit", "range", "clamp", "limits", "verify", "consistency", "description")


def load(path: Path) -> TagMap:
    """Raises ConfigError with all faults."""
    path = path / "tags.yaml" if path.is_dir() else path
    file = YamlFile(path)
    faults = list(file.duplicates)
    parts = _parts(file, faults)
    links = {name: link.model_copy(update={"name": name}) for name, link in parts["links"].items()}
    tags: dict[str, Tag] = {}
    for name, config in parts["tags"].items():
        tag = _effective(name, config, links, parts["groups"], file, faults)
        if tag is not None:
            tags[name] = tag
    tagmap = TagMap(path.parent, links, parts["groups"], tags)
    faults += check(tagmap, file)
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: fault.line))
    return tagmap


def _parts(file: YamlFile, faults: list[Fault]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {name: {} for name in _PARTS}
    if not isinstance(file.data, dict):
        faults.append(file.fault((), "type", "is no mapping of links, groups and tags"))
        return found
    for key, items in file.data.items():
        if key not in _PARTS:
            faults.append(file.fault((key,), "extra_forbidden", "is not a known field"))
            continue
        if not isinstance(items, dict):
            if items is not None:
                faults.append(file.fault((key,), "type", "is no mapping of names"))
            continue
        for name, item in items.items():
            try:
                found[key][str(name)] = _PARTS[key].validate_python(item)
            except ValidationError as error:
                faults += [_fault(file, (key, name), item, entry) for entry in error.errors()]
    return found


def _fault(file: YamlFile, where: tuple[str, Any], item: Any, error: Any) -> Fault:
    """Places an error of pydantic in the file; the names of union members in its path are no keys of the file."""
    path: list[str | int] = list(where)
    node = item
    for index, part in enumerate(error["loc"]):
        last = index == len(error["loc"]) - 1
        known = (isinstance(node, Mapping) and part in node) or (isinstance(node, list) and isinstance(part, int))
        if known:
            node = node[part]
            path.append(part)
        elif last and error["type"] == "missing":
            path.append(part)
    if error["type"] == "missing":
        message = "is missing"
    elif error["type"] == "extra_forbidden":
        message = "is not a known field"
    else:
        message = f"{error['msg']} (found {str(error.get('input'))[:60]!r})"
    return file.fault(path, str(error["type"]), message)


def _effective(
    name: str,
    config: TagConfig,
    links: Mapping[str, Any],
    groups: Mapping[str, GroupConfig],
    file: YamlFile,
    faults: list[Fault],
) -> Tag | None:
    where: Sequence[str | int] = ("tags", name)
    group = groups.get(config.group or "")
    if config.group and group is None:
        if config.group not in (file.data.get("groups") or {}):
            faults.append(file.fault((*where, "group"), "group_unknown", f"group {config.group!r} does not exist"))
        return None
    link_name = config.link or (group.link if group else None)
    if link_name is None:
        faults.append(file.fault(where, "link_missing", "has neither a group nor a link"))
        return None
    if group and config.link and config.link != group.link:
        faults.append(file.fault((*where, "link"), "link_conflict", f"is not the link of its group, {group.link!r}"))
    link = links.get(link_name)
    if link is None:
        if config.link and config.link not in (file.data.get("links") or {}):
            faults.append(file.fault((*where, "link"), "link_unknown", f"link {config.link!r} does not exist"))
        return None
    values: dict[str, Any] = {key: getattr(config, key) for key in _OWN}
    origins = {key: "tag" for key in config.model_fields_set}
    for key in _INHERITED:
        for level, source in (("tag", config), ("group", group), ("link", link)):
            value = getattr(source, key, None)
            if value is not None:
                values[key], origins[key] = value, level
                break
    values.setdefault("write_order", values.get("order", "ABCD"))
    return Tag(
        name=name,
        link=link_name,
        group=config.group or f"{link_name}-default",
        raw_invalid=tuple(config.raw_invalid),
        origins=origins,
        **values,
        **_address(name, config, group, link, file, faults),
    )


def _address(
    name: str, config: TagConfig, group: GroupConfig | None, link: Any, file: YamlFile, faults: list[Fault]
) -> dict[str, Any]:
    where = ("tags", name, "address")
    if link.protocol == "memory":
        return {"address": str(config.address if config.address is not None else name)}
    if config.address is None:
        faults.append(file.fault(("tags", name), "missing", "has no address"))
        return {}
    if link.protocol == "opcua":
        return {"address": str(config.address)}
    unit = group.unit if group and group.unit is not None else link.unit
    if config.table is None:
        faults.append(file.fault(("tags", name), "missing", "has no table (coil, discrete, holding or input)"))
    if not isinstance(config.address, int):
        faults.append(file.fault(where, "address", f"a Modbus address is a number, not {config.address!r}"))
        return {"table": config.table or "holding", "unit_id": unit}
    return {"table": config.table or "holding", "index": config.address - link.address_base, "unit_id": unit}
