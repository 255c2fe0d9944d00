"""Dashboards: every number on the page against the data that it comes from."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import pytest

from portsync.demo.data import day_of
from portsync.demo.records import View, held_days, records_of
from portsync.demo.source import create_source
from portsync.demo.users import DEFAULT_USERS
from portsync.emulator.app import create_app
from portsync.shipped import shipped_folder
from tests.conftest import NOW
from tests.emulator.page.conftest import ORIGIN, read, rows
from tests.emulator.page.test_page_browser import CHROMIUM, browse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import SimpleNamespace

    from tests.conftest import Run, Stage
    from tests.emulator.page.conftest import Element

TODAY = datetime.fromtimestamp(NOW, UTC)
DASHBOARD = "/dashboards/claude_ai_insights"


@pytest.fixture
def demo(
    port_stage: tuple[Stage, str],
    source_stage: tuple[Stage, str],
    portsync: Callable[..., Run],
    tmp_path: Path,
) -> Iterator[Callable[[str], Element]]:
    """Look at the local Port after the demo's whole way: blueprints, dashboard, and a sync from the sample source."""
    emails = [user.email for user in DEFAULT_USERS]
    port_stage[0].app = create_app(client_id="cid", client_secret="secret-9c1e", users=emails, clock=lambda: NOW)
    source_stage[0].app = create_source(token="anthropic-key-51", today=TODAY.date())
    env = {
        "XDG_STATE_HOME": str(tmp_path),
        "PORT_BASE_URL": port_stage[1],
        "PORT_CLIENT_ID": "cid",
        "PORT_CLIENT_SECRET": "secret-9c1e",
        "ANTHROPIC_BASE_URL": source_stage[1],
        "ANTHROPIC_API_KEY": "anthropic-key-51",
    }
    shipped = shipped_folder()
    catalog = [str(shipped / "blueprints" / "claude"), str(shipped / "dashboards" / "claude.json")]
    assert portsync("provision", None, *catalog, env=env).exit_code == 0
    run = portsync("sync", (shipped / "mappings" / "claude.yaml").read_text(encoding="utf-8"), env=env)
    assert run.exit_code == 0, run.err
    with httpx.Client(base_url=port_stage[1], trust_env=False, verify=False) as client:

        def look(path: str) -> Element:
            answer = client.get(path)
            assert answer.status_code == 200
            return read(answer.text)

        yield look


def source_records(view: View) -> list[dict[str, Any]]:
    """What the sample source holds, straight from the function that draws it."""
    days = held_days(today=TODAY.date(), days=30)
    return [record for day in days for record in records_of(day_of(day, seed=1, users=DEFAULT_USERS), view)]


