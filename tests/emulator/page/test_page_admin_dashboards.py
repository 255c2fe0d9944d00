"""The dashboards of the Admin API's mappings: every number on the page against the days that were drawn."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.demo.admin.holdings import Generation, holdings
from portsync.demo.admin.source import create_admin_source
from portsync.demo.books import Books
from portsync.emulator.app import create_app
from portsync.shipped import shipped_folder
from tests.conftest import NOW
from tests.emulator.page.conftest import read, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal
    from pathlib import Path

    from portsync.demo.admin.holdings import Numbers
    from tests.conftest import Run, Stage
    from tests.emulator.page.conftest import Element

TODAY = datetime.fromtimestamp(NOW, UTC).date()
BOOKS = Books(today=TODAY)
KEY = "anthropic-key-51"


@pytest.fixture(params=list(Generation))
def generation(request: pytest.FixtureRequest) -> Generation:
    found = request.param
    assert isinstance(found, Generation)
    return found


@pytest.fixture
def widgets(
    generation: Generation,
    port_stage: tuple[Stage, str],
    source_stage: tuple[Stage, str],
    portsync: Callable[..., Run],
    tmp_path: Path,
) -> Iterator[dict[str, Element]]:
    """The widgets of a dashboard, by their ids, after the whole way: blueprints, dashboard, and a sync."""
    emails = [user.email for user in BOOKS.users]
    port_stage[0].app = create_app(client_id="cid", client_secret="secret-9c1e", users=emails, clock=lambda: NOW)
    source_stage[0].app = create_admin_source(key=KEY, books=BOOKS)
    env = {
        "XDG_STATE_HOME": str(tmp_path),
        "PORT_BASE_URL": port_stage[1],
        "PORT_CLIENT_ID": "cid",
        "PORT_CLIENT_SECRET": "secret-9c1e",
        "ANTHROPIC_BASE_URL": source_stage[1],
        "ANTHROPIC_ADMIN_KEY": KEY,
    }
    shipped = shipped_folder()
    catalog = [str(shipped / "blueprints" / "claude"), str(shipped / "dashboards" / f"claude-{generation}.json")]
    assert portsync("provision", None, *catalog, env=env).exit_code == 0
    run = portsync("sync", (shipped / "mappings" / f"claude-{generation}.yaml").read_text(), env=env)
    assert run.exit_code == 0, run.err
    with httpx.Client(base_url=port_stage[1], trust_env=False) as client:
        view = read(client.get(f"/dashboards/claude_{generation}_insights").text)
        yield {each.attributes["data-widget"]: each for each in view.all("section", cls="widget")}


def plain(value: float | Decimal) -> str:
    return f"{value:,.0f}" if round(value, 6) == int(value) else f"{value:,.2f}"


def daily(held: dict[str, Numbers], *names: str) -> list[list[str]]:
    """A line for each day whose midnight, which is when its records are of, lies in the last 30 days before now."""
    found = {date.fromisoformat(key[-10:]): numbers for key, numbers in held.items()}
    return [
        [day.isoformat(), *(plain(numbers[name]) for name in names)]
        for day, numbers in sorted(found.items())
        if day > TODAY - timedelta(days=30)
    ]


def points(widget: Element) -> list[list[str]]:
    """The lines of a chart's table without those in which there is nothing."""
    return [row for row in rows(widget) if set(row[1:]) != {"—"}]


def total(held: dict[str, Numbers], *names: str) -> int | Decimal:
    return sum((numbers[name] for numbers in held.values() for name in names), 0)


def test_the_widgets_show_what_was_drawn(widgets: dict[str, Element], generation: Generation) -> None:
    held = holdings(BOOKS, generation)
    usage, code = held["claude_usage_record"], held["claude_code_analytics"]
    figures = {name: each.one("p", cls="figure").words for name, each in widgets.items() if each.all("p", cls="figure")}
    expected = {
        "totalCostUsd": f"${total(usage, 'total_cost_usd'):,.2f}",
        "totalTokens": f"{total(usage, 'total_input_tokens', 'total_output_tokens'):,}",
    }
    if generation is Generation.ADMIN:
        expected["claudeCodeSessions"] = f"{total(code, 'total_sessions'):,}"
    else:
        expected["totalApiRequests"] = f"{total(usage, 'total_requests'):,}"
    assert figures == expected
    lines = {name: points(each) for name, each in widgets.items() if each.all("details", cls="data")}
    drawn = {
        "dailyCost": daily(usage, "total_cost_usd"),
        "dailyTokens": daily(usage, "total_input_tokens", "total_output_tokens"),
        "cacheEfficiency": daily(usage, "total_cache_read_tokens", "total_cache_write_tokens"),
        "activeApiKeys": daily(usage, "active_api_keys"),
        "claudeCodeActivity": daily(code, "total_sessions", "total_commits", "total_pull_requests"),
        "claudeCodeUsers": daily(code, "active_users"),
    }
    if generation is Generation.ANALYTICS:
        drawn["dailyRequests"] = daily(usage, "total_requests")
    assert lines == drawn


def test_the_tables_have_the_most_expensive_first_and_nothing_empty(
    widgets: dict[str, Element], generation: Generation
) -> None:
    held = holdings(BOOKS, generation)
    models = held["claude_model_usage"]
    costs = sorted((numbers["cost_usd"] for numbers in models.values()), reverse=True)
    place = [head.words for head in widgets["modelUsage"].all("th")].index("Cost (USD)")

    assert [row[place] for row in rows(widgets["modelUsage"])] == [plain(cost) for cost in costs[:25]]
    assert widgets["modelUsage"].one("p", cls="basis").words.startswith(f"25 of {len(models)}")
    people = held["claude_user_activity"]
    assert widgets["userActivity"].one("p", cls="basis").words.startswith(f"25 of {len(people)}")
    for name in ("modelUsage", "userActivity"):
        assert not [row for row in rows(widgets[name]) if "—" in row]


def test_the_pie_counts_the_days_on_which_a_model_had_the_most_tokens(widgets: dict[str, Element]) -> None:
    most: Counter[str] = Counter()
    for day in BOOKS.held_days():
        tokens: Counter[str] = Counter()
        for cell in BOOKS.cells(day):
            usage: Any = cell.usage
            whole = usage.input_tokens + usage.output_tokens + usage.cache_read + usage.cache_creation
            tokens[cell.model.model_id] += whole
        most[tokens.most_common(1)[0][0]] += 1
    items = widgets["mostUsedModel"].all("li")

    assert {item.all("span")[0].words: item.one("b").words for item in items} == {
        model: str(days) for model, days in most.items()
    }
