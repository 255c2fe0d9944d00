"""The mappings of the Admin API, from the sample source into the local Port: all of it, and nothing asked twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from portsync.blueprints import read_blueprints
from portsync.demo.admin.analytics import actor_of
from portsync.demo.admin.holdings import Generation, holdings
from portsync.demo.admin.source import Trouble, create_admin_source
from portsync.demo.books import Books, has_left
from portsync.demo.charges import charges_of
from portsync.demo.models import sample_models
from portsync.demo.organization import sample_keys
from portsync.demo.users import sample_users
from portsync.emulator.app import create_app
from portsync.shipped import shipped_folder
from tests.conftest import NOW, PORT_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from portsync.demo.books import Cell
    from tests.conftest import LocalPort, Run, Stage

KEY = "sk-ant-admin01-invented-key"
TODAY = datetime.fromtimestamp(NOW, UTC).date()
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


@pytest.fixture
def sync(
    local_port: LocalPort,
    port_stage: tuple[Stage, str],
    source_stage: tuple[Stage, str],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> Callable[..., tuple[Run, Counter[str]]]:
    """Bring books into an empty Port: the run, and how often each path was asked for."""

    def run(books: Books, generation: Generation, troubles: Sequence[Trouble] = ()) -> tuple[Run, Counter[str]]:
        emails = [user.email for user in books.users]
        port_stage[0].app = create_app(client_id="cid", client_secret=PORT_SECRET, users=emails)
        for blueprint in read_blueprints(shipped_folder() / "blueprints" / "claude"):
            assert local_port.api("POST", "/blueprints", blueprint)["ok"]
        counted = Counted(create_admin_source(key=KEY, books=books, troubles=troubles))
        source_stage[0].app = counted
        env = {**port_env, "ANTHROPIC_BASE_URL": source_stage[1], "ANTHROPIC_ADMIN_KEY": KEY}
        mapping = shipped_folder() / "mappings" / f"claude-{generation}.yaml"
        days = str(len(books.held_days()))
        ended = portsync("sync", mapping.read_text(encoding="utf-8"), env={**env, "CLAUDE_DAYS": days})
        return ended, counted.asked

    return run


def in_port(port: LocalPort, expected: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """The numbers that Port holds, of the properties that are expected; money as decimals."""

    def number(value: Any, like: Any) -> Any:
        return Decimal(str(value)) if isinstance(like, Decimal) and value is not None else value

    return {
        blueprint: {
            identifier: {
                name: number(entity["properties"].get(name), like)
                for name, like in entities.get(identifier, next(iter(entities.values()))).items()
            }
            for identifier, entity in port.entities(blueprint).items()
        }
        for blueprint, entities in expected.items()
    }


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
    """The same for the newer reports: rows in pages of a thousand, of 31 days at once, and of seven where people are
    told apart."""

    def asked(days_at_once: int, key: Callable[[Cell], Iterable[object]]) -> int:
        rows = [len({each for cell in books.cells(day) for each in key(cell)}) for day in books.held_days()]
        windows = [rows[begin : begin + days_at_once] for begin in range(0, len(rows), days_at_once)]
        return sum(pages(sum(window), ROWS_OF_A_PAGE) for window in windows)

    def kinds(cell: Cell) -> Iterable[object]:
        return [(cell.model, charge.cost_type, charge.token_type) for charge in charges_of(cell)]

    total, by_model = asked(31, lambda _: [()]), asked(31, lambda cell: [cell.model])
    by_key, by_actor = asked(31, lambda cell: [(cell.model, cell.api_key)]), asked(7, lambda cell: [actor_of(cell)])
    by_actor_and_model = asked(7, lambda cell: [(actor_of(cell), cell.model)])
    return {
        "me": 1,
        "api_keys": pages(len(books.keys), PEOPLE_OF_A_PAGE),
        "analytics/usage": total + by_key + by_actor_and_model + by_model,
        "analytics/cost": total + by_actor + by_model + asked(31, kinds),
        "usage_report/claude_code": admin_requests(books)["usage_report/claude_code"],
    }


MANY_DAYS = Books(today=TODAY, days=63, users=sample_users(10), models=sample_models(12), keys=sample_keys(3))
MANY_ROWS = Books(today=TODAY, days=8, users=sample_users(80), models=sample_models(12), keys=sample_keys(40))
MANY_PEOPLE = Books(today=TODAY, days=2, users=sample_users(3200), models=sample_models(1), keys=sample_keys(40))


@pytest.mark.parametrize("books", [MANY_DAYS, MANY_PEOPLE], ids=["many days", "many people"])
def test_the_admin_api_is_read_whole_with_as_many_requests_as_its_pages(
    sync: Callable[..., tuple[Run, Counter[str]]], local_port: LocalPort, books: Books
) -> None:
    run, asked = sync(books, Generation.ADMIN)

    assert run.exit_code == 0, run.err
    assert {resource["verdict"] for resource in run.report["resources"]} == {"complete"}
    assert asked == admin_requests(books)
    expected = holdings(books, Generation.ADMIN)
    assert in_port(local_port, expected) == expected


@pytest.mark.parametrize("books", [MANY_DAYS, MANY_ROWS], ids=["many days", "many rows"])
def test_the_analytics_endpoints_are_read_whole_with_as_many_requests_as_their_pages(
    sync: Callable[..., tuple[Run, Counter[str]]], local_port: LocalPort, books: Books
) -> None:
    run, asked = sync(books, Generation.ANALYTICS)

    assert run.exit_code == 0, run.err
    assert {resource["verdict"] for resource in run.report["resources"]} == {"complete"}
    assert asked == analytics_requests(books)
    expected = holdings(books, Generation.ANALYTICS)
    assert in_port(local_port, expected) == expected


def test_the_books_have_more_than_a_page_of_everything() -> None:
    """Otherwise the tests above say little."""
    assert admin_requests(MANY_DAYS)["cost_report"] == 9
    assert admin_requests(MANY_PEOPLE)["users"] == 4
    assert max(code_rows(MANY_PEOPLE)) > ROWS_OF_A_PAGE
    assert analytics_requests(MANY_DAYS)["analytics/cost"] == 3 + 9 + 3 + 5
    assert analytics_requests(MANY_ROWS)["analytics/usage"] > 1 + 1 + 2 + 1
    assert "unattributed" in str(holdings(MANY_ROWS, Generation.ANALYTICS))


def test_refusals_that_pass_are_waited_for(
    sync: Callable[..., tuple[Run, Counter[str]]], local_port: LocalPort
) -> None:
    books = Books(today=TODAY, days=2)
    troubles = (
        Trouble("/usage_report/messages", 429, times=2, retry_after="3"),
        Trouble("/cost_report", 429),
        Trouble("/users", 529),
        Trouble("/claude_code", 500),
    )

    run, asked = sync(books, Generation.ADMIN, troubles)

    assert run.exit_code == 0, run.err
    assert sum(asked.values()) == sum(admin_requests(books).values()) + 5
    expected = holdings(books, Generation.ADMIN)
    assert in_port(local_port, expected) == expected
