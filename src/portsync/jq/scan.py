"""Read JQ text far enough to tell code from strings and comments.

Not a parser: libjq does that. It serves two ends that need to know what is code: Ocean's reading of single
quotes, and the names that an expression may not call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of JQ text: `name`, `string` (a run of literal text), `comment` or `other` (one character)."""

    kind: str
    text: str
    start: int


def scan(text: str) -> Iterator[Token]:
    r"""Give the tokens of `text`. Code inside `\( )` of a string is given as code, not as string.

    A single quote at a word boundary begins and ends a string, as in Ocean; anywhere else it is an `other`.
    """
    # One entry for each open string: its quote. Above it, for an open interpolation: how many parentheses are open.
    quotes: list[str] = []
    depths: list[int | None] = []
    position = 0
    while position < len(text):
        if depths and depths[-1] is None:
            token = _string_run(text, position, quotes[-1])
            if token.text:
                yield token
            position += len(token.text)
            if text.startswith("\\(", position):
                depths[-1] = 0
                yield Token("other", "\\(", position)
                position += 2
            elif position < len(text):
                depths.pop()
                yield Token("other", quotes.pop(), position)
                position += 1
            continue
        token = _code_token(text, position)
        yield token
        position += len(token.text)
        if token.text == '"' or (token.text == "'" and _at_boundary(text, token.start)):
            quotes.append(token.text)
            depths.append(None)
        elif depths and token.text in ("(", ")"):
            depth = (depths[-1] or 0) + (1 if token.text == "(" else -1)
            depths[-1] = None if depth < 0 else depth


def _string_run(text: str, start: int, quote: str) -> Token:
    position = start
    while position < len(text) and not text.startswith("\\(", position):
        if text[position] == quote and (quote == '"' or _at_boundary(text, position)):
            break
        position += 2 if text[position] == "\\" else 1
    return Token("string", text[start:position], start)


def _code_token(text: str, start: int) -> Token:
    if text[start] == "#":
        end = text.find("\n", start)
        return Token("comment", text[start : end if end >= 0 else len(text)], start)
    if name := _NAME.match(text, start):
        return Token("name", name.group(), start)
    return Token("other", text[start], start)


def with_double_quotes(text: str) -> str:
    """Read single quotes as Ocean does: those at a word boundary are double quotes.

    Only in code: a single quote is never legal JQ there, so nothing that worked can break. Inside a
    double-quoted string they are text and stay.
    """
    if "'" not in text:
        return text
    return "".join(
        '"' if t.kind == "other" and t.text == "'" and _at_boundary(text, t.start) else t.text for t in scan(text)
    )


def _at_boundary(text: str, position: int) -> bool:
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    return not (_is_word(before) and _is_word(after))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def calls(text: str, names: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Give each name of `names` that is called as a function in `text`, with its offset.

    A field (`.input`), a variable (`$input`), an object key (`{input: 1}`) or an `@format` of that name is no call.
    """
    code = [t for t in scan(text) if t.kind in ("name", "other") and not t.text.isspace()]
    for index, token in enumerate(code):
        if token.kind != "name" or token.text not in names:
            continue
        before = text[token.start - 1 : token.start]
        follows = code[index + 1].text if index + 1 < len(code) else ""
        if before in (".", "$", "@") or follows == ":":
            continue
        yield token.text, token.start
