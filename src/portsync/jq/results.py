"""What type of value an expression gives, where its text alone proves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portsync.jq.compile import normalised
from portsync.jq.scan import scan

if TYPE_CHECKING:
    from portsync.jq.scan import Token

_BY_FUNCTION = {
    "string": (
        "ascii_downcase ascii_upcase gsub implode join strflocaltime strftime sub todate todateiso8601 tojson "
        "tostring trim type"
    ),
    "number": "ceil floor length mktime now round tonumber utf8bytelength",
    "boolean": "all any contains endswith has inside isempty not startswith test",
    "array": "explode flatten group_by keys keys_unsorted map sort sort_by split to_entries unique unique_by",
    "object": "from_entries with_entries",
}
"""Functions that give a value of one type, or fail."""
_TYPE_OF = {name: kind for kind, names in _BY_FUNCTION.items() for name in names.split()}
_OPENING, _CLOSING = ("(", "[", "{", "\\("), (")", "]", "}")
_UNSURE = frozenset(
    {",", "/", "?", "=", "if", "as", "reduce", "foreach", "def", "try", "label", "then", "else", "end", ";"}
)
NOTHING = object()
"""Stands where there is no constant, since `null` is one."""


def constant_value(expression: str) -> Any:
    """The value of an expression that is JSON, such as `'"service"'`; NOTHING where it has to be evaluated."""
    try:
        return json.loads(normalised(expression))
    except ValueError:
        return NOTHING


def result_type(expression: str) -> str | None:
    """The JSON type that the expression gives whenever it gives something but null, or None where that is not sure."""
    value = constant_value(expression)
    if value is not NOTHING:
        return type_of(value)
    code = _last_stage(normalised(expression))
    if not code or "def" in expression:
        return None
    first = code[0]
    top = _top(code)
    if first.text == '"' and _is_joined(top):
        return "string"
    if first.kind == "name" and first.text in _TYPE_OF and _is_one_call(top):
        return _TYPE_OF[first.text]
    return None


def type_of(value: Any) -> str:
    """The JSON type of a value; whole numbers are numbers."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _last_stage(text: str) -> list[Token]:
    """The tokens behind the last `|` that stands in no bracket."""
    code = [token for token in scan(text) if token.kind != "comment" and not token.text.isspace()]
    depth = 0
    start = 0
    for index, token in enumerate(code):
        depth += _step(token)
        if depth == 0 and token.kind == "other" and token.text == "|":
            start = index + 1
    return code[start:]


def _step(token: Token) -> int:
    if token.kind != "other":
        return 0
    return (token.text in _OPENING) - (token.text in _CLOSING)


def _top(code: list[Token]) -> list[str]:
    """The texts of the tokens that stand in no bracket and no text; a bracket counts with what is in it as `(`, a text
    as `"`."""
    top: list[str] = []
    depth = 0
    is_text = False
    for token in code:
        if token.kind == "other" and token.text == '"' and depth == 0:
            is_text = not is_text
            top += ['"'] if is_text else []
            continue
        step = _step(token)
        if depth == 0 and not is_text:
            top.append("(" if step else token.text)
        depth += step
    return top


def _is_joined(top: list[str]) -> bool:
    """Whether a text stands alone, or something is added to it: what is added has to be text, or it fails."""
    return len(top) == 1 or (
        top[1] == "+" and not _UNSURE & set(top) and not {"-", "*", "<", ">", "and", "or"} & set(top)
    )


def _is_one_call(top: list[str]) -> bool:
    return len(top) == 1 or (len(top) == 2 and top[1] == "(")  # noqa: PLR2004 - the name, and its arguments
