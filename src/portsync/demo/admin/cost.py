"""`GET /v1/organizations/cost_report`: cents, in buckets of a day."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from portsync.demo.admin.days import asked_days, only_days, span_of
from portsync.demo.admin.dimensions import Key, dimension, ordered
from portsync.demo.admin.paging import page_of, page_start
from portsync.demo.admin.usage import MOST_DAYS, PREFIX
from portsync.demo.charges import cents_text, charges_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.demo.admin.parameters import Parameters
    from portsync.demo.books import Books, Cell
    from portsync.demo.charges import Charge

Buckets: TypeAlias = "Callable[[date, tuple[str, ...]], dict[str, Any]]"

KNOWN = {"starting_at", "ending_at", "bucket_width", "limit", "page", "group_by[]"}
_GROUPS = ("description", "workspace_id")
_DEFAULT_DAYS = 7
_OF_TOKENS = ("model", "context_window", "service_tier", "inference_geo")
_FIELDS = ("workspace_id", "description", "cost_type", "model", "token_type", *_OF_TOKENS[1:])


def cost_buckets(books: Books) -> Buckets:
    """What gives the bucket of a day in a grouping. Each is kept: a mapping asks for one several times."""
    return cache(partial(_bucket, books))


def cost_report(bucket_of: Buckets, parameters: Parameters, *, today: date) -> dict[str, Any]:
    """A page of buckets; a day without cost is a bucket without results. Raises InvalidRequestError."""
    only_days(parameters, "bucket_width")
    groups = parameters.several("group_by[]", _GROUPS)
    limit = parameters.number("limit", default=_DEFAULT_DAYS, most=MOST_DAYS)
    days = asked_days(parameters, today=today)
    page = page_of(days, page_start(parameters, PREFIX), limit, parameters, PREFIX)
    return {**page, "data": [bucket_of(date.fromordinal(day), groups) for day in page["data"]]}


def _bucket(books: Books, day: date, groups: tuple[str, ...]) -> dict[str, Any]:
    sums: dict[Key, int] = defaultdict(int)
    for cell in books.cells(day):
        for charge in charges_of(cell):
            sums[_key(cell, charge, groups)] += charge.amount
    results = [
        {"currency": "USD", "amount": cents_text(sums[key]), **dict(zip(_FIELDS, key, strict=True))}
        for key in ordered(sums)
    ]
    return {**span_of(day), "results": results}


def _key(cell: Cell, charge: Charge, groups: tuple[str, ...]) -> Key:
    """What a row says beside its amount, in the order of the fields. What is not for tokens has no model."""
    said: dict[str, str | None] = {}
    if "workspace_id" in groups:
        said["workspace_id"] = dimension(cell, "workspace_id")
    if "description" in groups:
        said |= {"description": charge.description, "cost_type": charge.cost_type, "token_type": charge.token_type}
        if charge.token_type is not None:
            said |= {name: dimension(cell, name) for name in _OF_TOKENS}
    return tuple(said.get(name) for name in _FIELDS)
