"""The `*_path` keys: expressions over a page's body, in JQ or in Ocean's dotted form."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from portsync.jq.expression import Expression

_DOTTED = re.compile(r"(?:[^\W\d]|@)[\w@:$-]*(?:\.[\w@:$-]+)*")
_CONSTANTS = ("true", "false", "null")

FAILED, TYPE, DIGITS = "__failed", "__type", "__digits"
"""The keys of the objects by which a program says: the expression failed; it gave an object or an array; it gave an
integer beyond 2^53, of which Python would get other digits."""


def as_jq(path: Any) -> Any:
    """`path` in JQ, where it is a dotted path as Ocean writes it; else as it is.

    Ocean looks the whole text up as a key first, which finds `@odata.nextLink`, and takes it apart at its dots then
    (its custom integration, next_link). Such a text is never JQ of any use: it would call functions.
    """
    if not isinstance(path, str) or path in _CONSTANTS or _DOTTED.fullmatch(path.strip()) is None:
        return path
    path = path.strip()
    whole = json.dumps(path)
    parts = "".join(f"[{json.dumps(part)}]" for part in path.split("."))
    if "." not in path:
        return f".{parts}"
    return f'if type == "object" and has({whole}) then .[{whole}] else .{parts} end'


PathExpression = Annotated[Expression, BeforeValidator(as_jq)]
"""The text of a JQ expression over a page's body; a dotted path without a leading dot is read too."""


def program_of(expression: str) -> str:
    """The JQ that tells what `expression` gives for a page: a scalar as it is, anything else by one of the keys above.

    An expression that fails must not look like one that gives null, because null is the end of many chains. And of an
    object, which may be the whole page, only its type is of interest.
    """
    return (
        f"try (({expression}\n) | "
        f'if type == "object" or type == "array" then {{{TYPE}: type}} '
        f'elif type == "number" and (. > 9007199254740991 or . < -9007199254740991) then {{{DIGITS}: tojson}} '
        f"else . end) "
        f'catch {{{FAILED}: (if type == "string" then . else tojson end | .[0:300])}}'
    )
