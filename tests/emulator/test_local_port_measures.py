"""The routes that aggregate, compared with numbers counted by hand."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.emulator.app import create_app
from portsync.emulator.guesses import Guesses
from portsync.emulator.measures.buckets import INTERVALS, next_start, start_of, starts_between
from tests.emulator.conftest import NOON, InProcess

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime.fromtimestamp(NOON, UTC)
"""A Wednesday, the first day of a month, a quarter and a year."""
DAY = {
    "identifier": "day",
    "title": "Day",
    "schema": {
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "cost": {"type": "number"},
            "model": {"type": "string"},
            "tags": {"type": "array"},
            "done": {"type": "boolean"},
        }
    },
    "relations": {"user": {"target": "_user"}},
    "calculationProperties": {
        "double": {"type": "number", "calculation": ".properties.cost * 2"},
        "word": {"type": "string", "calculation": ".properties.model"},
    },
}
EVERYTHING = {
    "combinator": "and",
    "rules": [{"property": "$blueprint", "operator": "=", "value": "day"}],
}


def entity(number: int, at: str | None = None, **properties: Any) -> dict[str, Any]:
    return {"identifier": f"e{number:03}", "properties": {"at": at, **properties}}


DAYS = [
    entity(1, "2024-12-31T23:30:00Z", cost=1, model="a", tags=["x", "y"], done=True),
    entity(2, "2024-12-30T10:00:00Z", cost=4, model="a", tags=["x"], done=False),
    entity(3, "2024-12-29T10:00:00Z", cost=10, model="b"),
    entity(4, "2024-12-29T11:00:00Z", model="b"),
    entity(5, None, cost=100),
    entity(6, "2023-01-01T00:00:00Z", cost=1000, model="c"),
]


def fill(port: httpx.Client, days: list[dict[str, Any]]) -> httpx.Client:
    assert port.post("/blueprints", json=DAY).status_code == 201
    for start in range(0, len(days), 20):
        answer = port.post("/blueprints/day/entities/bulk", json={"entities": days[start : start + 20]})
        assert answer.status_code == 200, answer.text
    return port


@pytest.fixture
def days(port: httpx.Client) -> httpx.Client:
    return fill(port, DAYS)


def aggregate(func: str, **more: Any) -> dict[str, Any]:
    return {"func": func, "query": EVERYTHING, **more}


def over_time(func: str, preset: str = "lastMonth", interval: str = "day", **more: Any) -> dict[str, Any]:
    kind = "countEntities" if "properties" not in more else "aggregatePropertiesValues"
    return {
        "blueprint": "day",
        "timeRange": {"preset": preset},
        "timeInterval": interval,
        "measureTimeBy": "at",
        "aggregationType": kind,
        "func": func,
        "query": EVERYTHING,
        **more,
    }


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (aggregate("count"), 6),
        (aggregate("count", calculationBy="entities"), 6),
        (aggregate("sum", property="cost"), 1115),
        (aggregate("sum", property="cost", calculationBy="property"), 1115),
        (aggregate("min", property="cost"), 1),
        (aggregate("max", property="cost"), 1000),
        (aggregate("median", property="cost"), 10),
        (aggregate("average", property="cost"), 223),
        (aggregate("average", property="cost", averageOf="total"), 223),
        (aggregate("average", property="cost", averageOf="day", measureTimeBy="at"), 1115 / 731),
        (aggregate("average", property="cost", averageOf="month", measureTimeBy="at"), 1115 / 25),
        (aggregate("average", averageOf="hour"), 6),
        (aggregate("average", averageOf="week", measureTimeBy="at"), 6 / 105),
        (aggregate("average", averageOf="total"), 6),
        (aggregate("sum", property="double"), 2230),
        (aggregate("sum", property="properties.cost"), 1115),
        ({"func": "sum", "property": "cost", "query": {"combinator": "and", "rules": []}}, 1115),
        # Of every blueprint: the one user counts too.
        ({"func": "count", "query": {"combinator": "and", "rules": []}}, 7),
    ],
)
def test_entities_come_to_one_number(days: httpx.Client, body: dict[str, Any], result: float) -> None:
    answer = days.post("/entities/aggregate", json=body)
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "result": pytest.approx(result)})


@pytest.mark.parametrize(
    ("named", "groups"),
    [
        ({"property": "model"}, {"a": 2, "b": 2, "c": 1, "null": 1}),
        ({"property": "tags"}, {"x": 2, "y": 1, "null": 4}),
        ({"property": "done"}, {"true": 1, "false": 1, "null": 4}),
        ({"property": "word"}, {"a": 2, "b": 2, "c": 1, "null": 1}),
        ({"relation": "user"}, {"null": 6}),
    ],
)
def test_entities_are_counted_by_a_value(days: httpx.Client, named: dict[str, str], groups: dict[str, int]) -> None:
    answer = days.post("/entities/aggregate", json=aggregate("countValues", **named)).json()
    assert {each["value"]: each["count"] for each in answer["result"]} == groups
    assert [each["count"] for each in answer["result"]] == sorted(groups.values(), reverse=True)


@pytest.mark.parametrize(
    ("rule", "number"),
    [
        ({"property": "cost", "operator": ">", "value": 3}, 4),
        ({"property": "double", "operator": ">", "value": 200}, 1),
    ],
)
def test_a_query_says_which_entities_count(days: httpx.Client, rule: dict[str, Any], number: int) -> None:
    query = {"combinator": "and", "rules": [*EVERYTHING["rules"], rule]}
    answer = days.post("/entities/aggregate", json={"func": "count", "query": query})
    assert answer.json()["result"] == number


@pytest.mark.parametrize("func", ["sum", "min", "max", "median", "average"])
def test_nothing_comes_to_null(port: httpx.Client, func: str) -> None:
    answer = fill(port, []).post("/entities/aggregate", json=aggregate(func, property="cost"))
    assert answer.json() == {"ok": True, "result": None}


def test_what_is_open_in_the_answers_can_be_switched(local_port: Callable[..., httpx.Client]) -> None:
    guesses = Guesses(aggregate_result_name="value", sum_of_nothing=0, count_over_time_name="entities")
    port = fill(local_port(guesses=guesses), [])
    assert port.post("/entities/aggregate", json=aggregate("sum", property="cost")).json() == {"ok": True, "value": 0}
    data = port.post("/entities/aggregate-over-time", json=over_time("count")).json()["result"]["data"]
    assert {each["entities"] for each in data} == {0}


def test_a_sum_beyond_64_bits_is_a_number(port: httpx.Client) -> None:
    fill(port, [entity(number, cost=2**63) for number in range(3)])
    assert port.post("/entities/aggregate", json=aggregate("sum", property="cost")).json()["result"] == 3 * 2**63


def points(port: httpx.Client, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The data of an answer, by the date's text, without the dates that have nothing."""
    answer = port.post("/entities/aggregate-over-time", json=body)
    assert answer.status_code == 200, answer.text
    result = answer.json()["result"]
    assert result.keys() == {"minDate", "maxDate", "data"}
    dated = {
        datetime.fromtimestamp(each["date"] / 1000, UTC).strftime("%Y-%m-%dT%H:%M"): {
            name: value for name, value in each.items() if name != "date"
        }
        for each in result["data"]
    }
    return {date: values for date, values in dated.items() if values and values != {"count": 0}}


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (
            over_time("sum", properties=["cost"]),
            {"2024-12-29T00:00": {"cost": 10}, "2024-12-30T00:00": {"cost": 4}, "2024-12-31T00:00": {"cost": 1}},
        ),
        (
            over_time("sum", properties=["properties.cost", "double"], interval="isoWeek"),
            {
                "2024-12-23T00:00": {"properties.cost": 10, "double": 20},
                "2024-12-30T00:00": {"properties.cost": 5, "double": 10},
            },
        ),
        (over_time("average", properties=["cost"], interval="month"), {"2024-12-01T00:00": {"cost": 5}}),
        (over_time("median", properties=["cost"], interval="quarter"), {"2024-10-01T00:00": {"cost": 4}}),
        (over_time("max", properties=["cost"], interval="month"), {"2024-12-01T00:00": {"cost": 10}}),
        (over_time("min", properties=["cost"], interval="month"), {"2024-12-01T00:00": {"cost": 1}}),
        # The last by time, which comes first by identifier.
        (over_time("last", properties=["cost"], interval="month"), {"2024-12-01T00:00": {"cost": 1}}),
        (
            over_time("count"),
            {"2024-12-29T00:00": {"count": 2}, "2024-12-30T00:00": {"count": 1}, "2024-12-31T00:00": {"count": 1}},
        ),
        (
            over_time("count", interval="month", breakdownProperty="model"),
            {"2024-12-01T00:00": {"a": 2, "b": 2}},
        ),
        (over_time("average", interval="month"), {"2024-12-01T00:00": {"count": 4 / 31}}),
        (
            over_time("count", "last3Years", "quarter"),
            {"2023-01-01T00:00": {"count": 1}, "2024-10-01T00:00": {"count": 4}},
        ),
        (over_time("count", "last2Years", "quarter"), {"2024-10-01T00:00": {"count": 4}}),
        (over_time("count", "last12Months", "hour"), {
            "2024-12-29T10:00": {"count": 1}, "2024-12-29T11:00": {"count": 1},
            "2024-12-30T10:00": {"count": 1}, "2024-12-31T23:00": {"count": 1},
        }),
        (over_time("count", "yesterday"), {"2024-12-31T00:00": {"count": 1}}),
        (over_time("count", "today"), {}),
        (over_time("count", "lastDay", "hour"), {"2024-12-31T23:00": {"count": 1}}),
        (over_time("count", measureTimeBy="$createdAt"), {"2025-01-01T00:00": {"count": 6}}),
        # Half past eleven in the evening is the next day in Helsinki, whose days begin at ten by UTC.
        (
            over_time("count", timeRange={"preset": "today", "timeZone": "Europe/Helsinki"}),
            {"2024-12-31T22:00": {"count": 1}},
        ),
        (
            over_time("count", timeRange={"preset": "lastWeek", "timeZone": "America/New_York"}),
            {"2024-12-29T05:00": {"count": 2}, "2024-12-30T05:00": {"count": 1}, "2024-12-31T05:00": {"count": 1}},
        ),
    ],
)  # fmt: skip
def test_entities_are_counted_over_time(days: httpx.Client, body: dict[str, Any], data: dict[str, Any]) -> None:
    assert points(days, body) == data


