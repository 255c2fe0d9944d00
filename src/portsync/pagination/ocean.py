"""Where Ocean's custom integration looks in a page for what follows it, as expressions.

Its settings hold for all resources at once, whose pages may differ in form. So an expression that finds nothing says
so instead of failing, and then the records decide. The places are those of its pagination handlers.
"""

from __future__ import annotations

from portsync.pagination.claims import UNKNOWN
from portsync.pagination.paths import as_jq

_LINK = "@odata.nextLink"
_CURSORS = (".next_cursor", ".cursor", ".meta.after_cursor", ".links.next")
_FLAGS = (".has_more", ".hasMore", ".meta.has_more")
_NEXT_PAGE = 'if has("next_page") or has("next") then (.next_page // .next // false) else null end'
_IS_TRUE = 'IN(false, 0, "", "false", "False", [], {}) | not'
"""Whether a value counts as true in Python, where Ocean asks; but the text `false` does not."""


def link_in(path: str | None) -> str:
    """The expression for the link to the next page: at `path`, or at its usual place."""
    return f"first({_there((path or _LINK,))}, null)"


def cursor_in(path: str | None) -> str:
    """The expression for the next cursor: at `path`, or at the first of the usual places that has one."""
    places = _CURSORS if path is None else (path,)
    return f'first(({_there(places)} | select(. != false and . != "")), null)'


def more_in(path: str | None, last_path: str | None = None, *, by_number: bool = False) -> str:
    """The expression for whether there are more pages: what `path` says, else the contrary of what `last_path` says,
    else the usual flags, else, where pages have numbers, whether the page names a next one."""
    said = [] if path is None else [f"({_there((path,))} | {_IS_TRUE})"]
    said += [] if last_path is None else [f"({_there((last_path,))} | {_IS_TRUE} | not)"]
    said += [f"({_there((*_FLAGS, _NEXT_PAGE) if by_number else _FLAGS)} | {_IS_TRUE})"]
    return f'first({", ".join(said)}, "{UNKNOWN}")'


def _there(places: tuple[str, ...]) -> str:
    """What stands at each of `places` that the page has."""
    tried = ", ".join(f"({as_jq(place)}\n)?" for place in places)
    return f"({tried} | values)"
