"""A mapping under construction as the text of a YAML file, which reads back as the same values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from portsync.errors import Problem
from portsync.importing.tree import Remark
from portsync.mapping.yaml_text import compose, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PLAIN = re.compile(r"[A-Za-z_/.@$][\w /.@$()|+*-]*(?<! )", re.ASCII)
"""Texts that need no quotes anywhere; those that mean something else, such as `true`, are quoted all the same."""
_QUOTABLE = re.compile(r"[ -~\u00a0-\ud7ff\uf900-\ufffd]*")
_IN_LINES = re.compile(r"[!-~\u00a1-\u1fff](?:[ -~\u00a1-\u1fff]|\n)*")
_WIDTH = 118


def written(tree: Any, head: Sequence[str] = ()) -> str:
    """The text of a file with the comments of `head` at its top, and a blank line between sections."""
    lines = [*_comment("", "\n".join(head)), *([""] if head else [])]
    sections = [(key, value) for key, value in tree.items() if isinstance(key, str | Remark)]
    for number, (key, value) in enumerate(sections):
        if number and isinstance(value, dict | list):
            lines.append("")
        lines += _member("", key, value)
    return "\n".join(lines) + "\n"


def _member(indent: str, key: Any, value: Any) -> Iterator[str]:
    if isinstance(key, Remark):
        yield from _comment(indent, key.text)
    elif isinstance(key, str):
        head = f"{indent}{_scalar(key, indent, is_key=True)}:"
        match value:
            case dict() if any(isinstance(name, str) for name in value):
                yield head
                for name, item in value.items():
                    yield from _member(f"{indent}  ", name, item)
            case list() if value:
                yield head
                for number, item in enumerate(value):
                    # A blank line keeps sections apart; lists of texts and numbers are short.
                    if number and indent == "" and isinstance(item, dict):
                        yield ""
                    yield from _item(f"{indent}  ", item)
            case _:
                yield f"{head} {_scalar(value, indent)}"


def _item(indent: str, value: Any) -> Iterator[str]:
    match value:
        case dict() if any(isinstance(name, str) for name in value):
            lines = [line for name, item in value.items() for line in _member(f"{indent}  ", name, item)]
        case list() if value:
            lines = [line for item in value for line in _item(f"{indent}  ", item)]
        case _:
            yield f"{indent}- {_scalar(value, indent)}"
            return
    # What stands first in it goes behind the dash; remarks before that stand above it.
    first = next(number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#"))
    yield from lines[:first]
    yield f"{indent}- {lines[first].removeprefix(f'{indent}  ')}"
    yield from lines[first + 1 :]


def _comment(indent: str, text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"{indent}# {printable(line)}".rstrip()


def printable(text: str) -> str:
    """`text` without characters that a YAML file may not hold, or that would end its line."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _scalar(value: Any, indent: str, *, is_key: bool = False) -> str:
    match value:
        case str():
            return _text(value, indent, is_key=is_key)
        case dict():
            return "{}"
        case list():
            return "[]"
        case True | False | None:
            return {True: "true", False: "false", None: "null"}[value]
        case _:
            return _dumped(value)


def _text(text: str, indent: str, *, is_key: bool) -> str:
    if _PLAIN.fullmatch(text) and _reads_back(text):
        return text
    if not is_key and "\n" in text and _IN_LINES.fullmatch(text) and not re.search(r"[ \t]\n|[ \t]$|\n\n\Z", text):
        chomp = "" if text.endswith("\n") else "-"
        lines = [f"{indent}  {line}".rstrip() for line in text.removesuffix("\n").split("\n")]
        return "\n".join([f"|{chomp}", *lines])
    if _QUOTABLE.fullmatch(text):
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    return _dumped(text)


def _reads_back(text: str) -> bool:
    """Whether a plain `text` is that text, and not a boolean, null or number."""
    document = compose("", f"a: {text}")
    return not isinstance(document, Problem) and values(document) == {"a": text}


def _dumped(value: Any) -> str:
    style = '"' if isinstance(value, str) else None
    dumped: str = yaml.safe_dump(value, default_style=style, width=float("inf"), allow_unicode=False)
    return dumped.removesuffix("\n").removesuffix("...").removesuffix("\n")
