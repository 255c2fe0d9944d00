"""The sample source as the Admin API: what it answers, and what it refuses."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.demo.admin.analytics import BETA
from portsync.demo.admin.source import Trouble, create_admin_source
from portsync.demo.books import Books, has_left
from portsync.demo.data import Usage, day_of
from portsync.demo.models import sample_models
from portsync.demo.organization import ORGANIZATION_ID, sample_keys
from portsync.demo.records import View, held_days, records_of
from portsync.demo.users import sample_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TODAY = date(2026, 11, 22)
KEY = "sk-ant-admin01-invented"
HEADERS = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "anthropic-beta": f"other-beta, {BETA}"}
USAGE, COST = "/usage_report/messages", "/cost_report"
CLAUDE_CODE = "/usage_report/claude_code"
ANALYTICS = ("/analytics/usage", "/analytics/cost")
PATHS = ("/me", "/users", "/api_keys", "/workspaces", USAGE, COST, CLAUDE_CODE, *ANALYTICS)
DAYS = {"starting_at": "2026-10-23T00:00:00Z", "ending_at": "2026-11-22T00:00:00Z"}
DAILY = {**DAYS, "time_bucket_width": "1d", "order_by": "time", "order": "asc", "limit": "1000"}
ASKED: dict[str, dict[str, Any]] = {
    USAGE: {**DAYS, "limit": "31"},
    COST: {**DAYS, "limit": "31"},
    CLAUDE_CODE: {"starting_at": "2026-11-20", "limit": "1000"},
    **dict.fromkeys(ANALYTICS, DAILY),
}
PEOPLE = sample_users(60)
BOOKS = Books(today=TODAY, users=PEOPLE, keys=sample_keys(7))


class Client:
    """Ask a source several times; each answer is that of one request."""

    def __init__(self, books: Books = BOOKS, troubles: Sequence[Trouble] = ()) -> None:
        self.app = create_admin_source(key=KEY, books=books, troubles=troubles)

    def ask(
        self, path: str, query: Any = None, *, method: str = "GET", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://source.test") as client:
                url = path if path.startswith("//") else f"/v1/organizations{path}"
                return await client.request(method, url, params=query, headers=HEADERS if headers is None else headers)

        return asyncio.run(send())

    def pages(self, path: str, query: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """The data of each page, as a client that follows the tokens gets them."""
        token: str | None = None
        while True:
            answer = self.ask(path, query if token is None else {**query, "page": token})
            assert answer.status_code == 200, answer.text
            body = answer.json()
            yield body["data"]
            token = body["next_page"]
            assert body["has_more"] is (token is not None)
            if token is None:
                return

    def all(self, path: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        return [item for page in self.pages(path, query) for item in page]


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Check that the body is Anthropic's error body, and give the status and the error's type."""
    body = answer.json()
    assert body == {
        "type": "error",
        "error": {"type": body["error"]["type"], "message": body["error"]["message"]},
        "request_id": answer.headers["request-id"],
    }
    assert body["error"]["message"]
    return answer.status_code, body["error"]["type"]


def written(tokens: dict[str, Any]) -> int:
    kinds = tokens["cache_creation"]
    return int(kinds["ephemeral_1h_input_tokens"] + kinds["ephemeral_5m_input_tokens"])


def tokens_of(rows: Sequence[dict[str, Any]]) -> tuple[int, int, int, int]:
    return (
        sum(row["uncached_input_tokens"] for row in rows),
        sum(row["output_tokens"] for row in rows),
        sum(row["cache_read_input_tokens"] for row in rows),
        sum(written(row) for row in rows),
    )


def drawn() -> dict[str, Usage]:
    """What each day was drawn as, without any of the code that makes reports of it."""
    found = {}
    for day in held_days(today=TODAY, days=30):
        parts = [usage for each in day_of(day, seed=1, users=PEOPLE).user_days for usage in each.by_model.values()]
        found[day.isoformat()] = sum(parts, Usage())
    return found


GROUPINGS: tuple[list[str], ...] = (
    [],
    ["model"],
    ["model", "api_key_id"],
    ["account_id", "model"],
    ["workspace_id"],
    ["service_tier", "context_window", "inference_geo", "service_account_id"],
)


