"""The rule data of families and profiles agree with the code and with each other."""

from importlib.resources import files

import yaml

from mes.orders.component_type import FAMILIES
from mes.orders.intake.rules import load_rules


def test_every_family_has_a_whole_routing() -> None:
    data = yaml.safe_load((files("config.rules") / "families.yaml").read_text("utf-8"))
    assert set(data["families"]) == set(FAMILIES)
    for family in data["families"].values():
        assert set(family["routing"]) <= set(data["operations"])
        positions = [data["operations"].index(operation) for operation in family["routing"]]
        assert positions == sorted(positions)
        assert family["routing"].index("inspect_prepour") < family["routing"].index("pour")
        assert family["demould"] in ("tilt", "lift")
        assert family["finish"] in ("float", "rake", "none")
    assert data["families"]["half_slab"]["finish"] == "rake"
    assert {n for n, f in data["families"].items() if f["mould"]} == {"stair", "landing"}


def test_profiles_name_known_families_once() -> None:
    rules = load_rules()
    assert {rule.family for rule in rules.families} <= set(FAMILIES)
    assert len({source.id for source in rules.sources}) == len(rules.sources)
    assert [s.id for s in rules.sources_for("design")][-1] == "design"
    assert [s.id for s in rules.sources_for("tekla")] == ["tekla"]
    assert "design" not in [s.id for s in rules.sources_for(None)]
