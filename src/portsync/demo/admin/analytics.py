"""`GET /v1/organizations/analytics/usage` and `.../cost`: flat rows, in the newer form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

from portsync.demo.admin.days import ONE_DAY, asked_days, only_days, start_text
from portsync.demo.admin.dimensions import Key, Tokens, dimension, ordered
from portsync.demo.admin.paging import page_of, page_start
from portsync.demo.admin.parameters import InvalidRequestError
from portsync.demo.books import has_left
from portsync.demo.charges import cents_text, charges_of
from portsync.demo.organization import DEFAULT_WORKSPACE_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from portsync.demo.admin.parameters import Parameters
    from portsync.demo.books import Books, Cell

BETA = "analytics-usage-cost-2026-08-24"
USAGE_DIMENSIONS = (
    "actor", "actor_type", "agent_id", "api_key_id", "claude_tag_category", "claude_tag_user_id", "context_window",
    "deployment_id", "environment_id", "inference_geo", "model", "organization_id", "product", "rbac_group_id",
    "service_tier", "session_id", "slack_channel_id", "speed", "user_profile_id", "workspace_id",
)  # fmt: skip
COST_ONLY = ("cost_type", "token_type")
KNOWN = {"starting_at", "ending_at", "time_bucket_width", "group_by[]", "limit", "order_by", "order", "page"}
_UNFILLED = set(USAGE_DIMENSIONS) - {
    "actor", "actor_type", "api_key_id", "context_window", "inference_geo", "model", "service_tier", "workspace_id",
}  # fmt: skip
_MOST_GROUPS = 5
_MOST_DAYS = 31
_KEPT_DAYS = 365
_FIRST_DAY = date(2026, 1, 1)
_DEFAULT_ROWS = 20
_MOST_ROWS = 1000
_PREFIX = "cursor_"
_ORDERS = {
    "usage": ("total_tokens", "requests", "output_tokens", "uncached_input_tokens", "time"),
    "cost": ("amount", "list_amount", "time"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A report: its rows are the same for all pages."""

    kind: str
    """`usage` or `cost`."""
    first: int
    end: int
    """Ordinals of the first day, and of the day after the last one."""
    is_daily: bool
    groups: tuple[str, ...]
    order_by: str
    is_descending: bool


def analytics_rows(books: Books) -> Callable[[Asked], list[dict[str, Any]]]:
    """What gives all rows of a report; those of the last reports are kept, for their further pages."""
    actors = {
        **{user.user_id: _person(user.user_id, user.email, is_gone=has_left(user)) for user in books.users},
        **{key.key_id: {"type": "api_actor", "api_key_id": key.key_id} for key in books.keys},
    }

    def rows(asked: Asked) -> list[dict[str, Any]]:
        found = [row for span in _spans(asked) for row in _rows_of(books, asked, span, actors)]
        if asked.order_by == "time":
            # Within a day the order of keys, whichever way the days go.
            return sorted(found, key=lambda row: str(row["starting_at"]), reverse=asked.is_descending)
        return sorted(found, key=lambda row: _measure(row, asked), reverse=asked.is_descending)

    return lru_cache(maxsize=16)(rows)


def analytics_report(
    kind: str, rows_of: Callable[[Asked], list[dict[str, Any]]], parameters: Parameters, *, today: date
) -> dict[str, Any]:
    """A page of the rows of one report. Raises InvalidRequestError."""
    groups = parameters.several("group_by[]", (*USAGE_DIMENSIONS, *(COST_ONLY if kind == "cost" else ())))
    if len(set(groups) - set(COST_ONLY)) > _MOST_GROUPS:
        raise InvalidRequestError(f"group_by[]: at most {_MOST_GROUPS} dimensions")
    if missing := sorted(set(groups) & _UNFILLED):
        raise InvalidRequestError(f"group_by[]: the sample source knows nothing of {', '.join(missing)}")
    is_daily = parameters.text("time_bucket_width") is not None
    only_days(parameters, "time_bucket_width")
    if is_daily:
        parameters.required("ending_at")
    days = asked_days(parameters, today=today)
    _check_span(parameters, days, today)
    asked = Asked(
        kind,
        days.start,
        days.stop,
        is_daily,
        groups,
        parameters.one_of("order_by", default=_ORDERS[kind][0], allowed=_ORDERS[kind]),
        parameters.one_of("order", default="desc", allowed=("asc", "desc")) == "desc",
    )
    limit = parameters.number("limit", default=_DEFAULT_ROWS, most=_MOST_ROWS)
    page = page_of(rows_of(asked), page_start(parameters, _PREFIX), limit, parameters, _PREFIX)
    return {**page, "data_refreshed_at": start_text(today)}


