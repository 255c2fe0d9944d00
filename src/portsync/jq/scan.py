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
    r"""Give the tokens of `text`. Code inside `\( )` of a string is given as code, not as string."""
    # One entry per open interpolation: how many parentheses are open inside it.
    depths: list[int] = []
    in_string = False
    position = 0
    while position < len(text):
        if in_string:
            token = _string_run(text, position)
            if token.text:
                yield token
            position += len(token.text)
            if text.startswith("\\(", position):
                depths.append(0)
                in_string = False
                yield Token("other", "\\(", position)
                position += 2
            elif position < len(text):
                in_string = False
                yield Token("other", '"', position)
                position += 1
            continue
        token = _code_token(text, position)
        yield token
        position += len(token.text)
        if token.text == '"':
            in_string = True
        elif token.text == "(" and depths:
            depths[-1] += 1
        elif token.text == ")" and depths:
            if depths[-1] == 0:
                depths.pop()
                in_string = True
            else:
                depths[-1] -= 1


def _string_run(text: str, start: int) -> Token:
    position = start
    while position < len(text) and text[position] != '"' and not text.startswith("\\(", position):
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
    opener = _next_quote(text, 0)
    while opener is not None:
        closer = _boundary(text, opener + 1)
        if closer is None:
            return text
        text = f'{text[:opener]}"{text[opener + 1 : closer]}"{text[closer + 1 :]}'
        opener = _next_quote(text, closer + 1)
    return text


def _next_quote(text: str, start: int) -> int | None:
    """The first single quote from `start` on that stands in code, at a word boundary."""
    if "'" not in text[start:]:
        return None
    quotes = (t.start for t in scan(text) if t.text == "'" and t.kind == "other" and t.start >= start)
    return next((position for position in quotes if _at_boundary(text, position)), None)


def _boundary(text: str, start: int) -> int | None:
    """The first single quote from `start` on that stands at a word boundary, whatever it stands in."""
    return next((i for i in range(start, len(text)) if text[i] == "'" and _at_boundary(text, i)), None)


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