@pytest.mark.parametrize("groups", GROUPINGS, ids=str)
def test_tokens_of_a_day_are_those_that_were_drawn_in_every_grouping(groups: list[str]) -> None:
    buckets = Client().all(USAGE, {**ASKED[USAGE], "group_by[]": groups})

    assert {bucket["starting_at"][:10]: tokens_of(bucket["results"]) for bucket in buckets} == {
        day: (usage.input_tokens, usage.output_tokens, usage.cache_read, usage.cache_creation)
        for day, usage in drawn().items()
    }
    keys = [tuple(row[name] for name in groups) for row in buckets[-1]["results"]]
    assert len(set(keys)) == len(keys)
    if "model" not in groups:
        assert {row["model"] for row in buckets[-1]["results"]} == {None}


@pytest.mark.parametrize("groups", [[], ["description"], ["workspace_id"], ["description", "workspace_id"]], ids=str)
def test_the_cost_of_a_day_is_what_was_drawn_to_the_last_digit(groups: list[str]) -> None:
    buckets = Client().all(COST, {**ASKED[COST], "group_by[]": groups})

    assert {
        bucket["starting_at"][:10]: sum(Decimal(row["amount"]) for row in bucket["results"]) for bucket in buckets
    } == {day: usage.cents for day, usage in drawn().items()}


def test_the_dialects_agree_about_every_day() -> None:
    document = {
        record["date"]: record
        for day in held_days(today=TODAY, days=30)
        for record in records_of(day_of(day, seed=1, users=PEOPLE), View.MESSAGES)
    }
    client = Client()
    newer = {row["starting_at"][:10]: row["usage"] for row in client.all("/analytics/usage", DAILY)}
    cost = {row["starting_at"][:10]: row["cost"] for row in client.all("/analytics/cost", DAILY)}

    assert newer.keys() == cost.keys() == document.keys()
    for day, record in document.items():
        assert newer[day]["requests"] == cost[day]["requests"] == record["total_requests"]
        assert newer[day]["uncached_input_tokens"] == record["input_tokens"]
        assert written(newer[day]) == record["cache_creation_input_tokens"]
        assert Decimal(cost[day]["amount"]) / 100 == Decimal(str(record["cost_usd"]))


@pytest.mark.parametrize("groups", [["actor"], ["model"], ["actor", "model"], ["api_key_id", "workspace_id"]], ids=str)
def test_the_rows_of_the_newer_reports_make_the_days(groups: list[str]) -> None:
    client = Client()
    requests: dict[str, int] = defaultdict(int)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for row in client.all("/analytics/usage", {**DAILY, "group_by[]": groups}):
        requests[row["starting_at"][:10]] += row["usage"]["requests"]
        kinds = row["usage"]
        assert kinds["total_tokens"] == sum(tokens_of([kinds]))
    for row in client.all("/analytics/cost", {**DAILY, "group_by[]": groups}):
        amounts[row["starting_at"][:10]] += Decimal(row["cost"]["amount"])

    assert requests == {day: usage.requests for day, usage in drawn().items()}
    assert amounts == {day: usage.cents for day, usage in drawn().items()}


def test_costs_by_kind_know_nothing_of_requests() -> None:
    rows = Client().all("/analytics/cost", {**DAILY, "group_by[]": ["cost_type", "token_type"]})

    assert {row["cost"]["requests"] for row in rows} == {None}
    assert {(row["group"]["cost_type"], row["group"]["token_type"]) for row in rows} >= {
        ("tokens", "output_tokens"),
        ("web_search", None),
    }


