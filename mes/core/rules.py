"""Rule packs: the plant's limits as data, each with its standard, clause, version and whether somebody has checked it.

A pack is `config/rules/<name>.yaml` with `sets` (which may build on one another) and `rules` (one row per value).
`status`: verify = not yet checked against the text, seen = read in a public source, own = a default of the product.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from mes.core.errors import ConfigError, Fault, NotFound, RuleBroken
from mes.core.yamlfile import YamlFile

Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Condition = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]+\s*(<=|>=|<|>|==)\s*-?[0-9.]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Part):
    """Signed limits around a nominal value: `minus` ≤ deviation ≤ `plus` (minus is 0 or negative)."""

    plus: float = Field(ge=0)
    minus: float = Field(le=0)


class Ratio(_Part):
    """A share of the member's length, L/`ratio`, never above `max` (mm)."""

    ratio: float = Field(gt=0)
    max: float = Field(default=inf, gt=0)


Value = bool | float | str | Limits | Ratio | list[float] | list[str]


class Case(_Part):
    """One value under a condition such as `L<12000`; without `when` it is the rest."""

    value: Value
    when: Condition | None = None

    def holds(self, facts: Mapping[str, float]) -> bool:
        return self.when is None or _holds(self.when, facts)


class Rule(_Part):
    """One value of a pack. `set` "" is valid in every set of the pack; `effective` is the day from which it counts."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]+$")]
    set: str = ""
    value: Value | None = None
    cases: list[Case] = []
    unit: str = ""
    op: Literal["<=", ">=", "==", ""] = ""
    standard: Filled
    clause: Filled
    status: Literal["verify", "seen", "own"]
    version: int = Field(ge=1)
    effective: date | None = None
    name: dict[Literal["zh", "en"], Filled] = {}
    note: str = ""

    @model_validator(mode="after")
    def _one_kind_of_value(self) -> "Rule":
        if (self.value is None) == (not self.cases):
            raise ValueError("has either a value or cases")
        return self


class SetInfo(_Part):
    """A selectable set of values, built on another one (`base`): what it lacks is looked up there."""

    name: dict[Literal["zh", "en"], Filled]
    base: str | None = None


class _Pack(_Part):
    sets: dict[str, SetInfo] = {}
    rules: list[Rule] = Field(min_length=1)


class RuleSet:
    """One loaded pack; look-ups raise NotFound(code="rule_unknown") for what it does not hold."""

    def __init__(self, name: str, sets: Mapping[str, SetInfo], rules: Sequence[Rule]) -> None:
        self.name, self.sets, self.rules = name, dict(sets), list(rules)
        self._rows = {(rule.set, rule.id): rule for rule in rules}

    def rule(self, id: str, set: str | None = None) -> Rule:
        """The row of a set, of the sets it builds on, then the one without a set; without `set` the first row of that id."""
        found = next(iter(self._found(id, set)), None)
        if found is None:
            where = f" in set {set}" if set else ""
            raise NotFound(f"Rule pack {self.name} has no rule {id}{where}.", code="rule_unknown")
        return found

    def value(self, id: str, set: str | None = None, **facts: float) -> Value:
        """The value of a rule; `facts` (e.g. L=12500 in mm) choose among its cases and resolve lengths such as L/750."""
        rule = self.rule(id, set)
        value = rule.value
        if rule.cases:
            value = next((case.value for case in rule.cases if case.holds(facts)), None)
        if value is None:
            raise RuleBroken(f"No case of rule {id} fits {dict(facts)}.", code="rule_no_case")
        if isinstance(value, Ratio):
            return min(_fact("L", facts, id) / value.ratio, value.max)
        return value

    def number(self, id: str, set: str | None = None, **facts: float) -> float:
        """The value of a rule that is one number. Raises RuleBroken(code="rule_kind") when it is something else."""
        value = self.value(id, set, **facts)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RuleBroken(f"Rule {id} of pack {self.name} is not one number but {value!r}.", code="rule_kind")
        return float(value)

    def limits(self, id: str, set: str | None = None, **facts: float) -> Limits:
        """The value as signed limits; one number n is ±n."""
        value = self.value(id, set, **facts)
        if isinstance(value, Limits):
            return value
        number = self.number(id, set, **facts)
        return Limits(plus=number, minus=-number)

    def has(self, id: str, set: str | None = None) -> bool:
        return bool(self._found(id, set))

    def _found(self, id: str, set: str | None) -> list[Rule]:
        if set is None:
            return [rule for rule in self.rules if rule.id == id]
        return [self._rows[s, id] for s in (*self._line_of(set), "") if (s, id) in self._rows]

    def _line_of(self, set: str) -> list[str]:
        line: list[str] = []
        at: str | None = set
        while at and at not in line:
            if at not in self.sets:
                raise NotFound(f"Rule pack {self.name} has no set {at}.", code="rule_unknown")
            line.append(at)
            at = self.sets[at].base
        return line


def load_rules(name: str, folder: Path | None = None) -> RuleSet:
    """Reads a pack from `folder` (the product's own packs by default). Raises ConfigError with all its faults at once."""
    return _load(name, folder or Path(str(files("config"))) / "rules")


@lru_cache(maxsize=32)
def _load(name: str, folder: Path) -> RuleSet:
    file = YamlFile(folder / f"{name}.yaml")
    faults = list(file.duplicates)
    try:
        pack = _Pack.model_validate(file.data)
    except ValidationError as error:
        seen = {(file.fault(_path(item), "", "").path): item for item in error.errors()}
        faults += [file.fault(_path(item), str(item["type"]), _sentence(item)) for item in seen.values()]
        raise ConfigError(faults) from error
    faults += _check(file, pack)
    if faults:
        raise ConfigError(faults)
    return RuleSet(name, pack.sets, pack.rules)


def _check(file: YamlFile, pack: _Pack) -> list[Fault]:
    faults: list[Fault] = []
    seen: set[tuple[str, str]] = set()
    for n, rule in enumerate(pack.rules):
        if (rule.set, rule.id) in seen:
            faults.append(file.fault(["rules", n, "id"], "duplicate", f"{rule.id!r} stands twice in set {rule.set!r}"))
        seen.add((rule.set, rule.id))
        if rule.set and rule.set not in pack.sets:
            faults.append(file.fault(["rules", n, "set"], "set_unknown", f"set {rule.set!r} is not in this pack"))
    for name, info in pack.sets.items():
        if info.base is not None and info.base not in pack.sets:
            faults.append(file.fault(["sets", name, "base"], "set_unknown", f"set {info.base!r} is not in this pack"))
    return faults


def _path(item: Any) -> list[str | int]:
    """Where the fault stands in the file: without the names that pydantic gives to the members of a union."""
    where: list[str | int] = []
    for part in item["loc"]:
        if isinstance(part, str) and (part[:1].isupper() or part in ("bool", "float", "str") or "[" in part):
            break
        where.append(part)
    return where


def _sentence(item: Any) -> str:
    if item["type"] == "missing":
        return "is missing"
    return f"{str(item['msg']).removeprefix('Value error, ')} (found {str(item.get('input'))[:60]!r})"


def _holds(when: str, facts: Mapping[str, float]) -> bool:
    match = re.match(r"([A-Za-z_]+)\s*(<=|>=|<|>|==)\s*(-?[0-9.]+)", when)
    assert match is not None
    fact, limit = _fact(match[1], facts, when), float(match[3])
    return {
        "<": fact < limit,
        "<=": fact <= limit,
        ">": fact > limit,
        ">=": fact >= limit,
        "==": fact == limit,
    }[match[2]]


def _fact(name: str, facts: Mapping[str, float], rule: str) -> float:
    if name not in facts:
        raise RuleBroken(f"Rule {rule} needs the fact {name}.", code="rule_needs_fact")
    return facts[name]
