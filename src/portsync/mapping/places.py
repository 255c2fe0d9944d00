"""Where things stand in the mapping file: from a path such as ("resources", 0, "selector") to `file:line:column`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    def _nearest(self, path: Sequence[str | int]) -> tuple[yaml.Node, yaml.Node]:
        node, key_node = self.root, self.root
        for part in path:
            match node:
                case yaml.MappingNode():
                    found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
                    if found is not None:
                        key_node, node = found
                case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
                    key_node = node = node.value[part]
                case _:
                    pass
        return key_node, node

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
    """The line of `place` in `text` with a caret under its column."""
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    number = f"{place.line:>5}"
    return f"{number} | {line}\n{' ' * len(number)} | {' ' * (place.column - 1)}^"
