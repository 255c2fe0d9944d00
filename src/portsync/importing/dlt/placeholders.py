"""The placeholders of a dlt configuration, `{resources.posts.id}` and `{incremental.start_value}`, as spans."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from string import Formatter
from typing import TYPE_CHECKING, Any

from portsync.importing.names import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"[\w.\[\]'\"*$@:-]+")


class UnknownPlaceholderError(Exception):
    """This means that a placeholder stands for nothing."""


@dataclass(frozen=True, slots=True)
class Meanings:
    """What the placeholders of one resource stand for."""

    constants: Mapping[str, str] = field(default_factory=dict)
    """Texts that are put in."""
    spans: Mapping[str, str] = field(default_factory=dict)
    """JQ."""


def names_in(value: Any) -> Iterator[str]:
    """The placeholders in all texts of a value, in their order."""
    match value:
        case dict():
            for key, item in value.items():
                yield from names_in(key)
                yield from names_in(item)
        case list():
            for item in value:
                yield from names_in(item)
        case str():
            yield from (name for _, name in _parts(value) if name is not None)
        case _:
            pass


def said(value: Any, meanings: Meanings, *, interpolated: bool = True) -> Any:
    """`value` with spans in place of its placeholders. Raises UnknownPlaceholderError."""
    match value:
        case dict():
            return {said(key, meanings): said(item, meanings) for key, item in value.items()}
        case list():
            return [said(item, meanings) for item in value]
        case str():
            return "".join(_said(part, name, meanings, interpolated=interpolated) for part, name in _parts(value))
        case _:
            return value


def _said(text: str, name: str | None, meanings: Meanings, *, interpolated: bool) -> str:
    start = literal(text, interpolated=interpolated)
    if name is None:
        return start
    if name in meanings.constants:
        return start + literal(meanings.constants[name], interpolated=interpolated)
    if name in meanings.spans:
        return f"{start}{{{{ {meanings.spans[name]} }}}}"
    raise UnknownPlaceholderError(f"`{{{name}}}` stands for nothing")


def _parts(text: str) -> list[tuple[str, str | None]]:
    """The literal parts of a text, doubled braces made single, each with the placeholder after it. A text with other
    braces, such as JSON, has none."""
    try:
        parts = [(before, name) for before, name, _, _ in Formatter().parse(text)]
    except ValueError:
        return [(text, None)]
    if not all(name is None or _NAME.fullmatch(name) for _, name in parts):
        return [(text, None)]
    return parts