def _check_span(parameters: Parameters, days: range, today: date) -> None:
    start = date.fromordinal(days.start)
    if start < max(_FIRST_DAY, today - timedelta(days=_KEPT_DAYS)):
        raise InvalidRequestError(f"starting_at: within the last {_KEPT_DAYS} days, and not before {_FIRST_DAY}")
    end = parameters.moment("ending_at")
    if end is not None and (end.date() - start).days > _MOST_DAYS:
        raise InvalidRequestError(f"ending_at: at most {_MOST_DAYS} days after starting_at")


def _spans(asked: Asked) -> Iterator[range]:
    """The days that make one row of a group: each by itself, or all of them."""
    whole = range(asked.first, asked.end)
    return (range(day, day + 1) for day in whole) if asked.is_daily else iter([whole])


def _rows_of(books: Books, asked: Asked, span: range, actors: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    if not span:
        return
    cells = (cell for day in span for cell in books.cells(date.fromordinal(day)))
    ends = {
        "starting_at": start_text(date.fromordinal(span.start)),
        "ending_at": start_text(date.fromordinal(span.stop - 1) + ONE_DAY),
    }
    measured = _usage(cells, asked.groups) if asked.kind == "usage" else _cost(cells, asked.groups)
    nothing = dict.fromkeys((*USAGE_DIMENSIONS, *(COST_ONLY if asked.kind == "cost" else ())))
    for key in ordered(measured):
        said = {name: _shown(name, part, actors) for name, part in zip(asked.groups, key, strict=True)}
        yield {**ends, "group": {**nothing, **said}, asked.kind: measured[key]}


def _usage(cells: Iterable[Cell], groups: tuple[str, ...]) -> dict[Key, dict[str, Any]]:
    sums: dict[Key, Tokens] = {}
    for cell in cells:
        sums.setdefault(tuple(_part(cell, name) for name in groups), Tokens()).add(cell)
    return {key: {**sum_.fields(), "total_tokens": sum_.total, "requests": sum_.requests} for key, sum_ in sums.items()}


def _cost(cells: Iterable[Cell], groups: tuple[str, ...]) -> dict[Key, dict[str, Any]]:
    sums: dict[Key, tuple[int, int]] = {}
    is_split = not set(groups).isdisjoint(COST_ONLY)
    for cell in cells:
        for number, charge in enumerate(charges_of(cell)):
            said = {"cost_type": charge.cost_type, "token_type": charge.token_type}
            key = tuple(said[name] if name in COST_ONLY else _part(cell, name) for name in groups)
            amount, requests = sums.get(key, (0, 0))
            # A cell's requests are counted with its first charge, so that they are counted once.
            sums[key] = amount + charge.amount, requests + (0 if number else cell.usage.requests)
    return {
        key: {
            "amount": cents_text(amount),
            "list_amount": cents_text(amount),
            "currency": "USD",
            # A request has several kinds of cost.
            "requests": None if is_split else requests,
        }
        for key, (amount, requests) in sums.items()
    }


def actor_of(cell: Cell) -> str:
    """Whose row `cell` is counted in. What belongs to nobody makes up to two rows, as the API says that it may."""
    return cell.owner or f"nobody/{crc32(cell.user.user_id.encode()) % 2}"


def _part(cell: Cell, name: str) -> str | None:
    """What `cell` is in a dimension, as a part of a key."""
    match name:
        case "actor":
            return actor_of(cell)
        case "actor_type":
            return "user_actor" if cell.account else "api_actor" if cell.api_key else None
        case "workspace_id":
            return dimension(cell, name) or DEFAULT_WORKSPACE_ID
        case _:
            return dimension(cell, name)


def _shown(name: str, part: str | None, actors: dict[str, dict[str, Any]]) -> Any:
    return actors.get(part or "") if name == "actor" else part


def _person(user_id: str, email: str, *, is_gone: bool) -> dict[str, Any]:
    person: dict[str, Any] = {"type": "user_actor", "user_id": user_id, "deleted": is_gone}
    return person if is_gone else {**person, "email_address": email, "name": email.partition("@")[0]}


def _measure(row: dict[str, Any], asked: Asked) -> float:
    value = row[asked.kind][asked.order_by]
    return 0.0 if value is None else float(value)
