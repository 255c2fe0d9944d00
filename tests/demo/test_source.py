from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import httpx
import pytest

from portsync.demo.records import View, record_counts
from portsync.demo.source import LARGEST_BODY, create_source
from portsync.demo.users import sample_users
from portsync.loopback import serving

TODAY = date(2026, 11, 22)
BEARER = {"authorization": "Bearer sk-sample"}
MESSAGES = "/v1/organizations/usage_report/messages"
COST = "/v1/organizations/cost_report"
CLAUDE_CODE = "/v1/organizations/usage_report/claude_code"
WINDOW = {"start_date": "2026-10-23", "end_date": "2026-11-22", "granularity": "day"}

ASKED: dict[View, tuple[str, dict[str, Any]]] = {
    View.MESSAGES: (MESSAGES, WINDOW),
    View.MESSAGES_BY_USER: (MESSAGES, {**WINDOW, "group_by": ["user_id"]}),
    View.MESSAGES_BY_MODEL: (MESSAGES, {**WINDOW, "group_by": ["model_id"]}),
    View.COST: (COST, WINDOW),
    View.CLAUDE_CODE: (CLAUDE_CODE, WINDOW),
}


def answer_to(
    path: str,
    body: object = None,
    *,
    method: str = "POST",
    content: bytes | None = None,
    headers: dict[str, str] | None = None,
    **source: Any,
) -> httpx.Response:
    app = create_source(token="sk-sample", today=TODAY, **source)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://source.test") as client:
            return await client.request(
                method,
                path,
                content=json.dumps(body).encode() if content is None else content,
                headers=BEARER if headers is None else headers,
            )

    return asyncio.run(send())


