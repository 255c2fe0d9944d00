"""Where things stand in the mapping file: from a path such as ("resources", 0, "selector") to `file:line:column`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAY_BE_SECRET = re.compile(
    r"""(?ix) ( (?: (?:token|tokn|password|passwd|secret|authorization|api[-_]?key|\bkey) [\w-]* ["']? \s*:\s* )
        ["']? ) (?!["'\s]|\$\{|[.{\[|>&*]) ([^"',}\s]+) """
)
"""A literal value beside a name that secrets have. Masked with its length kept, so that columns stay true."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML text with its nodes, which know their positions."""

    file: str
    text: str
    root: yaml.Node

    def place(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """The place of the value at `path`, or of its key."""
        return self.of(self._nearest(path)[0 if key else 1])

    def nearest(self, path: Sequence[str | int]) -> yaml.Node:
        """The node at `path`. Parts that no node has are skipped: pydantic puts the tags of unions, and the index
        of a value that was read as a list of one, into its locations."""
        return self._nearest(path)[1]

    def existing(self, path: Sequence[str | int]) -> Path:
        """`path` without the parts that no node has."""
        found: list[str | int] = []
        for part in path:
            if self._step(self._nearest(found)[1], part) is not None:
                found.append(part)
        return tuple(found)

    def _nearest(self, path: Sequence[str | int]) -> tuple[yaml.Node, yaml.Node]:
        key_node, node = self.root, self.root
        for part in path:
            key_node, node = self._step(node, part) or (key_node, node)
        return key_node, node

    @staticmethod
    def _step(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
        match node:
            case yaml.MappingNode():
                return next(((key, value) for key, value in node.value if key.value == str(part)), None)
            case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
                return node.value[part], node.value[part]
            case _:
                return None

    def of(self, node: yaml.Node, column: int = 1) -> Place:
        """The place of a node; `column` counts from 1 within the text of a scalar that stands on one line."""
        mark = node.start_mark
        inside = 0
        if isinstance(node, yaml.ScalarNode) and column > 1 and mark.line == node.end_mark.line:
            inside = column - 1 + (1 if node.style in ("'", '"') else 0)
        return Place(self.file, mark.line + 1, mark.column + inside + 1)

    def excerpt(self, place: Place) -> str:
        """The line of `place` with a caret under its column."""
        return excerpt(self.text, place)


def excerpt(text: str, place: Place) -> str:
    """The line of `place` in `text` with a caret under its column; what may be a secret is covered."""
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    line = _MAY_BE_SECRET.sub(lambda match: match[1] + "*" * len(match[2]), line)
    number = f"{place.line:>5}"
    return f"{number} | {line}\n{' ' * len(number)} | {' ' * (place.column - 1)}^"
