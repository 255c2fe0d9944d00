"""Where things stand in the mapping file: from a path such as ("resources", 0, "selector") to `file:line:column`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from portsync.mapping.scalars import index_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NAME = r"(?:token|tokn|password|passwd|secret|authorization|api[-_]?key|\bkey) [\w-]* [\"']? \s*:\s*"
_MAY_BE_SECRET = re.compile(rf"""(?ix) ( {_NAME} ["']? ) (?!["'\s]|\$\{{|[.{{\[|>&*]) ([^"',}}\s]+) """)
"""A literal value beside a name that secrets have. Masked with its length kept, so that columns stay true."""
_LIST = re.compile(rf"(?ix) ( {_NAME} \[ ) ([^\]]*)")
_OPENS = re.compile(rf"(?ix) {_NAME} (?: \[ | [|>][-+0-9]* )? \s* (?:\#.*)? $")
_OPAQUE = re.compile(r"\s*[A-Za-z0-9+/=]{40,}\s*")
"""A line of a key in PEM form, wherever it was pasted."""
_PASTED = re.compile(
    r"(?<=://)[^/@\s\"']+(?=@)|(?<![\w-])(?=[\w-]*[A-Za-z])(?=(?:[A-Za-z_-]*\d){3})[\w-]{20,}", re.ASCII
)
"""A name and password in a URL, and what looks like a key wherever it stands: somebody may have pasted it there."""
_ITEM = re.compile(r"(\s*(?:-\s+)?)(.*)")
_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_COVERED = re.compile(r"[^\s\[\],\"']")
_UNIONS = ("auth", "pagination")
"""The sections of which there are several types: pydantic puts the type into its locations, behind their name."""

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
        return tuple(part for part, _, _ in self._walk(path))

    def _nearest(self, path: Sequence[str | int]) -> tuple[yaml.Node, yaml.Node]:
        return ([(self.root, self.root)] + [(key, node) for _, key, node in self._walk(path)])[-1]

    def _walk(self, path: Sequence[str | int]) -> Iterator[tuple[str | int, yaml.Node, yaml.Node]]:
        """The parts of `path` that have nodes, each with that of its key and its own."""
        node, is_union = self.root, False
        for part in path:
            step = None if is_union and self._is_type(node, part) else self._step(node, part)
            # A key may have the name of its section's type; the type comes first.
            is_union = step is not None and part in _UNIONS
            if step is not None:
                key_node, node = step
                yield part, key_node, node

    def _is_type(self, node: yaml.Node, part: str | int) -> bool:
        step = self._step(node, "type")
        return step is not None and step[1].value == part

    @staticmethod
    def _step(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
        match node:
            case yaml.MappingNode():
                return next(((key, value) for key, value in node.value if key.value == str(part)), None)
            case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
                return node.value[part], node.value[part]
            case _:
                return None

    def of(self, node: yaml.Node, offset: int | None = None) -> Place:
        """The place of a node, or of the character at `offset` of a scalar's value."""
        mark = node.start_mark
        if offset is not None and isinstance(node, yaml.ScalarNode):
            index = index_of(self.text, node, offset)
            if index is not None:
                inside = self.text[mark.index : index]
                lines = _BREAK.split(inside)
                column = mark.column if len(lines) == 1 else 0
                return Place(self.file, mark.line + len(lines), column + len(lines[-1]) + 1)
        return Place(self.file, mark.line + 1, mark.column + 1)

    def excerpt(self, place: Place) -> str:
        """The line of `place` with a caret under its column."""
        return excerpt(self.text, place)


def excerpt(text: str, place: Place) -> str:
    """The line of `place` in `text` with a caret under its column; what may be a secret is covered."""
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    line = _MAY_BE_SECRET.sub(lambda match: match[1] + "*" * len(match[2]), line)
    line = _PASTED.sub(lambda match: "*" * len(match[0]), line)
    line = _LIST.sub(lambda match: match[1] + _COVERED.sub("*", match[2]), line)
    if _is_below_secret(lines[: place.line]) or _OPAQUE.fullmatch(line):
        line = _ITEM.sub(lambda match: match[1] + _COVERED.sub("*", match[2]), line, count=1)
    number = f"{place.line:>5}"
    return f"{number} | {line}\n{' ' * len(number)} | {' ' * (place.column - 1)}^"


def _is_below_secret(lines: list[str]) -> bool:
    """Whether the last line belongs to a list or text that a line before it opens, under a name that secrets have."""
    if not lines:
        return False
    *before, line = lines
    indent, is_item = _indent(line), line.lstrip().startswith("-")
    for other in reversed(before):
        if not other.strip() or other.lstrip().startswith("#"):
            continue
        stands_left = _indent(other) < indent
        if stands_left or (is_item and _indent(other) == indent and not other.lstrip().startswith("-")):
            return _OPENS.search(other) is not None
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
