"""What a run over the Admin API has to come to: how often it has to ask, and what Port has to hold."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from portsync.demo.admin.analytics import actor_of
from portsync.demo.admin.holdings import Generation
from portsync.demo.books import has_left
from portsync.demo.charges import charges_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from portsync.demo.admin.holdings import Numbers
    from portsync.demo.books import Books, Cell

PEOPLE_OF_A_PAGE = ROWS_OF_A_PAGE = 1000
DAYS_OF_A_PAGE = 31


class Counted:
    """An app whose requests are counted by path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.asked: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked[scope["path"].removeprefix("/v1/organizations/")] += 1
        await self.app(scope, receive, send)


def numbers_of(entities: Mapping[str, Any], held: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """The numbers in `entities` of those properties that `held` has; money as decimals."""
    any_of_them = next(iter(held.values()), {})

    def number(value: Any, like: Any) -> Any:
        return Decimal(str(value)) if isinstance(like, Decimal) and value is not None else value

    return {
        identifier: {
            name: number(entity["properties"].get(name), like)
            for name, like in held.get(identifier, any_of_them).items()
        }
        for identifier, entity in entities.items()
    }


def requests_of(books: Books, generation: Generation) -> dict[str, int]:
    """How often each path has to be asked for, as far as the documentation says how much a page holds."""
    return admin_requests(books) if generation is Generation.ADMIN else analytics_requests(books)


def pages(items: int, size: int) -> int:
    return max(1, -(-items // size))


def code_rows(books: Books) -> list[int]:
    """How many rows each day has: a person's day is one, and two where it has several sessions."""
    return [
        sum(1 + (each.coding.sessions > 1) for each in books.day(day).user_days if each.coding)
        for day in books.held_days()
    ]


def admin_requests(books: Books) -> dict[str, int]:
    """What the documentation implies: buckets in pages of 31, a request for each page of each day's rows of Claude
    Code, people in pages of a thousand."""
    buckets = pages(len(books.held_days()), DAYS_OF_A_PAGE)
    people = sum(not has_left(user) for user in books.users)
    return {
        "me": 1,
        "users": pages(people, PEOPLE_OF_A_PAGE),
        "usage_report/messages": 3 * buckets,
        "cost_report": 3 * buckets,
        "usage_report/claude_code": sum(pages(rows, ROWS_OF_A_PAGE) for rows in code_rows(books)),
    }


def analytics_requests(books: Books) -> dict[str, int]:
    """The same for the newer reports: rows in pages of a thousand, of 31 days at once, of seven where keys or people
    are told apart, and of one where people and models are."""

    def asked(days_at_once: int, key: Callable[[Cell], Iterable[object]]) -> int:
        rows = [len({each for cell in books.cells(day) for each in key(cell)}) for day in books.held_days()]
        windows = [rows[begin : begin + days_at_once] for begin in range(0, len(rows), days_at_once)]
        return sum(pages(sum(window), ROWS_OF_A_PAGE) for window in windows)

    def kinds(cell: Cell) -> Iterable[object]:
        return [(cell.model, charge.cost_type, charge.token_type) for charge in charges_of(cell)]

    total, by_model = asked(31, lambda _: [()]), asked(31, lambda cell: [cell.model])
    by_key, by_actor = asked(7, lambda cell: [(cell.model, cell.api_key)]), asked(7, lambda cell: [actor_of(cell)])
    by_actor_and_model = asked(1, lambda cell: [(actor_of(cell), cell.model)])
    return {
        "me": 1,
        "api_keys": pages(len(books.keys), PEOPLE_OF_A_PAGE),
        "analytics/usage": total + by_key + by_actor_and_model + by_model,
        "analytics/cost": total + by_actor + by_model + asked(31, kinds),
        "usage_report/claude_code": admin_requests(books)["usage_report/claude_code"],
    }
