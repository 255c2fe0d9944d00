"""Where a character of a YAML scalar stands in the file: behind quotes, escapes, folded lines and indentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml

_BREAK = re.compile(r"[ \t]*(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))*[ \t]*")
"""A line break within a flow scalar, with all white space around it, which folds into a space or some newlines."""
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
"""An anchor, a tag, or both, before the scalar itself."""
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|(?:\r\n|\r|\n)[ \t]*|.)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def index_of(text: str, node: yaml.ScalarNode, offset: int) -> int | None:
    """The index in `text` of the character at `offset` of the scalar's value; of the end of the value, where `offset`
    is its length. None where the value is not what stands there, as after `${NAME}` was put in."""
    start, end = node.start_mark.index, node.end_mark.index
    start += len(properties[0]) if (properties := _PROPERTIES.match(text, start, end)) else 0
    value: str = node.value
    match node.style:
        case "|" | ">":
            indices = list(_block(text, start, end, value))
        case "'" | '"':
            indices = list(_flow(text, start + 1, end - 1, value, node.style))
        case _:
            indices = list(_flow(text, start, end, value, None))
    if len(indices) != len(value) or not indices:
        return None
    return indices[offset] if offset < len(indices) else indices[-1] + 1


def _flow(text: str, at: int, end: int, value: str, quote: str | None) -> Iterator[int]:
    """The index of each character of a plain or quoted scalar; fewer where the two do not fit together."""
    position = 0
    while position < len(value) and at < end:
        if broken := _BREAK.match(text, at, end):
            if value[position] == " ":
                yield at
                position += 1
            while position < len(value) and value[position] == "\n":
                yield at
                position += 1
            at = broken.end()
        elif quote == '"' and (escape := _ESCAPE.match(text, at, end)):
            if escape[0][1] not in "\r\n":
                yield at
                position += 1
            at = escape.end()
        elif text[at] == value[position]:
            yield at
            position += 1
            at += 2 if quote == "'" and value[position - 1] == "'" else 1
        else:
            return


def _block(text: str, start: int, end: int, value: str) -> Iterator[int]:
    """The index of each character of a block scalar, line by line; fewer where the two do not fit together."""
    position = 0
    indent: int | None = None
    at = text.find("\n", start) + 1
    while 0 < at < end and position < len(value):
        line = _LINE.match(text, at)
        assert line is not None, "it matches anything"
        content = line[0].rstrip("\r\n")
        if content.strip():
            indent = _indent_of(content, value) if indent is None else indent
            content = content[indent:]
            # What is between the lines is one space, or newlines, whatever stands for them in the file.
            while position < len(value) and value[position] in " \n" and not value.startswith(content, position):
                yield at - 1
                position += 1
            if not value.startswith(content, position):
                return
            yield from range(at + indent, at + indent + len(content))
            position += len(content)
        at = line.end()
    while position < len(value) and value[position] == "\n":
        yield at - 1
        position += 1


def _indent_of(content: str, value: str) -> int:
    """By how much the first line that is not empty is indented; a number behind the `|` may leave spaces to it."""
    first = next(line for line in value.split("\n") if line.strip())
    stripped = content.lstrip(" ")
    kept = len(first) - len(first.lstrip(" "))
    return len(content) - len(stripped) - kept