def test_null_dimensions_are_there() -> None:
    """API keys have no account, people no key, the default workspace no id, searches no model."""
    client = Client()
    usage = [row for day in client.all(USAGE, {**ASKED[USAGE], "group_by[]": GROUPINGS[3]}) for row in day["results"]]
    assert {row["account_id"] is None for row in usage} == {True, False}
    keys = [row for day in client.all(USAGE, {**ASKED[USAGE], "group_by[]": GROUPINGS[2]}) for row in day["results"]]
    assert {row["api_key_id"] is None for row in keys} == {True, False}
    homes = [row for day in client.all(USAGE, {**ASKED[USAGE], "group_by[]": GROUPINGS[4]}) for row in day["results"]]
    assert {row["workspace_id"] is None for row in homes} == {True, False}
    costs = [row for day in client.all(COST, {**ASKED[COST], "group_by[]": ["description"]}) for row in day["results"]]
    assert {(row["cost_type"], row["model"] is None) for row in costs} == {("tokens", False), ("web_search", True)}


def test_a_day_may_have_several_rows_of_nobody() -> None:
    rows = Client().all("/analytics/usage", {**DAILY, "group_by[]": ["actor"]})
    nobody = [row["starting_at"] for row in rows if row["group"]["actor"] is None]

    assert len(set(nobody)) < len(nobody)
    types = {row["group"]["actor"]["type"] for row in rows if row["group"]["actor"]}
    assert types == {"user_actor", "api_actor"}


def test_who_is_gone_is_in_the_reports_and_not_in_the_list() -> None:
    client = Client()
    gone = {user.user_id for user in PEOPLE if has_left(user)}
    actors = [
        row["group"]["actor"]
        for row in client.all("/analytics/usage", {**DAILY, "group_by[]": ["actor"]})
        if row["group"]["actor"] and row["group"]["actor"]["type"] == "user_actor"
    ]

    assert gone
    assert {actor["user_id"] for actor in actors if actor["deleted"]} == gone
    assert all(("email_address" in actor) is not actor["deleted"] for actor in actors)
    assert gone.isdisjoint(user["id"] for user in client.ask("/users", {"limit": "1000"}).json()["data"])


def test_a_day_without_usage_is_an_empty_bucket_and_no_row() -> None:
    client = Client(Books(today=TODAY, users=sample_users(1), models=sample_models(3)))
    buckets = client.all(USAGE, ASKED[USAGE])
    rows = client.all("/analytics/usage", DAILY)

    assert len(buckets) == 30
    empty = {bucket["starting_at"] for bucket in buckets if bucket["results"] == []}
    assert empty
    assert {row["starting_at"] for row in rows} == {bucket["starting_at"] for bucket in buckets} - empty


@pytest.mark.parametrize(
    ("limit", "sizes"), [(None, [7, 7, 7, 7, 2]), ("1", [1] * 30), ("31", [30]), ("15", [15, 15]), ("29", [29, 1])]
)
@pytest.mark.parametrize("path", [USAGE, COST])
def test_a_page_holds_whole_buckets(path: str, limit: str | None, sizes: list[int]) -> None:
    client = Client()
    pages = list(client.pages(path, DAYS if limit is None else {**DAYS, "limit": limit}))

    assert [len(page) for page in pages] == sizes
    assert [bucket for page in pages for bucket in page] == client.all(path, ASKED[path])


@pytest.mark.parametrize("path", [CLAUDE_CODE, *ANALYTICS])
@pytest.mark.parametrize("limit", [None, "3", "1000"])
def test_a_page_holds_rows(path: str, limit: str | None) -> None:
    client = Client()
    query = {key: value for key, value in ASKED[path].items() if key != "limit"}
    pages = list(client.pages(path, query if limit is None else {**query, "limit": limit}))
    whole = client.all(path, {**query, "limit": "1000"})

    assert [row for page in pages for row in page] == whole
    assert [len(page) for page in pages[:-1]] == [int(limit or 20)] * (len(pages) - 1)


