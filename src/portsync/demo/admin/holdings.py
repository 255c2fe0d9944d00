"""What the sample source holds, as the entities that the mappings of the Admin API make of it.

The sums are made of the drawn parts, and not of reports: what a sync brought can be held against them.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from portsync.demo.organization import ORGANIZATION_ID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from portsync.demo.books import Books, Cell

Numbers: TypeAlias = "dict[str, int | Decimal]"
Holdings: TypeAlias = "dict[str, dict[str, Numbers]]"
"""By blueprint and identifier, the properties that are numbers; money in dollars."""

_TOTALS = {"input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd"}
_NOBODY = "unattributed"


class Generation(StrEnum):
    """The reports that are asked: those of `claude-admin.yaml`, or the newer ones of `claude-analytics.yaml`."""

    ADMIN = "admin"
    ANALYTICS = "analytics"


def holdings(books: Books, generation: Generation) -> Holdings:
    """Sum what `books` hold. The older reports know nothing of the number of requests, of the cost of a person and of
    what keys did; the newer ones count a search as a cost of its model."""
    found: Holdings = {
        "claude_usage_record": {},
        "claude_cost_record": {},
        "claude_user_activity": {},
        "claude_model_usage": {},
        "claude_code_analytics": {},
    }
    is_newer = generation is Generation.ANALYTICS
    for day in books.held_days():
        users: dict[str, Numbers] = defaultdict(dict)
        models: dict[str, Numbers] = defaultdict(dict)
        whole: Numbers = {}
        for cell in books.cells(day):
            numbers = _numbers(cell)
            if not is_newer:
                del numbers["total_requests"]
            _add(whole, numbers)
            cost = numbers.pop("cost_usd")
            _add(models[cell.model.model_id], {**numbers, "cost_usd": cost if is_newer else _without_searches(cell)})
            if is_newer:
                _add(users[cell.owner or _NOBODY], {**numbers, "cost_usd": cost})
            elif cell.account:
                _add(users[cell.account.user_id], numbers)
        if whole:
            keys = {cell.api_key.key_id for cell in books.cells(day) if cell.api_key}
            record = {f"total_{name}" if name in _TOTALS else name: value for name, value in whole.items()}
            found["claude_usage_record"][f"{ORGANIZATION_ID}@{day}"] = {**record, "active_api_keys": len(keys)}
            found["claude_cost_record"][f"{ORGANIZATION_ID}@cost@{day}"] = {"total_cost_usd": whole["cost_usd"]}
        found["claude_user_activity"] |= {f"{name}@{day}": numbers for name, numbers in users.items()}
        found["claude_model_usage"] |= {f"{name}@{day}": numbers for name, numbers in models.items()}
        found["claude_code_analytics"] |= dict(_coding(books, day))
    return found


def _numbers(cell: Cell) -> Numbers:
    usage = cell.usage
    return {
        "total_requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_creation,
        "cost_usd": Decimal(usage.cents) / 100,
    }


def _without_searches(cell: Cell) -> Decimal:
    return Decimal(cell.usage.cents - cell.searches) / 100


def _add(sums: Numbers, numbers: Numbers) -> None:
    for name, value in numbers.items():
        sums[name] = sums.get(name, 0) + value


def _coding(books: Books, day: date) -> Iterator[tuple[str, Numbers]]:
    coders = [(each.user, each.coding) for each in books.day(day).user_days if each.coding]
    if coders:
        yield (
            f"{ORGANIZATION_ID}@code@{day}",
            {
                "total_sessions": sum(coding.sessions for _, coding in coders),
                "total_lines_edited": sum(coding.lines for _, coding in coders),
                "total_commits": sum(coding.commits for _, coding in coders),
                "total_pull_requests": sum(coding.pull_requests for _, coding in coders),
                "active_users": len({user.email for user, _ in coders if books.coding_key(user) is None}),
            },
        )
