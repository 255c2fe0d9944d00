"""The mappings in a page of Markdown: its fenced blocks of YAML that have `resources:`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUFFIXES = frozenset({".md", ".mdx", ".markdown"})
_FENCE = re.compile(r"^[ \t]*(?P<sign>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)[^`]*$")
_MAPPING = re.compile(r"""(?m)^[ \t]*["']?resources["']?[ \t]*:""")
_WRONG = re.compile(r"[ \t]*<!--\s*wrong\s*-->\s*")
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_URL = re.compile(r"(?i)url|host|endpoint")


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping in a page."""

    text: str
    """With as many empty lines before it as the page has lines there, so that its places are those of the page."""
    lines: tuple[int, int]
    """The first line of it in the page, counted from 0, and the one after the last."""


def blocks_in(page: str) -> Iterator[Block]:
    """The blocks of a page that are mappings. One that stands behind a line `<!-- wrong -->` is wrong on purpose, and
    left out."""
    lines = page.splitlines(keepends=True)
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number].rstrip("\r\n"))
        number += 1
        if opening is None:
            continue
        begin = number
        while number < len(lines) and not _closes(lines[number], opening["sign"]):
            number += 1
        text = "".join(lines[begin:number])
        is_wrong = begin > 1 and _WRONG.fullmatch(lines[begin - 2].rstrip("\r\n")) is not None
        if opening["language"].lower() in ("yaml", "yml") and _MAPPING.search(text) and not is_wrong:
            yield Block("\n" * begin + text, (begin, number))
        number += 1


def with_block(page: str, block: Block, text: str) -> str:
    """The page with `text`, which is that of the block after it was changed, in the place of the block."""
    lines = page.splitlines(keepends=True)
    begin, end = block.lines
    return "".join(lines[:begin]) + text[begin:] + "".join(lines[end:])


def imagined(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with a value for every variable that an example names: a page is no place to set them."""
    named = {name: "https://api.example.com" if _URL.search(name) else "anything" for name in _VARIABLE.findall(text)}
    return {**named, **environment}


def _closes(line: str, sign: str) -> bool:
    stripped = line.strip(" \t\r\n")
    return stripped.startswith(sign) and not stripped.strip(sign[0])
