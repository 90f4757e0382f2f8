"""Reads one YAML file into plain Python, remembering the line of every key.

YAML's surprises are refused here: a key given twice, an alias, a bare ``no`` or ``12:30`` that
YAML 1.1 would turn into something else.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from odds_pipeline.declarations.problems import Problem

Loc = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?")
_BASE = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader


@dataclass
class YamlFile:
    """A parsed file: ``data`` is plain Python, ``lines`` maps a key's path to its line."""

    path: Path
    data: Any
    lines: dict[Loc, int] = field(default_factory=dict)
    nodes: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def line(self, loc: Loc) -> int:
        """Line of the value at ``loc``, or of its nearest enclosing value."""
        for length in range(len(loc), -1, -1):
            if loc[:length] in self.lines:
                return self.lines[loc[:length]]
        return 1

    def problem(self, loc: Loc, message: str) -> Problem:
        return Problem(self.path, self.line(loc), message)


def _scalar(node: yaml.ScalarNode) -> Any:
    """Booleans are ``true`` and ``false`` only; a code such as 093 or 2020-12 stays text."""
    text: str = node.value
    if node.style:
        return text
    if text in ("", "null", "~"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _construct(node: yaml.Node, loc: Loc, file: YamlFile) -> Any:
    # An alias is the same node again; followed, ten lines can stand for a thousand million values.
    if id(node) in file.nodes:
        message = "an alias (*name) stands for what is written elsewhere: write it out"
        file.problems.append(file.problem(loc, message))
        return None
    file.nodes.add(id(node))
    file.lines.setdefault(loc, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*loc, i), file) for i, item in enumerate(node.value)]
    result: dict[Any, Any] = {}
    assert isinstance(node, yaml.MappingNode)
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            file.problems.append(
                Problem(file.path, key_node.start_mark.line + 1, "a key must be plain text")
            )
            continue
        key = str(key_node.value)
        here = (*loc, key)
        line = key_node.start_mark.line + 1
        if key in result:
            file.problems.append(
                Problem(
                    file.path,
                    line,
                    f"key {key!r} is given twice (first at line {file.lines[here]})",
                )
            )
        file.lines[here] = line
        result[key] = _construct(value_node, here, file)
    return result


def read_yaml(path: Path, root: Path) -> YamlFile:
    """Read ``path``; a syntax error becomes a problem and ``data`` is then ``None``."""
    relative = path.relative_to(root)
    file = YamlFile(relative, None)
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_BASE)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        file.problems.append(Problem(relative, line, f"not valid YAML: {error.problem}"))
        return file
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        file.problems.append(Problem(relative, 1, f"not readable as UTF-8 YAML: {error}"))
        return file
    if node is not None:
        file.data = _construct(node, (), file)
    return file