@pytest.mark.parametrize(("path", "count"), [("/users", 60), ("/api_keys", 7), ("/workspaces", 2)])
@pytest.mark.parametrize("limit", [None, "1", "5"])
def test_a_list_is_read_on_from_its_last_id_and_back_from_its_first(path: str, count: int, limit: str | None) -> None:
    client = Client()
    query: dict[str, str] = {} if limit is None else {"limit": limit}
    answer = client.ask(path, query).json()
    pages = [answer["data"]]
    while answer["has_more"]:
        answer = client.ask(path, {**query, "after_id": answer["last_id"]}).json()
        pages.append(answer["data"])
    found = [item["id"] for page in pages for item in page]

    assert len(found) == len(set(found)) == count - (sum(map(has_left, PEOPLE)) if path == "/users" else 0)
    assert {len(page) for page in pages[:-1]} <= {int(limit or 20)}
    assert (answer["first_id"], answer["last_id"]) == (pages[-1][0]["id"], pages[-1][-1]["id"])
    if len(pages) > 1:
        back = client.ask(path, {**query, "before_id": answer["first_id"]}).json()
        assert back["data"] == pages[-2]
        assert back["has_more"] is (len(pages) > 2)


def test_a_list_can_be_narrowed() -> None:
    client = Client()
    user = client.ask("/users").json()["data"][1]

    assert client.ask("/users", {"email": user["email"]}).json()["data"] == [user]
    assert [each["role"] for each in client.ask("/users", {"roles[]": "admin"}).json()["data"]] == ["admin"]
    keys = client.ask("/api_keys", {"status": "archived"}).json()
    assert keys == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_a_filter_leaves_what_it_names() -> None:
    client = Client()
    grouped = client.all(USAGE, {**ASKED[USAGE], "group_by[]": ["model", "api_key_id"]})
    row = next(row for row in grouped[-1]["results"] if row["api_key_id"])
    narrow = {"models[]": row["model"], "api_key_ids[]": row["api_key_id"]}
    (only,) = client.all(USAGE, {**ASKED[USAGE], **narrow})[-1]["results"]

    assert tokens_of([only]) == tokens_of([row])


def test_rows_of_claude_code_make_what_was_drawn() -> None:
    rows = Client().all(CLAUDE_CODE, ASKED[CLAUDE_CODE])
    (record,) = records_of(day_of(date(2026, 11, 20), seed=1, users=PEOPLE), View.CLAUDE_CODE)
    core = [row["core_metrics"] for row in rows]

    assert {row["date"] for row in rows} == {"2026-11-20T00:00:00Z"}
    assert {row["organization_id"] for row in rows} == {ORGANIZATION_ID}
    assert sum(one["num_sessions"] for one in core) == record["sessions"]
    assert sum(sum(one["lines_of_code"].values()) for one in core) == record["lines_of_code_edited"]
    assert sum(one["commits_by_claude_code"] for one in core) == record["commits"]
    assert sum(one["pull_requests_by_claude_code"] for one in core) == record["pull_requests"]
    assert {row["actor"]["type"] for row in rows} == {"user_actor", "api_actor"}
    people = [row["actor"].get("email_address") or row["actor"]["api_key_name"] for row in rows]
    assert len(set(people)) < len(people), "a person may have several rows"


@pytest.mark.parametrize("day", ["2026-11-22", "2026-12-01", "2025-01-01"])
def test_a_day_that_is_not_held_has_no_rows(day: str) -> None:
    assert Client().all(CLAUDE_CODE, {"starting_at": day}) == []


def test_without_an_end_the_last_bucket_is_yesterday() -> None:
    client = Client()

    assert client.all(USAGE, {"starting_at": DAYS["starting_at"]}) == client.all(USAGE, DAYS)
    late = client.all(USAGE, {**DAYS, "ending_at": "2026-12-24T00:00:00Z"})
    assert late[-1]["starting_at"] == "2026-11-21T00:00:00Z"


def test_a_start_is_moved_to_where_its_bucket_begins_and_a_zone_is_read() -> None:
    whole = Client().all(USAGE, DAYS)

    for start in ("2026-10-23T23:59:59Z", "2026-10-23T00:00:00.5+00:00", "2026-10-24T01:00:00+02:00"):
        assert Client().all(USAGE, {**DAYS, "starting_at": start}) == whole


@pytest.mark.parametrize("path", PATHS)
def test_a_missing_or_wrong_key_is_refused(path: str) -> None:
    client = Client()
    version = {"anthropic-version": "2023-06-01"}

    for headers in (version, {**version, "x-api-key": "sk-ant-api03-standard"}, {**version, "x-api-key": ""}):
        answer = client.ask(path, ASKED.get(path), headers=headers)
        assert refused(answer) == (401, "authentication_error")
        assert answer.json()["error"]["message"] == "invalid x-api-key"
    bearer = client.ask(path, ASKED.get(path), headers={**version, "authorization": f"Bearer {KEY}"})
    assert refused(bearer) == (401, "authentication_error")
    assert bearer.json()["error"]["message"] == "Invalid bearer token"


