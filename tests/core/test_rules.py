"""Rule packs: every shipped value names its source, look-ups choose set and case, a broken pack lists all its faults."""

from pathlib import Path

import pytest

from mes.core.errors import ConfigError, NotFound, RuleBroken
from mes.core.rules import Limits, load_rules

PACKS = ("curing", "gates", "tolerances", "codes", "scan")


@pytest.mark.parametrize("name", PACKS)
def test_each_value_has_standard_clause_version_and_status(name: str) -> None:
    pack = load_rules(name)
    assert len(pack.rules) > 10
    for rule in pack.rules:
        assert rule.standard.strip(), rule.id
        assert rule.clause.strip(), rule.id
        assert rule.version >= 1, rule.id
        assert rule.status in ("verify", "seen", "own"), rule.id
        assert rule.status != "own" or rule.standard in ("own", "ISO/IEC 18004"), rule.id
    for set_name, info in pack.sets.items():
        assert set(info.name) == {"zh", "en"}, set_name


def test_values_by_id_set_and_case() -> None:
    curing, tolerances = load_rules("curing"), load_rules("tolerances")
    assert curing.number("curing.temp_max") == 70
    assert curing.value("curing.rest_time") == [2, 6]
    assert curing.number("curing.temp_max", "cn-plant-page") == 45
    assert curing.number("curing.cool_rate_max", "cn-plant-page") == 20, "looked up in the set it builds on"
    assert curing.number("curing.alarm.sensor_gap_max", "cn-plant-page") == 10, "rows without a set are in every set"
    slab = "cn-gbt51231-2016.slab"
    lengths = [tolerances.number("tol.length", slab, L=length) for length in (11_999, 12_000, 18_000)]
    assert lengths == [5, 10, 20]
    assert tolerances.number("tol.lateral_bow_max", slab, L=7500) == 10
    assert tolerances.number("tol.lateral_bow_max", slab, L=30_000) == 20
    assert tolerances.number("tol.twist_max", slab, L=30_000) == 40
    assert tolerances.limits("tol.embed_plate_level", slab) == Limits(plus=0, minus=-5)
    assert tolerances.limits("tol.width", slab) == Limits(plus=5, minus=-5)
    assert tolerances.number("tol.diagonal_diff_max", "cn-jgj1-2014.slab") == 10
    assert tolerances.number("tol.width", "cn-jgj1-2014.slab") == 5
    assert tolerances.limits("mould.length", "cn-gbt51231-2016.mould", L=6001) == Limits(plus=2, minus=-4)
    assert load_rules("gates").value("gate.leave_plant.needs_label") is True
    assert load_rules("curing").number("curing.discharge_to_finish_max", T=26) == 60


def test_lookups_that_fail_say_what_is_missing() -> None:
    curing = load_rules("curing")
    with pytest.raises(NotFound, match=r"no rule curing\.nothing"):
        curing.value("curing.nothing")
    with pytest.raises(NotFound, match="no set mars"):
        curing.value("curing.temp_max", "mars")
    with pytest.raises(RuleBroken, match="fact L"):
        load_rules("tolerances").value("tol.length", "cn-gbt51231-2016.slab")
    with pytest.raises(RuleBroken, match="not one number"):
        curing.number("curing.rest_time")
    assert not curing.has("curing.nothing")
    assert curing.has("curing.temp_max", "cn-plant-page")


BROKEN = """\
rules:
  - {id: a.one, value: 1, standard: X, clause: "1", status: verify, version: 1}
  - {id: a.one, value: 2, standard: X, clause: "1", status: verify, version: 1}
  - {id: a.two, set: nowhere, value: 1, standard: X, clause: "1", status: verify, version: 1}
"""

MALFORMED = """\
rules:
  - {id: a.one, value: 1, clause: "1", status: verify, version: 1}
  - {id: a.two, value: 1, standard: X, clause: "1", status: guessed, version: 1}
  - {id: a.three, standard: X, clause: "1", status: own, version: 0}
  - {id: a.four, value: [one, 2], standard: X, clause: " ", status: own, version: 1}
"""


def test_all_faults_of_a_pack_at_once(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(BROKEN, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_rules("broken", tmp_path)
    assert [(f.line, f.path, f.code) for f in caught.value.faults] == [
        (3, "rules.1.id", "duplicate"),
        (4, "rules.2.set", "set_unknown"),
    ]


def test_malformed_rows_are_all_named_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "malformed.yaml").write_text(MALFORMED, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_rules("malformed", tmp_path)
    places = {(f.line, f.path) for f in caught.value.faults}
    assert {(2, "rules.0.standard"), (3, "rules.1.status"), (4, "rules.2.version")} <= places
    assert any(line == 5 and path.startswith("rules.3.clause") for line, path in places)


def test_a_missing_pack_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_rules("absent", tmp_path)
