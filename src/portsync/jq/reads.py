"""What an expression reads and does, told from its text: members of variables, the environment, assignments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.jq.brackets import brackets_of
from portsync.jq.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.jq.scan import Token

_OPENING, _CLOSING = ("(", "[", "{", "\\("), (")", "]", "}")
_MIXED = frozenset({"if", "as", "reduce", "foreach", "def", "try", "label", "|", ",", "//"})
"""With one of these beside it, an assignment need not be what the whole expression gives."""


@dataclass(frozen=True, slots=True)
class Member:
    """`$context.users`: the variable, the name behind it, and where that stands."""

    variable: str
    name: str
    offset: int


def members(text: str) -> Iterator[Member]:
    """The members of variables that `text` names outright."""
    code = _code(text)
    for index, token in enumerate(code[:-3]):
        if token.text != "$" or token.kind != "other" or code[index + 1].kind != "name":
            continue
        variable, sign, *rest = (following.text for following in code[index + 1 : index + 6])
        named = next((t for t in code[index + 3 : index + 5] if t.kind in ("name", "string")), None)
        is_text = sign in (".", "[") and rest[:1] == ['"'] and code[index + 4 : index + 5] == [named]
        is_name = sign == "." and named is code[index + 3] and named.kind == "name"
        if named is not None and (is_text or is_name):
            yield Member(variable, named.text, named.start)


def reads_environment(text: str) -> int | None:
    """The offset at which `text` reads `env` or `$ENV`, which are empty; None where it does not."""
    code = _code(text)
    for index, token in enumerate(code):
        if token.kind != "name" or token.text not in ("env", "ENV"):
            continue
        before = code[index - 1].text if index else ""
        after = code[index + 1].text if index + 1 < len(code) else ""
        if token.text == "ENV" and before == "$":
            return token.start - 1
        if token.text == "env" and before not in (".", "$", "@") and after != ":" and not _is_key(before, after):
            return token.start
    return None


def assignment(text: str) -> int | None:
    """The offset of the `=` that makes `text` give its whole input with a change, never true or false; None where there
    is none, or where that is not sure."""
    code = _code(text)
    if code[:1] and code[0].text == "." and [token.text for token in code[1:2]] == ["="]:
        return None
    depth = 0
    found: int | None = None
    for index, token in enumerate(code):
        if token.kind == "string":
            continue
        if token.text in _OPENING:
            depth += 1
        elif token.text in _CLOSING:
            depth -= 1
        elif depth == 0 and _sign(code, index) in _MIXED:
            return None
        elif depth == 0 and found is None and _sign(code, index) == "=":
            found = token.start
    return found


def selecting_assignment(text: str) -> int | None:
    """The offset of a `=` that is all that a `select(...)` in `text` asks for: it selects everything."""
    code = _code(text)
    for index, token in enumerate(code[:-1]):
        if token.kind != "name" or token.text != "select" or code[index + 1].text != "(":
            continue
        begin = code[index + 1].start + 1
        wrong = brackets_of(text[begin:]).wrong
        inner = text[begin : begin + wrong.start] if wrong is not None else ""
        if (at := assignment(inner)) is not None:
            return begin + at
    return None


def _code(text: str) -> list[Token]:
    """The tokens without white space and comments."""
    return [token for token in scan(text) if token.kind != "comment" and not token.text.isspace()]


def _sign(code: list[Token], index: int) -> str:
    """The operator of which the token is the first character, or the word that it is."""
    token = code[index]
    before = code[index - 1] if index else None
    if token.kind == "name":
        return "" if before is not None and before.text in (".", "$", "@") else token.text
    if token.kind != "other" or (before is not None and _touch(before, token) and before.text in "=!<>|+-*/%"):
        return ""
    sign = token.text
    for following in code[index + 1 : index + 3]:
        if following.start != token.start + len(sign) or following.text not in ("=", "/"):
            break
        sign += following.text
    return sign


def _touch(before: Token, token: Token) -> bool:
    return before.kind == "other" and before.start + 1 == token.start


def _is_key(before: str, after: str) -> bool:
    """Whether a name between these is the short form of a key, as in `{env, a}`."""
    return before in ("{", ",") and after in ("}", ",")