@pytest.mark.parametrize("path", PATHS)
def test_a_request_without_the_version_is_refused(path: str) -> None:
    answer = Client().ask(path, ASKED.get(path), headers={"x-api-key": KEY, "anthropic-beta": BETA})

    assert refused(answer) == (400, "invalid_request_error")
    assert "anthropic-version" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ANALYTICS)
def test_the_newer_reports_need_their_beta(path: str) -> None:
    headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}

    for more in ({}, {"anthropic-beta": "fast-mode-2026-02-01"}):
        answer = Client().ask(path, DAILY, headers={**headers, **more})
        assert refused(answer) == (400, "invalid_request_error")
        assert BETA in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_method_is_refused(path: str, method: str) -> None:
    answer = Client().ask(path, method=method)

    assert refused(answer) == (405, "invalid_request_error")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("path", ["", "/nothing", "/users/", "/cost_reports", "//v1/messages"])
def test_an_unknown_path_is_refused(path: str) -> None:
    assert refused(Client().ask(path)) == (404, "not_found_error")


def changed(path: str, **parts: Any) -> tuple[str, dict[str, Any]]:
    """A request that is right but for `parts`; None leaves one out."""
    query = {**ASKED.get(path, {}), **{name.replace("__", "[]"): value for name, value in parts.items()}}
    return path, {name: value for name, value in query.items() if value is not None}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (changed(USAGE, starting_at=None), "starting_at: Field required"),
        (changed(COST, starting_at="2026-10-23"), "starting_at: must be a time"),
        (changed(COST, starting_at="2026-10-23T00:00:00"), "starting_at: must be a time"),
        (changed(COST, starting_at="2026-13-23T00:00:00Z"), "starting_at: no such time"),
        (changed(USAGE, ending_at=DAYS["starting_at"]), "Invalid date range: ending date must be after starting date"),
        (changed(COST, starting_at="2026-11-22T00:00:00Z", ending_at=None), "Invalid date range"),
        (changed(COST, start_date="2026-10-23"), "start_date: Extra inputs are not permitted"),
        (changed(USAGE, granularity="day"), "granularity: Extra inputs"),
        (changed(USAGE, group_by="model"), "group_by: Extra inputs"),
        (changed(USAGE, group_by__="user_id"), "group_by[]: 'user_id'"),
        (changed(COST, group_by__="model"), "group_by[]: 'model'"),
        (changed(CLAUDE_CODE, group_by__="model"), "group_by[]: Extra inputs"),
        (changed(USAGE, limit="32"), "limit: must be an integer from 1 to 31"),
        (changed(USAGE, limit="0"), "limit"),
        (changed(COST, limit="32"), "limit: must be an integer from 1 to 31"),
        (changed(COST, limit="7.0"), "limit"),
        (changed(CLAUDE_CODE, limit="1001"), "limit: must be an integer from 1 to 1000"),
        (changed("/users", limit="1001"), "limit: must be an integer from 1 to 1000"),
        (changed("/users", after_id="user_nobody"), "after_id"),
        (changed("/users", page="2"), "page: Extra inputs"),
        (changed("/me", limit="1"), "limit: Extra inputs"),
        (changed(USAGE, bucket_width="1h"), "bucket_width"),
        (changed(USAGE, bucket_width="day"), "bucket_width"),
        (changed(CLAUDE_CODE, starting_at="2026-11-20T00:00:00Z"), "starting_at: must be a date"),
        (changed(CLAUDE_CODE, starting_at="2026-11-31"), "starting_at: no such day"),
        (changed(CLAUDE_CODE, starting_at=None), "starting_at: Field required"),
        (changed(CLAUDE_CODE, ending_at="2026-11-21"), "ending_at: Extra inputs"),
        (changed(USAGE, page="page_nonsense"), "page: not a token"),
        (changed(USAGE, page="page_ä"), "page: not a token"),
        (changed("/analytics/usage", starting_at="2026-10-21T00:00:00Z"), "ending_at: at most 31 days"),
        (changed("/analytics/usage", starting_at="2025-12-31T00:00:00Z"), "starting_at: within the last 365 days"),
        (changed("/analytics/cost", ending_at=None), "ending_at: Field required"),
        (changed("/analytics/cost", order_by="requests"), "order_by"),
        (changed("/analytics/usage", order_by="amount"), "order_by"),
        (changed("/analytics/usage", order="up"), "order"),
        (changed("/analytics/usage", group_by__="cost_type"), "group_by[]: 'cost_type'"),
        (changed("/analytics/usage", group_by__="session_id"), "knows nothing of session_id"),
        (
            changed("/analytics/usage", group_by__=["actor", "actor_type", "model", "speed", "product", "api_key_id"]),
            "at most 5",
        ),
        (changed("/analytics/usage", bucket_width="1d"), "bucket_width: Extra inputs"),
    ],
    ids=str,
)
def test_a_request_that_the_reference_does_not_know_is_refused(asked: tuple[str, dict[str, Any]], named: str) -> None:
    answer = Client().ask(*asked)

    assert refused(answer) == (400, "invalid_request_error")
    assert named in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", [USAGE, CLAUDE_CODE, *ANALYTICS])
