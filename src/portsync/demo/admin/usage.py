"""`GET /v1/organizations/usage_report/messages`: tokens, in buckets of a day."""

from __future__ import annotations

from datetime import date
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from portsync.demo.admin.days import asked_days, only_days, span_of
from portsync.demo.admin.dimensions import Key, Tokens, dimension, ordered, passes
from portsync.demo.admin.paging import page_of, page_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.demo.admin.parameters import Parameters
    from portsync.demo.books import Books

Filters: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
Buckets: TypeAlias = "Callable[[date, tuple[str, ...], Filters], dict[str, Any]]"

DIMENSIONS = (
    "api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo", "account_id",
    "service_account_id",
)  # fmt: skip
_FILTERS = {
    "account_ids[]": "account_id",
    "api_key_ids[]": "api_key_id",
    "context_window[]": "context_window",
    "inference_geos[]": "inference_geo",
    "models[]": "model",
    "service_account_ids[]": "service_account_id",
    "service_tiers[]": "service_tier",
    "workspace_ids[]": "workspace_id",
}
KNOWN = {"starting_at", "ending_at", "bucket_width", "limit", "page", "group_by[]", *_FILTERS}
_DEFAULT_DAYS = 7
MOST_DAYS = 31
PREFIX = "page_"


def usage_buckets(books: Books) -> Buckets:
    """What gives the bucket of a day, in a grouping and through filters. The last ones are kept."""
    return lru_cache(maxsize=1024)(partial(_bucket, books))


def usage_report(bucket_of: Buckets, parameters: Parameters, *, today: date) -> dict[str, Any]:
    """A page of buckets; a day without usage is a bucket without results. Raises InvalidRequestError."""
    only_days(parameters, "bucket_width")
    groups = parameters.several("group_by[]", DIMENSIONS)
    filters = tuple((name, parameters.several(key)) for key, name in _FILTERS.items() if key in parameters.given)
    limit = parameters.number("limit", default=_DEFAULT_DAYS, most=MOST_DAYS)
    days = asked_days(parameters, today=today)
    page = page_of(days, page_start(parameters, PREFIX), limit, parameters, PREFIX)
    return {**page, "data": [bucket_of(date.fromordinal(day), groups, filters) for day in page["data"]]}


def _bucket(books: Books, day: date, groups: tuple[str, ...], filters: Filters) -> dict[str, Any]:
    sums: dict[Key, Tokens] = {}
    for cell in books.cells(day):
        if passes(cell, filters):
            sums.setdefault(tuple(dimension(cell, name) for name in groups), Tokens()).add(cell)
    nothing = dict.fromkeys(DIMENSIONS)
    results = [{**sums[key].fields(), **nothing, **dict(zip(groups, key, strict=True))} for key in ordered(sums)]
    return {**span_of(day), "results": results}
