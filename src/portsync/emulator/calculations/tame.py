"""Tell which programs surely end soon and stay small, from their text alone; where in doubt, one is not tame.

A tame program has no loop, no iteration, no generator and no definition. What is left takes one step for each of its
tokens, and the value that passes through grows by a known factor at a few of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portsync.jq.scan import scan

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 2000
"""Characters of a tame program: libjq compiles by recursion, and a long row of operators would end the process."""
_MOST_GROWTH = 1024
"""So many times its input may a tame program's value become."""
_NAMES = frozenset(
    """
    and or not if then elif else end true false null empty length tonumber floor ceil round fabs sqrt type keys
    ascii_downcase ascii_upcase startswith endswith ltrimstr rtrimstr has split
    """.split()  # noqa: SIM905 - as a list it would fill a page
)
_PROPERTY = re.compile(r"(?<![\w.])\.properties\.([A-Za-z_]\w*)", re.ASCII)
_WORD = re.compile(r"[^\W\d]\w*")
_PLAIN_WORDS = frozenset("if then elif else end and or not true false null".split())  # noqa: SIM905 - as above
_SIGNS = frozenset('.|()[]?+-*/%<>=!:"')
_COMPARED = frozenset("=!<>")


def is_tame(program: str) -> bool:
    """Whether `program` may run where nobody could stop it."""
    if len(program) > LONGEST:
        return False
    tokens = [token for token in scan(program) if not token.text.isspace()]
    growth = 1
    for index, token in enumerate(tokens):
        before = tokens[index - 1].text if index else ""
        after = [each.text for each in tokens[index + 1 : index + 5]]
        match token.kind:
            case "string":
                continue
            case "name":
                is_field = before == "." and program[token.start - 1] == "."
                if not is_field and token.text != "tostring" and token.text not in _NAMES:
                    return False
                # The text of a text within a list has a backslash before each quote and backslash.
                growth *= 2 if token.text == "tostring" and not is_field else 1
            case "other":
                if not _is_allowed(token.text, before, after):
                    return False
                growth *= _growth(token.text, before, after)
            case _:
                return False
    return growth <= _MOST_GROWTH


def properties_read(program: str) -> frozenset[str] | None:
    """The properties that a tame program reads, where its text shows that it reads nothing else; None otherwise."""
    rest = _PROPERTY.sub(" ", program)
    if "." in rest or not _PLAIN_WORDS.issuperset(_WORD.findall(rest)):
        return None
    return frozenset(_PROPERTY.findall(program)) or None


def _is_allowed(sign: str, before: str, after: Sequence[str]) -> bool:
    follows = after[0] if after else ""
    if sign.isdigit() and sign.isascii():
        return True
    if sign == "\\(":
        return True
    match sign:
        case ".":
            return follows != "."  # `..` walks the whole value
        case "[":
            return follows != "]"  # `.[]` iterates, and two of them multiply
        case "=":
            # `=` and `|=` assign, which may make a list of a thousand million items.
            return before in _COMPARED or follows == "="
        case _:
            return sign in _SIGNS


def _growth(sign: str, before: str, after: Sequence[str]) -> int:
    """How many times as large the value may be behind this sign: texts are added, filled in and repeated."""
    match sign:
        case "+" | "\\(":
            return 2
        case "*":
            return _repetitions(before, after)
        case _:
            return 1


def _repetitions(before: str, after: Sequence[str]) -> int:
    """The factor of a multiplication by a number that stands behind it; of any other, too many."""
    digits = ""
    for text in after:
        if not text.isdigit():
            break
        digits += text
    is_number = digits and len(digits) <= len(str(_MOST_GROWTH)) and before not in ("", "(", "|")
    return max(1, int(digits)) if is_number else _MOST_GROWTH + 1
