"""A login of the API's own, as Ocean's `custom` has it: its request, its template, and when it is made again."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.responses import Response

from portsync.auth.carried import Carried
from portsync.auth.spans import MissingError, filled, filled_text, found_at
from portsync.errors import SendError
from portsync.flow import RequestSpec
from tests.auth.conftest import auth_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.auth.conftest import Api, Session

ANSWER = {"access_token": "abc123", "expires_in": 3600, "token_type": "Bearer", "nested": {"value": "nv"}}


def login(template: dict[str, Any] | None = None, request: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    bearer = {"headers": {"Authorization": "Bearer {{.access_token}}"}}
    return {"type": "login", "request": {"path": "/token"} | (request or {}), "template": template or bearer, **more}


@pytest.fixture(autouse=True)
def answering(api: Api) -> None:
    api.token = lambda _: ANSWER


# What the template becomes


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("Bearer {{.access_token}}", "Bearer abc123"),
        (
            "{{.token_type}} {{.access_token}} expires in {{.expires_in}}",
            "Bearer abc123 expires in 3600",
        ),
        ("{{.nested.value}}", "nv"),
        ("{{ .nested.value }}", "nv"),
        ('{{.["nested"]["value"]}}', "nv"),
        ("no span", "no span"),
    ],
)
def test_a_header_holds_what_the_login_answered(text: str, becomes: str, api: Api, send: Callable[..., Any]) -> None:
    assert send(login({"headers": {"X-Auth": text}})).status == 200

    assert api.data_requests[0].headers["x-auth"] == becomes


def test_query_parameters_replace_those_of_the_same_name(api: Api, send: Callable[..., Any]) -> None:
    request = RequestSpec("GET", f"{api.url}/things?a=1&token=old", (("b", "2"), ("b", "3")))

    send(login({"query_params": {"token": "{{.access_token}}&x", "n": "{{.expires_in}}"}}), request)

    assert api.data_requests[0].query == {"a": ["1"], "b": ["2", "3"], "token": ["abc123&x"], "n": ["3600"]}


@pytest.mark.parametrize(
    ("body", "becomes"),
    [
        ({"since": 1, "auth": "old"}, {"since": 1, "auth": "abc123", "tokens": ["abc123", "Bearer"], "life": 3600}),
        (None, {"auth": "abc123", "tokens": ["abc123", "Bearer"], "life": 3600}),
    ],
)
def test_a_body_is_joined_to_the_requests_own(
    body: Any, becomes: dict[str, Any], api: Api, send: Callable[..., Any]
) -> None:
    template = {
        "body": {
            "auth": "{{.access_token}}",
            "tokens": ["{{.access_token}}", "{{.token_type}}"],
            "life": "{{.expires_in}}",
        }
    }

    send(login(template), RequestSpec("POST", f"{api.url}/things", body=body))

    (asked,) = api.data_requests
    assert asked.json == becomes
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["content-length"] == str(len(asked.content))


def test_a_text_in_a_body_with_more_than_a_span_stays_a_text(api: Api, send: Callable[..., Any]) -> None:
    send(login({"body": {"a": "{{.expires_in}}{{.expires_in}}"}}), RequestSpec("POST", f"{api.url}/things"))

    assert api.data_requests[0].json == {"a": "36003600"}


@pytest.mark.parametrize(
    ("given_type", "content", "becomes", "its_type"),
    [
        ("application/x-www-form-urlencoded", b"a=1&t=old&b=%C3%A4", b"a=1&b=%C3%A4&t=abc123", None),
        ("text/plain", b"just words", b'{"t":"abc123"}', "application/json"),
        ("application/json", b'{"n": 12345678901234567890123}', b'{"n":12345678901234567890123,"t":"abc123"}', None),
    ],
)
def test_a_body_that_is_no_json_object(given_type: str, content: bytes, becomes: bytes, its_type: str | None) -> None:
    request = httpx.Request("POST", "http://api.test/things", headers={"content-type": given_type}, content=content)

    made = Carried({}, {}, {"t": "abc123"}).put_into(request)

    assert made.content == becomes
    assert made.headers["content-type"] == (its_type or given_type)
    assert made.headers["content-length"] == str(len(becomes))


def test_a_body_that_is_a_list_has_no_room_for_it(api: Api, send: Callable[..., Any]) -> None:
    outcome = send(login({"body": {"t": "{{.access_token}}"}}), RequestSpec("POST", f"{api.url}/things", body=[1]))

    assert isinstance(outcome, SendError)
    assert "no JSON object" in outcome.problems[0].message
    assert api.data_requests == []


def test_a_replayed_request_is_made_anew_and_not_added_to(api: Api, send: Callable[..., Any]) -> None:
    api.token = lambda _: {"t": f"t{len(api.token_calls)}"}
    api.data = lambda asked: Response(status_code=401) if asked.query["t"] == ["t1"] else []
    template = {"query_params": {"t": "{{.t}}"}, "body": {"t": "{{.t}}"}, "headers": {"t": "{{.t}}"}}

    assert send(login(template), RequestSpec("POST", f"{api.url}/things", body={"a": 1})).status == 200

    second = api.data_requests[1]
    assert (second.query, second.json, second.headers["t"]) == ({"t": ["t2"]}, {"a": 1, "t": "t2"}, "t2")


# The login's request


def test_a_login_is_a_post_with_a_json_body(api: Api, send: Callable[..., Any]) -> None:
    send(login(request={"body": {"user": "ada", "scopes": ["a"]}, "headers": {"X-Key": "k"}, "query_params": {"v": 2}}))

    (call,) = api.token_calls
    assert (call.method, call.json, call.query) == ("POST", {"user": "ada", "scopes": ["a"]}, {"v": ["2"]})
    assert (call.headers["content-type"], call.headers["x-key"]) == ("application/json", "k")


def test_a_form_has_its_content_type_unless_another_is_given(api: Api, send: Callable[..., Any]) -> None:
    form = {"user": "a da", "n": 5, "on": True}
    send(login(request={"bodyForm": form}))
    send(login(request={"bodyForm": form, "headers": {"Content-Type": "application/vnd.form"}}))

    first, second = api.token_calls
    assert first.content == second.content == b"user=a+da&n=5&on=true"
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert second.headers["content-type"] == "application/vnd.form"


@pytest.mark.parametrize("path", ["/v1/token", "v1/token", "{url}/v1/token"])
def test_a_path_is_joined_to_the_base_url_and_a_url_is_kept(path: str, api: Api, send: Callable[..., Any]) -> None:
    send(login(request={"path": path.replace("{url}", api.url), "method": "get"}))

    assert (api.token_calls[0].method, api.token_calls[0].path) == ("GET", "/v1/token")


def test_oceans_spellings_are_taken(api: Api, play: Callable[..., Any]) -> None:
    config = {
        "type": "custom",
        "request": {
            "endpoint": "/token",
            "method": "POST",
            "bodyForm": {"a": "1"},
            "queryParams": {"b": "2"},
            "reauthenticateIntervalSeconds": 100,
        },
        "template": {"queryParams": {"t": "{{.access_token}}"}},
    }

    async def act(session: Session) -> None:
        for age in (0, 49, 1):
            session.clock.now += age
            await session.send(RequestSpec("GET", f"{api.url}/things"))

    play(config, act)

    assert [call.form for call in api.token_calls] == [{"a": "1"}] * 2
    assert api.data_requests[0].query == {"t": ["abc123"]}


# When


@pytest.mark.parametrize(
    ("interval", "age", "calls"),
    [(3600, 3539, 1), (3600, 3540, 2), (120, 59, 1), (120, 60, 2), (2, 0.5, 1), (2, 1, 2), (None, 10**9, 1)],
)
def test_a_login_is_made_again_a_minute_before_its_interval_ends(
    interval: float | None, age: float, calls: int, api: Api, play: Callable[..., Any]
) -> None:
    async def act(session: Session) -> None:
        await session.send(RequestSpec("GET", f"{api.url}/things"))
        session.clock.now += age
        await session.send(RequestSpec("GET", f"{api.url}/things"))

    play(login(reauthenticate_interval=interval), act)

    assert len(api.token_calls) == calls


def test_an_expired_login_costs_one_more_round_and_no_wait(api: Api, play: Callable[..., Any]) -> None:
    """Ocean retries a GET with the old token ten times first, which takes 100 seconds."""
    api.data = lambda _: Response(status_code=401) if len(api.token_calls) == 1 else []

    async def act(session: Session) -> Any:
        return await session.send(RequestSpec("GET", f"{api.url}/things")), session.slept

    answer, slept = play(login(), act, attempts=5)

    assert (answer.status, slept, len(api.asked)) == (200, [], 4)


# Answers without what is needed


@pytest.mark.parametrize(
    ("template", "answer", "says"),
    [
        (
            {"headers": {"A": "{{.missing}}"}},
            ANSWER,
            "`.missing`, which `headers.A` needs; its keys are `access_token`",
        ),
        ({"headers": {"A": "{{.nested.no}}"}}, ANSWER, "`headers.A` needs; in `.nested`, its keys are `value`"),
        ({"query_params": {"q": "{{.a}}"}}, {"a": None}, "`.a`, which `query_params.q` needs; its keys are `a`"),
        (
            {"body": {"x": {"y": ["{{.a[2]}}"]}}},
            {"a": [1]},
            "`.a[2]`, which `body.x.y[0]` needs; in `.a`, it is a list",
        ),
        ({"headers": {"A": "{{.a.b}}"}}, {"a": "text"}, "in `.a`, it is a single value"),
        ({"headers": {"A": "{{.a}}"}}, {"a": {"b": 1}}, "`.a` as a text or number"),
        ({"headers": {"A": "{{.a}}"}}, {"a": "x\r\nInjected: 1"}, "a text for `headers.A` that can be sent"),
        ({"headers": {"A": "{{.a}}"}}, {"a": ""}, "a text for `headers.A` that can be sent"),
        ({"headers": {"A": "{{.a}}"}}, {"a": "tök"}, "a text for `headers.A` that can be sent"),
        ({"query_params": {"A": "{{.a}}"}}, {"a": "\ud800"}, "a text for `query_params.A` that can be sent"),
        ({"headers": {"A": "{{.}}"}}, None, "without anything, which `headers.A` needs"),
        ({"headers": {"A": "{{.a}}"}}, {"error": "locked", "message": "too many"}, "answered 200: locked: too many"),
    ],
)
def test_an_answer_without_what_the_template_needs_is_said_to_be_one(
    template: dict[str, Any], answer: Any, says: str, api: Api, send: Callable[..., Any]
) -> None:
    api.token = lambda _: answer

    outcome = send(login(template))

    assert isinstance(outcome, SendError)
    (problem,) = outcome.problems
    assert outcome.reason == "auth"
    assert problem.message.startswith(f"{api.url}/token answered 200")
    assert says in problem.message
    assert api.data_requests == []


def test_a_refused_login_says_so_and_shows_no_query(api: Api, send: Callable[..., Any]) -> None:
    api.token = lambda _: Response('{"message": "wrong password"}', status_code=403)

    outcome = send(login(request={"query_params": {"pin": "1234"}}))

    (problem,) = outcome.problems
    assert problem.code == "token-refused"
    assert problem.message == f"{api.url}/token answered 403: wrong password"


# What is a secret of it


@pytest.mark.parametrize(
    ("text", "learned"),
    [
        ("{{.token_type}} {{.access_token}} expires in {{.expires_in}}", ["abc123"]),
        ("{{.nested.value}}", ["nv"]),
    ],
)
def test_what_comes_of_an_answer_is_made_known_to_the_redactor_but_for_what_stands_beside_it(
    text: str, learned: list[str], api: Api, play: Callable[..., Any]
) -> None:
    async def act(session: Session) -> list[str]:
        await session.send(RequestSpec("GET", f"{api.url}/things"))
        return session.learned

    assert play(login({"headers": {"A": text}}), act) == learned


def test_the_secrets_of_a_login_are_known_by_their_names() -> None:
    request = {
        "body": {"user": "ada", "password": "pppp", "more": [{"api_key": "kkkk"}]},
        "headers": {"Authorization": "Basic YWJj", "X-Tenant": "acme"},
        "query_params": {"token": "tttt"},
    }

    auth = auth_of(login(request=request))

    assert set(auth.secrets()) == {"pppp", "kkkk", "Basic YWJj", "YWJj", "tttt"}
    assert "pppp" not in repr(auth)


# Mistakes in the configuration


@pytest.mark.parametrize(
    ("request_", "template", "where", "says"),
    [
        ({}, {"headers": {"Authorization": "{{access_token}}"}}, "headers.Authorization", "has no leading dot"),
        ({}, {"query_params": {"t": "x {{ token }}"}}, "query_params.t", "has no leading dot"),
        ({}, {"body": {"a": {"b": ["{{x}}"]}}}, "body.a", "`b[0]`: `x` has no leading dot"),
        ({}, {"headers": {"A": "{{.a | ascii_upcase}}"}}, "headers.A", "is no path"),
        ({}, {"headers": {"A": "{{.a-b}}"}}, "headers.A", "is no path"),
        ({}, {"headers": {"A": "{{.a[]}}"}}, "headers.A", "is no path"),
        ({}, {"headers": {"A": '{{.["a}}'}}, "headers.A", "is no path"),
        ({}, {"headers": {"A": "{{}}"}}, "headers.A", "has no leading dot"),
        ({}, {"headers": {"A": "{{.a}"}}, "headers.A", "without its `}}`"),
        ({}, {}, "", "give `headers`, `query_params` or `body`"),
        ({}, {"headers": {}, "body": {}}, "", "give `headers`, `query_params` or `body`"),
        ({"body": {}, "body_form": {}}, None, "", "not both"),
        ({"method": "INVALID"}, None, "method", "'POST'"),
        ({"path": "ftp://host"}, None, "path", "not an http"),
        ({"body": "text"}, None, "body", "valid dictionary"),
        ({"body": {"n": float("nan")}}, None, "body", "no number"),
        ({"reauthenticateIntervalSeconds": 0}, None, "reauthenticateIntervalSeconds", "greater than or equal to 1"),
    ],
)
def test_what_cannot_work_is_refused_and_its_place_named(
    request_: dict[str, Any], template: dict[str, Any] | None, where: str, says: str
) -> None:
    config = login(request=request_) | ({} if template is None else {"template": template})

    with pytest.raises(ValidationError) as caught:
        auth_of(config)

    error = caught.value.errors()[0]
    assert where in ".".join(map(str, error["loc"]))
    assert says in error["msg"]


def test_an_interval_in_both_places_is_refused() -> None:
    with pytest.raises(ValidationError, match="once"):
        auth_of(login(request={"reauthenticateIntervalSeconds": 5}, reauthenticate_interval=5))


# Paths

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda key: "}}" not in json.dumps(key))
VALUES = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers(), st.booleans(), st.floats(0, 1))


@given(st.lists(st.one_of(KEYS, st.integers(0, 3)), min_size=1, max_size=5), VALUES)
def test_whatever_the_keys_a_written_path_finds_its_value(steps: list[str | int], value: Any) -> None:
    answer = value
    for step in reversed(steps):
        answer = {step: answer, "other": 1} if isinstance(step, str) else [None] * step + [answer]
    if any(step == "other" for step in steps):
        return
    path = "." + "".join(f"[{json.dumps(step)}]" for step in steps)

    assert found_at(path, answer, "x") == value
    assert filled({"a": [f"{{{{{path}}}}}"]}, answer, "x") == {"a": [value]}
    assert (
        filled_text(f"<{{{{ {path} }}}}>", answer, "x") == f"<{value if isinstance(value, str) else json.dumps(value)}>"
    )


@given(
    st.text(".[]\"'ab01| ", max_size=12),
    st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)),
)
def test_no_path_and_no_answer_breaks_anything_else(path: str, answer: Any) -> None:
    try:
        auth_of(login({"headers": {"A": f"{{{{{path}}}}}"}}))
    except ValidationError:
        return
    with suppress(MissingError):
        found_at(path.strip(), answer, "x")
