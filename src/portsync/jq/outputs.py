"""Tell which expressions surely give exactly one output.

Only the first output of an expression counts, and no output means null. `first(f, null)` says so, at about twice
the cost of a plain field, so it is left out where the text alone proves one output. Where in doubt: not sure.
"""

from __future__ import annotations

from portsync.jq.compile import normalised
from portsync.jq.scan import scan

_ONE_IN_ONE_OUT = frozenset(
    """
    abs add all any ascii_downcase ascii_upcase ceil contains endswith explode floor from_entries fromdate
    fromdateiso8601 fromjson gmtime gsub has implode index join keys keys_unsorted length ltrimstr map max max_by min
    min_by mktime not now pow reverse rindex round rtrimstr sort sort_by split sqrt startswith strftime strptime sub
    test to_entries toarray todate todateiso8601 tojson tonumber tostring trim ltrim rtrim type unique unique_by
    utf8bytelength with_entries
    if then elif else end and or true false null
    """.split()  # noqa: SIM905 - as a list it would fill a page
)
_OPERATORS = frozenset('+-*/%=!<>|().;"')


def has_one_output(text: str) -> bool:
    """Whether `text` (already normalised) gives one output for every input on which it does not fail."""
    before = ""
    for token in scan(text):
        match token.kind:
            case "string" | "comment":
                pass
            case "name":
                if before not in (".", "$", "@") and token.text not in _ONE_IN_ONE_OUT:
                    return False
            case _:
                if token.text == "." and before == ".":
                    return False  # `..` walks the whole value
                if not (
                    token.text in _OPERATORS
                    or token.text == "\\("
                    or token.text.isspace()
                    or token.text.isdigit()
                    or token.text in "$@"
                ):
                    return False
        before = token.text
    return True


def first_output(text: str) -> str:
    """The code for an expression's first output, or null where it has none."""
    code = normalised(text)
    return f"({code}\n\n)" if has_one_output(code) else f"first(({code}\n\n), null)"