def records(path: str, body: object, **source: Any) -> list[dict[str, Any]]:
    answer = answer_to(path, body, **source)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Check that the body is Anthropic's error body, and give the status and the error's type."""
    body = answer.json()
    assert body == {
        "type": "error",
        "error": {"type": body["error"]["type"], "message": body["error"]["message"]},
        "request_id": answer.headers["request-id"],
    }
    assert body["error"]["message"]
    assert body["request_id"].startswith("req_")
    return answer.status_code, body["error"]["type"]


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("users", [8, 40])
def test_a_source_answers_with_exactly_the_records_it_counts(view: View, users: int) -> None:
    path, body = ASKED[view]
    people = sample_users(users)

    assert len(records(path, body, users=people)) == record_counts(today=TODAY, users=people)[view] > 0


@pytest.mark.parametrize("view", View)
def test_two_sources_of_one_seed_answer_alike_and_of_two_seeds_not(view: View) -> None:
    path, body = ASKED[view]

    assert records(path, body, seed=5) == records(path, body, seed=5) != records(path, body, seed=6)


@pytest.mark.parametrize("view", View)
def test_a_short_window_gives_the_same_records_as_the_same_days_of_a_long_one(view: View) -> None:
    path, body = ASKED[view]
    short = records(path, {**body, "start_date": "2026-11-03", "end_date": "2026-11-05"})

    assert short == [each for each in records(path, body) if each["date"] in {"2026-11-03", "2026-11-04"}]
    assert {each["date"] for each in short} == {"2026-11-03", "2026-11-04"}


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2026-01-01", "2026-12-31", "2026-10-23", "2026-11-21"),
        ("2026-11-21", "2026-11-22", "2026-11-21", "2026-11-21"),
        ("2026-01-01", "2027-01-02", "2026-10-23", "2026-11-21"),  # 366 days, the most that may be asked
    ],
)
def test_days_beyond_the_held_ones_have_no_records(start: str, end: str, first: str, last: str) -> None:
    # So many users that no day is without anybody.
    days = [
        each["date"] for each in records(COST, {**WINDOW, "start_date": start, "end_date": end}, users=sample_users(40))
    ]

    assert (days[0], days[-1]) == (first, last)
    assert days == sorted(set(days))


@pytest.mark.parametrize(("start", "end"), [("2026-11-22", "2026-12-01"), ("2025-01-01", "2025-02-01")])
def test_a_window_outside_the_held_days_is_an_honest_nothing(start: str, end: str) -> None:
    assert records(MESSAGES, {**WINDOW, "start_date": start, "end_date": end}) == []


def test_an_empty_grouping_is_no_grouping() -> None:
    assert records(MESSAGES, {**WINDOW, "group_by": []}) == records(MESSAGES, WINDOW)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer sk-other",
        "Bearer sk-sampl",
        "Bearer sk-sample2",
        "Basic sk-sample",
        "sk-sample",
    ],
)
def test_a_missing_or_wrong_token_is_refused(authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}

    assert refused(answer_to(COST, WINDOW, headers=headers)) == (401, "authentication_error")


def test_the_schemes_name_is_read_in_any_case() -> None:
    assert answer_to(COST, WINDOW, headers={"authorization": "bearer sk-sample"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1/organizations", "/v1/organizations/cost_reports", COST + "/"])
def test_an_unknown_path_is_refused(path: str) -> None:
    assert refused(answer_to(path, WINDOW)) == (404, "not_found_error")


@pytest.mark.parametrize("path", [MESSAGES, COST, CLAUDE_CODE])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_method_is_refused_and_the_right_one_named(path: str, method: str) -> None:
    answer = answer_to(path, WINDOW, method=method)

    assert refused(answer) == (405, "invalid_request_error")
    assert answer.headers["allow"] == "POST"


def without(key: str) -> dict[str, str]:
    return {each: value for each, value in WINDOW.items() if each != key}


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (COST, without("start_date"), "start_date"),
        (COST, without("end_date"), "end_date"),
        (COST, without("granularity"), "granularity"),
        (COST, {**WINDOW, "start_date": None}, "start_date: must be a date as YYYY-MM-DD"),
        (COST, {**WINDOW, "start_date": 20261023}, "start_date: must be a date as YYYY-MM-DD"),
        (COST, {**WINDOW, "start_date": "20261023"}, "start_date: must be a date as YYYY-MM-DD"),
        (COST, {**WINDOW, "start_date": "2026-W43-5"}, "start_date: must be a date as YYYY-MM-DD"),
        (COST, {**WINDOW, "start_date": "2026-10-23T00:00:00Z"}, "start_date: must be a date as YYYY-MM-DD"),
        (COST, {**WINDOW, "start_date": "2026-10-23\n"}, "start_date: must be a date as YYYY-MM-DD"),
        (COST, {**WINDOW, "end_date": "2026-11-31"}, "end_date: no such day"),
        (COST, {**WINDOW, "end_date": WINDOW["start_date"]}, "end_date"),
        (COST, {**WINDOW, "end_date": "2026-10-22"}, "end_date"),
        (COST, {**WINDOW, "start_date": "2025-11-20"}, "end_date"),  # 367 days
        (COST, {**WINDOW, "granularity": "hour"}, "granularity"),
        (COST, {**WINDOW, "granularity": ["day"]}, "granularity"),
        (COST, {**WINDOW, "limit": 10}, "limit"),
        (COST, {**WINDOW, "group_by": ["user_id"]}, "group_by"),
        (CLAUDE_CODE, {**WINDOW, "group_by": ["model_id"]}, "group_by"),
        (MESSAGES, {**WINDOW, "group_by": ["workspace_id"]}, "group_by"),
        (MESSAGES, {**WINDOW, "group_by": ["user_id", "model_id"]}, "group_by"),
        (MESSAGES, {**WINDOW, "group_by": "user_id"}, "group_by"),
        (MESSAGES, {**WINDOW, "group_by": [["user_id"]]}, "group_by"),
        (MESSAGES, {**WINDOW, "group_by": {"user_id": True}}, "group_by"),
        (MESSAGES, {**WINDOW, "group_by": None}, "group_by"),
        (COST, [WINDOW], "object"),
        (COST, "text", "object"),
        (COST, None, "object"),
    ],
    ids=repr,
)
def test_a_body_that_does_not_fit_is_refused_and_the_place_named(path: str, body: object, named: str) -> None:
    answer = answer_to(path, body)

    assert refused(answer) == (400, "invalid_request_error")
    assert named in answer.json()["error"]["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}'], ids=lambda c: repr(c[:9]))
def test_a_body_that_is_not_json_is_refused(content: bytes) -> None:
    answer = answer_to(COST, content=content)

    assert refused(answer) == (400, "invalid_request_error")
    assert "not JSON" in answer.json()["error"]["message"]


def test_a_body_of_one_mebibyte_is_read_and_of_a_byte_more_refused() -> None:
    largest = json.dumps(WINDOW).encode().ljust(LARGEST_BODY)

    assert LARGEST_BODY == 1024 * 1024
    assert answer_to(COST, content=largest).status_code == 200
    assert refused(answer_to(COST, content=largest + b" ")) == (413, "request_too_large")


def test_each_request_has_its_own_id() -> None:
    app = create_source(token="sk-sample", today=TODAY)

    with serving(app) as url, httpx.Client(base_url=url, headers=BEARER) as client:
        answers = [client.post(COST, json=WINDOW), client.post("/nowhere"), client.post(COST, json=WINDOW)]

    assert [answer.status_code for answer in answers] == [200, 404, 200]
    assert len({answer.headers["request-id"] for answer in answers}) == 3
