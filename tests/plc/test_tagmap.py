"""The tag map: inheritance of three levels, and all faults at once, each with its line."""

import pytest

from mes.core.errors import ConfigError
from mes.plc.tagmap import json_schema, load_tagmap

GOOD = """
links:
  c1: {protocol: modbus, host: 10.0.4.21, unit: 1, order: CDAB, heartbeat: {out: c1/mes, limit_s: 5}}
groups:
  c1-fast: {link: c1, scan_ms: 200, unit: 7}
tags:
  c1/mes: {group: c1-fast, table: holding, address: 5, type: uint16, access: rw}
  c1/t: {group: c1-fast, table: input, address: 0, type: int32, scale: 0.1, unit: Cel}
  c1/u: {link: c1, table: input, address: 4, type: float32, order: ABCD}
"""

BAD = """links:
  a: {protocol: modbus, host: h, heartbeat: {in: a/none}}
  b: {protocol: opcua, endpoint: "opc.tcp://x:1"}
groups:
  g: {link: a}
  lost: {link: nowhere}
tags:
  a/1: {group: g, table: input, address: 10, type: uint16, access: rw, limits: {min: 0, max: 1}}
  a/2: {group: g, table: holding, address: 65535, type: float32}
  a/3: {group: g, table: holding, address: 20, type: uint32}
  a/4: {group: g, table: holding, address: 21, type: uint16}
  a/5: {group: nogroup, table: holding, address: 40, type: uint16}
  a/6: {group: g, table: holding, address: 50, type: uint16, access: rw}
  a/7: {group: g, table: holding, address: 60, type: uint8x}
  a/8: {group: g, table: holding, address: 70, type: int16, raw_invalid: [70000]}
  b/1: {link: b, address: "ns=2;s=X"}
  b/2: {link: b, address: "s=X", colour: red}
  a/4: {group: g, table: holding, address: 22, type: uint16}
"""


def test_effective_values_and_where_they_come_from(tmp_path):
    (tmp_path / "tags.yaml").write_text(GOOD)
    tagmap = load_tagmap(tmp_path)
    t, u = tagmap.tags["c1/t"], tagmap.tags["c1/u"]
    assert (t.scan_ms, t.unit_id, t.unit, t.order, t.words) == (200, 7, "Cel", "CDAB", 2)
    assert (u.scan_ms, u.unit_id, u.order) == (1000, 1, "ABCD")
    assert (t.origins["scan_ms"], t.origins["order"], t.origins["scale"]) == ("group", "link", "tag")
    assert [tag.name for tag in tagmap.tags_of("c1")] == ["c1/mes", "c1/t", "c1/u"]
    assert tagmap.moved({"c1": {"port": 15021}}).links["c1"].port == 15021


def test_every_fault_is_listed_with_its_line(tmp_path):
    (tmp_path / "tags.yaml").write_text(BAD)
    with pytest.raises(ConfigError) as refused:
        load_tagmap(tmp_path)
    found = {(fault.line, fault.code) for fault in refused.value.faults}
    wanted = {
        (2, "heartbeat_limit"), (2, "tag_unknown"), (6, "link_unknown"), (8, "table_access"), (9, "address_range"),
        (12, "group_unknown"), (13, "limits_missing"), (14, "string_pattern_mismatch"), (15, "raw_invalid"),
        (16, "namespace_index"), (17, "extra_forbidden"), (18, "duplicate"),
    }  # fmt: skip
    assert wanted <= found, wanted - found


def test_overlap_and_two_writers(tmp_path):
    text = GOOD + "  c1/v: {group: c1-fast, table: input, address: 1, type: int16}\n"
    text += "  c1/w: {group: c1-fast, table: holding, address: 5, type: uint16, access: w, limits: {min: 0, max: 1}}\n"
    (tmp_path / "tags.yaml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_tagmap(tmp_path)
    assert {fault.code for fault in refused.value.faults} == {"overlap", "two_writers"}


def test_there_is_a_schema_for_editors():
    assert set(json_schema()["properties"]) == {"links", "groups", "tags"}


@pytest.mark.parametrize(
    ("security", "codes"),
    [
        ("{user: u, password_file: p}", {"password_in_clear"}),
        ("{policy: Basic256Sha256, mode: Sign, user: u, password_file: p}", {"password_in_clear"}),
        ("{policy: Aes256Sha256RsaPss, mode: None}", {"security_mode"}),
        ("{policy: None, mode: Sign}", {"security_policy"}),
        ("{policy: Basic256Sha256, mode: SignAndEncrypt, password_file: p}", {"user_missing"}),
        ("{policy: Basic256Sha256, mode: SignAndEncrypt, user: u, password_file: p}", set()),
        ("{policy: Basic256Sha256, user: u, password_file: p}", set()),
    ],
)
def test_passwords_go_over_encrypted_channels_only(tmp_path, security, codes):
    link = f'links:\n  a:\n    protocol: opcua\n    endpoint: "opc.tcp://x:1"\n    security: {security}\n'
    (tmp_path / "tags.yaml").write_text(link)
    if not codes:
        assert load_tagmap(tmp_path).links["a"].security.password_file == "p"
        return
    with pytest.raises(ConfigError) as found:
        load_tagmap(tmp_path)
    assert {fault.code for fault in found.value.faults} == codes
    assert {fault.line for fault in found.value.faults} == {5}