def weekly(records: list[dict[str, Any]], *fields: Callable[[dict[str, Any]], float]) -> list[list[str]]:
    """Sums by ISO week of those records that the last 30 days before now hold."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(fields))
    for record in records:
        at = datetime.fromisoformat(record["date"]).replace(tzinfo=UTC)
        if TODAY - timedelta(days=30) <= at <= TODAY:
            monday = (at - timedelta(days=at.weekday())).date().isoformat()
            sums[monday] = [old + field(record) for old, field in zip(sums[monday], fields, strict=True)]
    return [[f"Week of {monday}", *(plain(value) for value in values)] for monday, values in sorted(sums.items())]


def plain(value: float) -> str:
    return f"{value:,.0f}" if round(value, 6) == int(value) else f"{value:,.2f}"


def test_the_ten_widgets_show_what_the_source_holds(demo: Callable[[str], Element]) -> None:
    assert_true_to_the_source(demo(DASHBOARD))


@pytest.mark.usefixtures("demo")
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")
def test_a_browser_shows_the_same_numbers(port_stage: tuple[Stage, str], tmp_path: Path) -> None:
    # Chromium's own elements: what it understood of the answer, after the page's script ran.
    assert_true_to_the_source(read(browse(f"{port_stage[1]}{DASHBOARD}", tmp_path, "--dump-dom")))


def test_the_table_of_all_activity_shows_every_record_over_its_pages(demo: Callable[[str], Element]) -> None:
    href = demo(DASHBOARD).one("section", data_widget="userActivityBreakdown").one("p", cls="basis").one("a")
    names = ("$identifier", "user_email", "total_requests", "success_rate", "total_tokens", "cost_usd", "record_date")
    wanted = urlencode([*(("col", name) for name in names), ("sort", "$identifier"), ("size", "25")])
    held = source_records(View.MESSAGES_BY_USER)

    shown: list[list[str]] = []
    for number in range(1, -(-len(held) // 25) + 1):
        page = rows(demo(f"{href.attributes['href']}?{wanted}&page={number}"))
        assert len(page) == min(25, len(held) - len(shown))
        shown += page
    assert shown == [activity_row(each) for each in sorted(held, key=activity_identifier)]


def activity_identifier(record: dict[str, Any]) -> str:
    return f"{record['user_id']}@{record['date']}"


def activity_row(record: dict[str, Any]) -> list[str]:
    """One day of one user as a table shows it, by the arithmetic of the task and not of the mapping."""
    return [
        activity_identifier(record),
        record["user_email"],
        f"{record['total_requests']:,}",
        plain(100 * record["successful_requests"] / record["total_requests"]),
        f"{record['input_tokens'] + record['output_tokens']:,}",
        plain(record["cost_usd"]),
        record["date"],
    ]


def assert_true_to_the_source(view: Element) -> None:
    """Every number of the dashboard is one that the sample source's own records make."""
    widgets = {each.attributes["data-widget"]: each for each in view.all("section", cls="widget")}
    messages = source_records(View.MESSAGES)
    users = source_records(View.MESSAGES_BY_USER)
    models = source_records(View.MESSAGES_BY_MODEL)
    coding = source_records(View.CLAUDE_CODE)

    assert len(widgets) == 10
    figures = {name: each.one("p", cls="figure").words for name, each in widgets.items() if each.all("p", cls="figure")}
    rates = [100 * each["successful_requests"] / each["total_requests"] for each in messages]
    assert figures == {
        "totalApiRequests": f"{sum(each['total_requests'] for each in messages):,}",
        "totalCostUsd": f"${sum(each['cost_usd'] for each in messages):,.2f}",
        "apiSuccessRate": f"{sum(rates) / len(rates):.2f}%",
    }
    lines = {name: rows(each) for name, each in widgets.items() if each.all("details", cls="data")}
    assert lines == {
        "tokenUsageOverTime": weekly(messages, lambda r: r["input_tokens"], lambda r: r["output_tokens"]),
        "dailyCostTrends": weekly(messages, lambda r: r["cost_usd"]),
        "requestSuccessVsFailure": weekly(
            messages, lambda r: r["successful_requests"], lambda r: r["total_requests"] - r["successful_requests"]
        ),
        "claudeCodeActivity": weekly(
            coding, lambda r: r["sessions"], lambda r: r["commits"], lambda r: r["pull_requests"]
        ),
        "cacheEfficiency": weekly(
            messages, lambda r: r["cache_read_input_tokens"], lambda r: r["cache_creation_input_tokens"]
        ),
    }
    pie = {item.all("span")[0].words: item.one("b").words for item in widgets["modelUsageDistribution"].all("li")}
    assert pie == {name: str(number) for name, number in Counter(each["model_name"] for each in models).items()}
    table = widgets["userActivityBreakdown"]
    newest = max(each["date"] for each in users)
    by_identifier = {activity_identifier(each): each for each in users}
    assert rows(table)[0][7] == newest
    assert [row[7] for row in rows(table)] == sorted((each["date"] for each in users), reverse=True)[:25]
    for identifier, _, *others in rows(table):
        assert [identifier, *others] == activity_row(by_identifier[identifier])
    assert table.one("p", cls="basis").words.startswith(f"25 of {len(users):,}")


def test_every_line_has_a_point_for_each_of_its_numbers(demo: Callable[[str], Element]) -> None:
    for widget in demo(DASHBOARD).all("section", cls="widget"):
        for chart in widget.all("svg", cls="wide"):
            numbers = [cell for row in rows(widget) for cell in row[1:] if cell != "—"]
            drawn = [each for each in chart.children if each.tag == "circle"]

            assert len(drawn) == len(numbers) > 0
            tips = [value.words for value in chart.all("text", cls="tip-value")]
            assert tips == numbers


DAY = "2024-12-%02dT10:00:00Z"
QUERY = {"combinator": "and", "rules": []}


