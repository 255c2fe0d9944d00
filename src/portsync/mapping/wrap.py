"""Put `{{ }}` around a text of a mapping file, in place, whatever way of writing texts YAML was used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from portsync.mapping.places import Document
from portsync.mapping.yaml_text import compose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portsync.mapping.places import Path


@dataclass(frozen=True, slots=True)
class Wrap:
    """What to write in place of a piece of the file: characters from `start` to before `end`."""

    start: int
    end: int
    fixed: str
    line: int
    """Counted from 1."""


def find_wrap(document: Document, path: Path) -> Wrap | None:
    """How to put the text at `path` between `{{ }}` and change nothing else, or None where that is not sure."""
    node = document.nearest(path)
    if not isinstance(node, yaml.ScalarNode) or "}}" in node.value:
        return None
    start, end = node.start_mark.index, node.end_mark.index
    raw = document.text[start:end]
    # What an anchor names is used elsewhere too; a value from the environment may be JQ today and none tomorrow.
    if raw.startswith(("&", "!")) or "${" in raw:
        return None
    wrap = Wrap(start, end, _wrapped(raw, node.style), node.start_mark.line + 1)
    return wrap if _text_at(document, wrap, path) == node.value.strip() else None


def _text_at(document: Document, wrap: Wrap, path: Path) -> str | None:
    """What stands between the braces at `path` once `wrap` is made."""
    after = compose(document.file, apply_wraps(document.text, [wrap]))
    node = after.nearest(path) if isinstance(after, Document) else None
    if not isinstance(node, yaml.ScalarNode):
        return None
    text: str = node.value
    return text.strip().removeprefix("{{").removesuffix("}}").strip()


def apply_wraps(text: str, wraps: Iterable[Wrap]) -> str:
    """`text` with each of `wraps` made; everything else stays."""
    # From the end, so that the places before do not move.
    for wrap in sorted(wraps, key=lambda wrap: wrap.start, reverse=True):
        text = text[: wrap.start] + wrap.fixed + text[wrap.end :]
    return text


def _wrapped(raw: str, style: str | None) -> str:
    """`raw`, a scalar as it is written in `style`, with its text between braces."""
    match style:
        case "'" | '"':
            return f"{style}{{{{ {raw[1:-1]} }}}}{style}"
        case "|" | ">":
            head, _, lines = raw.partition("\n")
            content = lines.strip()
            return f"{head}\n{lines.replace(content, f'{{{{ {content} }}}}', 1)}"
        case _:
            doubled = raw.replace("'", "''")
            return f"'{{{{ {doubled} }}}}'"
