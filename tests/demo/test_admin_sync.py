"""The mappings of the Admin API, from the sample source into the local Port: all of it, and nothing asked twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from portsync.blueprints import read_blueprints
from portsync.demo.admin.analytics import actor_of
from portsync.demo.admin.holdings import Generation, holdings
from portsync.demo.admin.source import Trouble, create_admin_source
from portsync.demo.books import Books
from portsync.demo.models import sample_models
from portsync.demo.organization import sample_keys
from portsync.demo.users import sample_users
from portsync.emulator.app import create_app
from portsync.shipped import shipped_folder
from tests.conftest import NOW, PORT_SECRET
from tests.demo.implied import (
    ROWS_OF_A_PAGE,
    Counted,
    admin_requests,
    analytics_requests,
    code_rows,
    numbers_of,
    requests_of,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from portsync.demo.admin.holdings import Holdings
    from tests.conftest import LocalPort, Run, Stage

KEY = "sk-ant-admin01-invented-key"
TODAY = datetime.fromtimestamp(NOW, UTC).date()


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


def in_port(port: LocalPort, expected: Holdings) -> Holdings:
    """The numbers that Port holds, of the properties that are expected."""
    return {blueprint: numbers_of(port.entities(blueprint), held) for blueprint, held in expected.items()}


# Full pages to the last one: 62 days are two pages of buckets, and 3,000 people who have not left three of people.
MANY_DAYS = Books(today=TODAY, days=62, users=sample_users(10), models=sample_models(12), keys=sample_keys(3))
MANY_ROWS = Books(today=TODAY, days=3, users=sample_users(400), models=sample_models(12), keys=sample_keys(40))
MANY_PEOPLE = Books(today=TODAY, days=2, users=sample_users(3123), models=sample_models(1), keys=sample_keys(40))


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
    assert admin_requests(MANY_DAYS)["cost_report"] == 3 * 2
    assert admin_requests(MANY_PEOPLE)["users"] == 3
    assert max(code_rows(MANY_PEOPLE)) > ROWS_OF_A_PAGE
    assert analytics_requests(MANY_DAYS)["analytics/cost"] == 2 + 9 + 2 + 4
    days = [{(actor_of(cell), cell.model) for cell in MANY_ROWS.cells(day)} for day in MANY_ROWS.held_days()]
    assert max(map(len, days)) > ROWS_OF_A_PAGE
    assert "unattributed" in str(holdings(MANY_ROWS, Generation.ANALYTICS))


def test_the_guide_says_how_many_requests_there_are() -> None:
    text = (shipped_folder() / "docs" / "guides" / "claude.md").read_text(encoding="utf-8")
    large = Books(today=TODAY, days=90, users=sample_users(200), models=sample_models(12), keys=sample_keys(40))
    admin, analytics = (sum(requests_of(large, generation).values()) for generation in Generation)
    small = [sum(requests_of(Books(today=TODAY), generation).values()) for generation in Generation]

    assert f"`claude-admin.yaml` makes {admin} requests" in text
    assert f"`claude-analytics.yaml` makes {analytics}," in text
    assert f"| requests for 30 days of a small organization | {small[0]} | {small[1]} | 5 |" in text


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
