"""Tell a text that was meant as an expression from one that only happens to be JQ, such as `first,last`."""

from __future__ import annotations

from portsync.jq.compile import find_fault
from portsync.jq.fence import VARIABLES
from portsync.jq.hopeless import FORMATS
from portsync.jq.scan import scan

_NO_WORDS = frozenset(
    """
    ascii_downcase ascii_upcase ceil dateadd datesub endswith explode floor from_entries fromdate fromdateiso8601
    fromjson gmtime gsub implode keys_unsorted localtime ltrimstr mktime now rtrimstr startswith strflocaltime strftime
    strptime to_entries toarray toboolean todate todateiso8601 tojson tonumber tostring with_entries
    """.split()  # noqa: SIM905 - as a list it would fill a page
)
"""Functions that nobody names beside an operator by chance. Others, `type`, `length`, `first`, `min`, are words too."""
_OPERATORS = frozenset("|+-*")
"""Not `/` and `%`, which stand in paths and in their escapes."""


def looks_like_jq(text: str) -> bool:
    """Whether `text` compiles, and calls a function of JQ on something, or reads one of our variables."""
    return _has_signs(text) and find_fault(text) is None


def _has_signs(text: str) -> bool:
    code = [token.text for token in scan(text) if not token.text.isspace()]
    padded = ["", "", *code, ""]
    return any(_is_sign(*padded[i : i + 4]) for i in range(len(code)))


def _is_sign(far: str, before: str, word: str, after: str) -> bool:
    """Whether `word`, with what stands around it, is something that is meant as JQ. `far` stands before `before`."""
    match before:
        case "$":
            return word in VARIABLES and after in (".", "[", "|")
        case "@":
            return far == "|" and word in FORMATS
        case "|" if after == "(" and word.isidentifier():
            return True
        case _:
            is_operand = after in _OPERATORS or (before in _OPERATORS and far != "")
            return is_operand and word in _NO_WORDS and before != "."
