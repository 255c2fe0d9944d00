"""YAML with comments: what somebody wrote with reasons beside it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portsync.flow import Json

_WIDTH = 116


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value: JSON, a list of further entries, or a list of such lists."""

    key: str
    value: Json
    comments: tuple[str, ...] = ()
    """Stand above the key, each a paragraph."""


class _Dumper(yaml.SafeDumper):
    """Indents lists below their keys, and never points from one place to another."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's signature
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def commented_yaml(entries: Sequence[Entry]) -> str:
    """The text of a YAML mapping."""
    return "\n".join(_mapping(entries, 0)) + "\n"


def _mapping(entries: Sequence[Entry], column: int) -> Iterator[str]:
    for entry in entries:
        for comment in entry.comments:
            yield from comment_lines(comment, column)
        match entry.value:
            case [Entry(), *_] as inner:
                yield f"{' ' * column}{_scalar(entry.key)}:"
                yield from _mapping(inner, column + 2)
            case [[Entry(), *_], *_] as items:
                yield f"{' ' * column}{_scalar(entry.key)}:"
                for item in items:
                    yield from _item(item, column + 2)
            case _:
                text = yaml.dump(
                    {entry.key: entry.value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**9
                )
                yield from textwrap.indent(text.rstrip("\n"), " " * column, lambda _: True).split("\n")


def _item(entries: Sequence[Entry], column: int) -> Iterator[str]:
    """An item of a list: the comments of its first entry stand above its dash."""
    first, *rest = entries
    for comment in first.comments:
        yield from comment_lines(comment, column)
    lines = [*_mapping([Entry(first.key, first.value), *rest], column + 2)]
    yield f"{' ' * column}- {lines[0].lstrip()}"
    yield from lines[1:]


def _scalar(text: str) -> str:
    return yaml.dump(text, Dumper=_Dumper, allow_unicode=True, width=10**9).removesuffix("...\n").rstrip("\n")


def comment_lines(text: str, column: int) -> Iterator[str]:
    """`text` as lines of comment. Nothing of it can end the comment, or be no YAML."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    for line in textwrap.wrap(plain, max(40, _WIDTH - column), break_long_words=False, break_on_hyphens=False):
        yield f"{' ' * column}# {line}"
