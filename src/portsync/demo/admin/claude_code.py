"""`GET /v1/organizations/usage_report/claude_code`: one day of UTC, a row for each person or key and way of working."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from portsync.demo.admin.days import start_text
from portsync.demo.admin.paging import page_of, page_start
from portsync.demo.data import Coding
from portsync.demo.organization import ORGANIZATION_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from portsync.demo.admin.parameters import Parameters
    from portsync.demo.books import Books
    from portsync.demo.data import UserDay

KNOWN = {"starting_at", "limit", "page"}
_PREFIX = "page_"
_DEFAULT_ROWS = 20
_MOST_ROWS = 1000
_SHARE = 4
"""A quarter of what a coding user used went through Claude Code."""
_REMOVED = 4
"""A quarter of the edited lines were removed ones."""


def claude_code_rows(books: Books) -> Callable[[date], list[dict[str, Any]]]:
    """What gives the rows of a day; the last days that were asked for are kept, for their further pages."""
    return lru_cache(maxsize=64)(
        lambda day: [row for each in books.day(day).user_days for row in _rows(books, each, day)]
    )


def claude_code_report(rows_of: Callable[[date], list[dict[str, Any]]], parameters: Parameters) -> dict[str, Any]:
    """A page of the rows of one day. Raises InvalidRequestError."""
    limit = parameters.number("limit", default=_DEFAULT_ROWS, most=_MOST_ROWS)
    rows = rows_of(parameters.day("starting_at"))
    return page_of(rows, page_start(parameters, _PREFIX), limit, parameters, _PREFIX)


def _rows(books: Books, each: UserDay, day: date) -> Iterator[dict[str, Any]]:
    """Who has several sessions has some of them on a remote machine, which is a row of its own."""
    if each.coding is None:
        return
    whole = each.coding
    away = Coding()
    if whole.sessions > 1:
        away = Coding(whole.sessions // 2, whole.lines // 3, whole.commits // 3, whole.pull_requests // 3)
    here = Coding(
        whole.sessions - away.sessions,
        whole.lines - away.lines,
        whole.commits - away.commits,
        whole.pull_requests - away.pull_requests,
    )
    yield _row(books, each, day, here, is_remote=False)
    if away.sessions:
        yield _row(books, each, day, away, is_remote=True)


def _row(books: Books, each: UserDay, day: date, coding: Coding, *, is_remote: bool) -> dict[str, Any]:
    key = books.coding_key(each.user)
    removed = coding.lines // _REMOVED
    return {
        "date": start_text(day),
        "organization_id": ORGANIZATION_ID,
        "actor": {"type": "user_actor", "email_address": each.user.email}
        if key is None
        else {"type": "api_actor", "api_key_name": key.name},
        "customer_type": "api" if key else "subscription",
        "subscription_type": None if key else "team",
        "terminal_type": each.user.terminal,
        "is_remote": is_remote,
        "core_metrics": {
            "num_sessions": coding.sessions,
            "lines_of_code": {"added": coding.lines - removed, "removed": removed},
            "commits_by_claude_code": coding.commits,
            "pull_requests_by_claude_code": coding.pull_requests,
        },
        "tool_actions": {"edit_tool": {"accepted": 3 * coding.sessions, "rejected": coding.sessions // 2}},
        # Tokens are counted on the first row alone, so that a person's rows together have them once.
        "model_breakdown": []
        if is_remote
        else [
            {
                "model": model,
                "tokens": {
                    "input": usage.input_tokens // _SHARE,
                    "output": usage.output_tokens // _SHARE,
                    "cache_read": usage.cache_read // _SHARE,
                    "cache_creation": usage.cache_creation // _SHARE,
                },
                "estimated_cost": {"currency": "USD", "amount": usage.cents / _SHARE},
            }
            for model, usage in each.by_model.items()
        ],
    }