@pytest.fixture
def widget(records: httpx.Client, look: Callable[..., Element]) -> Callable[..., Element]:
    """Look at one widget over nine records of three days."""
    for number in range(9):
        properties = {"day": DAY % (28 + number // 3), "cost": number, "model": "abc"[number % 3], "level": "low"}
        entity = {"identifier": f"r{number}", "properties": properties}
        records.post("/blueprints/record/entities", json=entity).raise_for_status()

    def see(**body: Any) -> Element:
        whole = {"id": "w", "blueprint": "record", **body}
        layout = [{"height": 400, "columns": [{"id": "w", "size": 12}]}]
        dashboard = {"id": "d", "type": "dashboard-widget", "layout": layout, "widgets": [whole]}
        page = {"identifier": "p", "title": "P", "type": "dashboard", "widgets": [dashboard]}
        records.delete("/pages/p")
        answer = records.post("/pages", json=page)
        assert answer.status_code == 201, answer.text
        return look(records, "/dashboards/p").one("section", cls="widget")

    return see


@pytest.mark.parametrize(
    ("body", "figure"),
    [
        ({"calculationBy": "property", "property": "cost", "func": "sum"}, "36"),
        ({"calculationBy": "property", "property": "cost", "func": "min"}, "0"),
        ({"calculationBy": "property", "property": "cost", "func": "max"}, "8"),
        ({"calculationBy": "property", "property": "cost", "func": "median"}, "4"),
        ({"calculationBy": "property", "property": "cost", "func": "average", "averageOf": "total"}, "4"),
        (
            {"calculationBy": "property", "property": "cost", "func": "average", "averageOf": "day",
             "measureTimeBy": "day"},
            "12",
        ),
        ({"calculationBy": "entities", "func": "count"}, "9"),
        ({"calculationBy": "entities", "func": "average", "averageOf": "day", "measureTimeBy": "day"}, "3"),
        ({"calculationBy": "entities", "func": "count", "unit": "custom", "unitCustom": "apples"}, "9apples"),
        ({"calculationBy": "property", "property": "cost", "func": "sum", "unit": "$"}, "$36.00"),
        (
            {"calculationBy": "property", "property": "cost", "func": "sum", "unit": "€", "unitAlignment": "right"},
            "36.00€",
        ),
        (
            {"calculationBy": "property", "property": "cost", "func": "sum", "displayFormatting": "custom",
             "decimalPlaces": ".000"},
            "36.000",
        ),
        (
            {"calculationBy": "property", "property": "cost", "func": "sum",
             "dataset": [{"property": "model", "operator": "=", "value": "a"}]},
            "9",
        ),
        (
            {"calculationBy": "property", "property": "cost", "func": "sum",
             "dataset": [{"property": "model", "operator": "=", "value": "nobody's"}]},
            "—",
        ),
        ({"calculationBy": "entities", "func": "count",
          "dataset": [{"property": "model", "operator": "=", "value": "nobody's"}]}, "0"),
    ],
)  # fmt: skip
def test_a_number_is_what_its_function_says(widget: Callable[..., Element], body: dict[str, Any], figure: str) -> None:
    assert widget(type="entities-number-chart", **{"unit": "none", **body}).one("p", cls="figure").words == figure


@pytest.mark.parametrize(
    ("body", "table"),
    [
        ({"func": "sum", "timeInterval": "day"}, [["3"], ["12"], ["21"]]),
        ({"func": "average", "timeInterval": "day"}, [["1"], ["4"], ["7"]]),
        ({"func": "max", "timeInterval": "isoWeek"}, [["5"], ["8"]]),
        ({"func": "sum", "timeInterval": "month"}, [["36"]]),
        ({"chartType": "countEntities", "func": "count", "timeInterval": "isoWeek"}, [["6"], ["3"]]),
        ({"chartType": "countEntities", "func": "average", "timeInterval": "day"}, [["3"], ["3"], ["3"]]),
        (
            {"chartType": "countEntities", "func": "count", "timeInterval": "month", "breakdownProperty": "model"},
            [["3", "3", "3"]],
        ),
        (
            {"func": "sum", "timeInterval": "month",
             "dataset": [{"property": "model", "operator": "in", "value": ["a", "b"]}]},
            [["21"]],
        ),
        ({"func": "sum", "timeInterval": "day", "timeRange": {"preset": "lastDay"}}, []),
        ({"func": "sum", "timeInterval": "quarter", "timeRange": {"preset": "last12Months"}}, [["36"]]),
    ],
)  # fmt: skip
def test_a_line_is_what_its_function_says(
    widget: Callable[..., Element], body: dict[str, Any], table: list[list[str]]
) -> None:
    line = {
        "chartType": "aggregatePropertiesValues",
        "properties": ["properties.cost"],
        "measureTimeBy": "day",
        "timeRange": {"preset": "lastMonth"},
        **body,
    }
    if line["chartType"] == "countEntities":
        del line["properties"]
    seen = widget(type="line-chart", **line)
    values = [row[1:] for row in rows(seen)] if seen.all("tbody") else []

    assert [row for row in values if set(row) != {"—"}] == table


def test_bars_count_what_has_each_value(widget: Callable[..., Element]) -> None:
    seen = widget(type="bar-chart", property="property#model", dataset=QUERY)
    wide = seen.one("svg", cls="wide")

    assert [text.words for text in wide.all("text")] == ["a", "3", "b", "3", "c", "3"]
    assert [bar.attributes["class"] for bar in wide.all("rect")] == [f"bar-mark tone-{n}" for n in (1, 2, 3)]


def test_the_smallest_values_stand_together(records: httpx.Client, widget: Callable[..., Element]) -> None:
    for number in range(20):
        properties = {"day": DAY % 28, "model": f"m{number:02}"}
        records.post("/blueprints/record/entities", json={"identifier": f"x{number}", "properties": properties})

    bars = widget(type="bar-chart", property="property#model", dataset=QUERY).one("svg", cls="wide")
    assert [row.all("text")[1].words for row in bars.all("g")] == ["3", "3", "3", *["1"] * 6, "14"]
    pie = widget(type="entities-pie-chart", property="property#model", dataset=QUERY)
    assert [item.one("b").words for item in pie.all("li")] == ["3", "3", "3", *["1"] * 11, "9"]
    assert pie.all("li")[-1].all("span")[0].words == "Other"


def test_a_table_has_its_own_order_filter_and_columns(widget: Callable[..., Element]) -> None:
    config = {
        "sortSettings": {"sortBy": [{"property": "cost", "order": "desc"}]},
        "filterSettings": {
            "filterBy": {"combinator": "and", "rules": [{"property": "model", "operator": "=", "value": "b"}]}
        },
        "propertiesSettings": {"shown": ["$identifier", "cost", "gone", "model"], "hidden": ["model"]},
    }
    body = {"dataset": QUERY, "displayMode": "widget", "blueprintConfig": {"record": config}}
    seen = widget(type="table-entities-explorer", **body)

    assert [head.words for head in seen.all("th")] == ["Identifier", "cost"]
    assert rows(seen) == [["r7", "7"], ["r4", "4"], ["r1", "1"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"type": "entities-pie-chart", "property": "property#gone", "dataset": QUERY}, '"property#gone"'),
        ({"type": "bar-chart", "property": "property#model", "dataset": QUERY, "blueprint": "gone"}, '"gone"'),
        ({"type": "links-widget"}, "links-widget"),
        (
            {"type": "bar-chart", "property": "property#model",
             "dataset": {"combinator": "and", "rules": [{"operator": "relatedTo", "blueprint": "x"}]}},
            "dataset.rules.0",
        ),
    ],
)  # fmt: skip
def test_a_widget_that_cannot_be_drawn_says_why(
    widget: Callable[..., Element], body: dict[str, Any], said: str
) -> None:
    assert said in widget(**body).one("p", cls="nothing").text


def test_a_dashboard_is_measured_anew_after_a_write_and_a_minute(
    records: httpx.Client, widget: Callable[..., Element], clock: SimpleNamespace
) -> None:
    count = {"type": "entities-number-chart", "unit": "none", "calculationBy": "entities", "func": "count"}
    recent = [{"property": "$createdAt", "operator": "between", "value": {"preset": "lastDay"}}]
    widget(**count, dataset=recent)

    def figure() -> str:
        return read(records.get(f"{ORIGIN}/dashboards/p").text).one("p", cls="figure").words

    assert figure() == "9"
    records.post("/blueprints/record/entities", json={"identifier": "new", "properties": {"day": DAY % 28}})
    assert figure() == "10"
    clock.now += 2 * 86400
    assert figure() == "0"
