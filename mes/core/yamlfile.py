"""Reads YAML and remembers on which line each value stands, so that a fault can be shown where it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from mes.core.errors import ConfigError, Fault

Where = tuple[str | int, ...]


class YamlFile:
    """A parsed YAML file: `data` as plain Python, `line(path)` the 1-based line of a value or of its nearest parent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[Where, int] = {}
        try:
            text = path.read_text(encoding="utf-8")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except OSError as error:
            raise ConfigError([Fault(str(path), 0, "", "file_missing", f"cannot be read: {error.strerror}")]) from error
        except UnicodeDecodeError as error:
            raise ConfigError([Fault(str(path), 0, "", "encoding", "is not UTF-8 text")]) from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            raise ConfigError([Fault(str(path), line, "", "yaml", f"is not valid YAML: {error.problem}")]) from error
        self.duplicates: list[Fault] = []
        self.data: Any = {} if node is None else self._walk(node, ())

    def line(self, where: Sequence[str | int]) -> int:
        for end in range(len(where), -1, -1):
            found = self._lines.get(tuple(where[:end]))
            if found is not None:
                return found
        return 1

    def fault(self, where: Sequence[str | int], code: str, message: str) -> Fault:
        return Fault(str(self.path), self.line(where), ".".join(str(part) for part in where), code, message)

    def _walk(self, node: yaml.Node, where: Where) -> Any:
        self._lines.setdefault(where, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            result: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = _scalar(key_node)
                if key in result:
                    self._lines[(*where, key)] = key_node.start_mark.line + 1
                    self.duplicates.append(self.fault((*where, key), "duplicate", "stands twice in this file"))
                self._lines[(*where, key)] = key_node.start_mark.line + 1
                result[key] = self._walk(value_node, (*where, key))
            return result
        if isinstance(node, yaml.SequenceNode):
            return [self._walk(item, (*where, index)) for index, item in enumerate(node.value)]
        return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    return yaml.SafeLoader("").construct_object(node, deep=True)