def test_a_token_is_for_the_parameters_that_it_came_with(path: str) -> None:
    client = Client()
    query = {**ASKED[path], "limit": "3"}
    token = client.ask(path, query).json()["next_page"]
    other = "2026-10-24T00:00:00Z" if path != CLAUDE_CODE else "2026-11-19"

    for changes in ({"limit": "4"}, {"starting_at": other}):
        answer = client.ask(path, {**query, **changes, "page": token})
        assert refused(answer) == (400, "invalid_request_error")
        assert "the token is of a request with other parameters" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("order_by", "measure"),
    [
        ("total_tokens", lambda row: row["usage"]["total_tokens"]),
        ("requests", lambda row: row["usage"]["requests"]),
        ("time", lambda row: row["starting_at"]),
    ],
)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_rows_come_in_the_order_that_is_asked_for(
    order: str, order_by: str, measure: Callable[[dict[str, Any]], Any]
) -> None:
    rows = Client().all("/analytics/usage", {**DAILY, "order_by": order_by, "order": order, "group_by[]": ["model"]})
    values = [measure(row) for row in rows]

    assert values == sorted(values, reverse=order == "desc")
    assert len(set(values)) > 1


def test_without_buckets_the_range_is_one_row_of_each_group() -> None:
    rows = Client().all("/analytics/usage", {**DAYS, "group_by[]": ["model"]})

    assert {(row["starting_at"], row["ending_at"]) for row in rows} == {tuple(DAYS.values())}
    assert sum(row["usage"]["requests"] for row in rows) == sum(usage.requests for usage in drawn().values())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, "permission_error"),
        (410, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("retry_after", [None, "7"])
def test_troubles_come_as_often_as_they_were_asked_for(status: int, kind: str, retry_after: str | None) -> None:
    client = Client(troubles=[Trouble("/cost_report", status, times=2, message="no", retry_after=retry_after)])

    for _ in range(2):
        answer = client.ask(COST, DAYS)
        assert refused(answer) == (status, kind)
        assert answer.headers.get("retry-after") == retry_after
        assert client.ask(USAGE, DAYS).status_code == 200
    assert client.ask(COST, DAYS).status_code == 200


def test_a_seed_makes_other_numbers_and_a_day_more_leaves_the_others() -> None:
    other = Client(Books(today=TODAY, users=PEOPLE, keys=sample_keys(7), seed=2))
    later = Client(Books(today=TODAY + timedelta(days=1), users=PEOPLE, keys=sample_keys(7)))

    assert other.all(USAGE, DAYS) != Client().all(USAGE, DAYS)
    assert later.all(USAGE, DAYS)[1:] == Client().all(USAGE, DAYS)[1:]