def test_every_span_of_the_range_has_its_date(days: httpx.Client) -> None:
    result = days.post("/entities/aggregate-over-time", json=over_time("count", "lastWeek")).json()["result"]
    first = datetime(2024, 12, 25, tzinfo=UTC)
    assert [each["date"] for each in result["data"]] == [
        int((first + timedelta(days=number)).timestamp() * 1000) for number in range(8)
    ]
    assert (result["minDate"], result["maxDate"]) == (int((NOON - 7 * 86400) * 1000), int(NOON * 1000))


@pytest.mark.parametrize(
    ("route", "body", "status", "place"),
    [
        ("", {"query": EVERYTHING}, 422, "required property 'func'"),
        ("", {"func": "count"}, 422, "required property 'query'"),
        ("", aggregate("mode"), 422, '"body.func"'),
        ("", aggregate("sum"), 422, '"body.func"'),
        ("", aggregate("count", property="cost"), 422, '"body.func"'),
        ("", aggregate("sum", property="none"), 422, '"body.property"'),
        ("", aggregate("sum", property="model"), 422, "of type number"),
        ("", aggregate("sum", property="word"), 422, "of type number"),
        ("", aggregate("sum", property=5), 422, '"body.property" must be string'),
        ("", aggregate("average", property="cost", averageOf="year"), 422, '"body.averageOf"'),
        ("", aggregate("average", averageOf="day", measureTimeBy="model"), 422, '"body.measureTimeBy"'),
        ("", aggregate("average", averageOf="day", measureTimeBy="none"), 422, '"body.measureTimeBy"'),
        ("", aggregate("count", more=1), 422, "additional properties (more)"),
        ("", aggregate("sum", property="cost", more=1), 422, "additional properties (more)"),
        ("", {"func": "count", "query": {"combinator": "and"}}, 422, "required property 'rules'"),
        ("", {"func": "count", "query": []}, 422, '"body.query" must be object'),
        ("", [], 422, '"body" must be object'),
        ("", aggregate("countValues"), 422, "required property 'property'"),
        ("", aggregate("countValues", property="none"), 422, '"body.property"'),
        ("", aggregate("countValues", relation="none"), 404, 'Relation "none"'),
        ("", aggregate("countValues", relation="user", property="cost"), 422, "additional properties (property)"),
        ("", aggregate("countValues", scorecard="s"), 422, "not supported"),
        ("", aggregate("countValues", scorecard="s", rule="r"), 422, "not supported"),
        ("-over-time", {**over_time("count"), "blueprint": "none"}, 404, 'Blueprint "none"'),
        ("-over-time", {**over_time("count"), "blueprint": None}, 422, '"body.blueprint"'),
        ("-over-time", over_time("count", "lastYear"), 422, '"body.timeRange.preset"'),
        ("-over-time", over_time("count", "tomorrow"), 422, '"body.timeRange.preset"'),
        ("-over-time", over_time("count", "last2Years", "month"), 422, '"body.timeInterval"'),
        ("-over-time", over_time("count", "last3Years", "day"), 422, '"body.timeInterval"'),
        ("-over-time", over_time("count", interval="week"), 422, '"body.timeInterval"'),
        ("-over-time", over_time("count", timeRange={"preset": "today", "timeZone": "Mars"}), 422, "timeZone"),
        ("-over-time", over_time("count", timeRange={"preset": "today", "timeZone": "../x"}), 422, "timeZone"),
        ("-over-time", over_time("count", timeRange={"preset": "today", "timeZone": ""}), 422, "timeZone"),
        ("-over-time", over_time("count", timeRange={"preset": "today", "timeZone": "Europe"}), 422, "timeZone"),
        ("-over-time", over_time("count", timeRange={}), 422, "required property 'preset'"),
        ("-over-time", over_time("count", timeRange={"preset": "today", "from": 1}), 422, "properties (from)"),
        ("-over-time", over_time("sum"), 422, '"body.func"'),
        ("-over-time", over_time("count", properties=["cost"]), 422, '"body.func"'),
        ("-over-time", over_time("sum", properties="cost"), 422, '"body.properties" must be array'),
        ("-over-time", over_time("sum", properties=["cost", "none"]), 422, '"body.properties.1"'),
        ("-over-time", over_time("sum", properties=["model"]), 422, "of type number"),
        ("-over-time", over_time("count", breakdownProperty="none"), 422, '"body.breakdownProperty"'),
        ("-over-time", over_time("count", measureTimeBy="none"), 422, '"body.measureTimeBy"'),
        ("-over-time", over_time("count", measureTimeBy="model"), 422, "of format date-time"),
        ("-over-time", over_time("count", measureTimeBy="$title"), 422, '"body.measureTimeBy"'),
        ("-over-time", over_time("count", more=1), 422, "additional properties (more)"),
        ("-over-time", over_time("sum", properties=["cost"], breakdownProperty="model"), 422, "(breakdownProperty)"),
        *[
            ("-over-time", {key: value for key, value in over_time("count").items() if key != missing}, 422, missing)
            for missing in over_time("count")
        ],
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(
    days: httpx.Client, route: str, body: Any, status: int, place: str
) -> None:
    answer = days.post(f"/entities/aggregate{route}", json=body)
    assert (answer.status_code, answer.json()["ok"]) == (status, False)
    assert place in answer.json()["message"]


def naive_bucket(at: datetime, interval: str, zone: ZoneInfo) -> str:
    """The name of the span that holds a moment, by the calendar and the clock on the wall."""
    local = at.astimezone(zone)
    year, week, _ = local.isocalendar()
    return {
        "hour": f"{at:%Y-%m-%d %H}",
        "day": f"{local:%Y-%m-%d}",
        "isoWeek": f"{year}-W{week}",
        "month": f"{local:%Y-%m}",
        "quarter": f"{local:%Y}-Q{(local.month - 1) // 3}",
    }[interval]


def naive_value(values: list[tuple[datetime, float]], func: str) -> float:
    numbers = [value for _, value in values]
    return {
        "sum": sum(numbers),
        "min": min(numbers),
        "max": max(numbers),
        "median": statistics.median(numbers),
        "average": statistics.mean(numbers),
        "last": max(values)[1],
    }[func]


@settings(deadline=None, max_examples=25)
@given(
    st.dictionaries(
        st.integers(0, 100 * 86400), st.none() | st.integers(-4000, 4000).map(lambda value: value / 8), max_size=30
    ),
    st.sampled_from(["sum", "min", "max", "median", "average", "last"]),
    st.sampled_from(INTERVALS),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"]),
    st.sampled_from(["lastWeek", "lastMonth", "last3Months"]),
)
def test_any_values_come_to_what_they_come_to_by_hand(
    ago: dict[int, float | None], func: str, interval: str, zone: str, preset: str
) -> None:
    back = {"lastWeek": 7, "lastMonth": 30, "last3Months": 90}[preset]
    moments = {NOW - timedelta(seconds=seconds): cost for seconds, cost in ago.items()}
    sent = [entity(number, at.isoformat(), cost=cost) for number, (at, cost) in enumerate(moments.items())]
    expected: dict[str, list[tuple[datetime, float]]] = {}
    for at, cost in moments.items():
        if cost is not None and at >= NOW - timedelta(days=back):
            expected.setdefault(naive_bucket(at, interval, ZoneInfo(zone)), []).append((at, cost))
    app = create_app(client_id="id", client_secret="secret", clock=lambda: NOON)
    with httpx.Client(transport=InProcess(app), base_url="http://port.test/v1") as port:
        keys = {"clientId": "id", "clientSecret": "secret"}
        token = port.post("/auth/access_token", json=keys).json()["accessToken"]
        port.headers["authorization"] = f"Bearer {token}"
        fill(port, sent)
        body = over_time(func, interval=interval, properties=["cost"], timeRange={"preset": preset, "timeZone": zone})
        data = port.post("/entities/aggregate-over-time", json=body).json()["result"]["data"]
    found = {
        naive_bucket(datetime.fromtimestamp(each["date"] / 1000, UTC), interval, ZoneInfo(zone)): each["cost"]
        for each in data
        if "cost" in each
    }
    assert found == pytest.approx({name: naive_value(values, func) for name, values in expected.items()})


ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Australia/Lord_Howe", "Asia/Kathmandu"]


@settings(deadline=None, max_examples=300)
@given(
    st.integers(946_684_800, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(INTERVALS),
    st.sampled_from(ZONES),
)
def test_spans_follow_one_another_without_a_gap(at: datetime, interval: str, zone: str) -> None:
    where = ZoneInfo(zone)
    start = start_of(at, interval, where)
    after = next_start(start, interval, where)
    assert start <= at
    if interval != "hour" or zone != "Australia/Lord_Howe":  # whose clock leaps by half an hour
        assert at < after
        assert start_of(after, interval, where) == after
    assert list(starts_between(at, at, interval, where)) == [start]


def test_an_hour_that_the_clock_shows_twice_is_two() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first, second = datetime(2024, 10, 27, 0, 30, tzinfo=UTC), datetime(2024, 10, 27, 1, 30, tzinfo=UTC)
    assert start_of(first, "hour", berlin) != start_of(second, "hour", berlin)
    assert start_of(first, "day", berlin) == start_of(second, "day", berlin)
