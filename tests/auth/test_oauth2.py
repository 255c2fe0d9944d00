"""The requests that go to an OAuth 2 token endpoint, and what is made of its answers."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from pydantic import ValidationError
from starlette.responses import Response

from portsync.errors import SendError
from portsync.flow import RequestSpec
from tests.auth.conftest import auth_of
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.auth.conftest import Api, Session

CLIENT = {"type": "oauth2", "token_url": "/token", "client_id": "id", "client_secret": "s3cret-value"}


def basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


# The request


def test_id_and_secret_go_into_a_basic_header(api: Api, send: Callable[..., Any]) -> None:
    assert send(CLIENT).status == 200

    (call,) = api.token_calls
    assert (call.method, call.path, call.query) == ("POST", "/token", {})
    assert call.credentials == basic("id:s3cret-value")
    assert call.form == {"grant_type": "client_credentials"}
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert call.headers["accept"] == "application/json"
    assert api.data_requests[0].credentials == "Bearer t1"


def test_id_and_secret_are_percent_encoded_first(api: Api, send: Callable[..., Any]) -> None:
    send({**CLIENT, "client_id": "a:b c", "client_secret": "p/w+d%="})

    assert api.token_calls[0].credentials == basic("a%3Ab%20c:p%2Fw%2Bd%25%3D")


def test_id_and_secret_go_into_the_form_where_the_server_wants_them_there(api: Api, send: Callable[..., Any]) -> None:
    send({**CLIENT, "client_auth": "body"})

    (call,) = api.token_calls
    assert call.credentials == ""
    assert call.form == {"grant_type": "client_credentials", "client_id": "id", "client_secret": "s3cret-value"}


@pytest.mark.parametrize("scopes", [["a", "b"], "a b"])
def test_scopes_are_a_list_or_a_text(scopes: Any, api: Api, send: Callable[..., Any]) -> None:
    send({**CLIENT, "scopes": scopes, "audience": "https://api.example.com"})

    assert api.token_calls[0].form == {
        "grant_type": "client_credentials",
        "scope": "a b",
        "audience": "https://api.example.com",
    }


def test_zooms_grant_can_be_written(api: Api, send: Callable[..., Any]) -> None:
    send({**CLIENT, "params": {"grant_type": "account_credentials", "account_id": "acc"}})

    (call,) = api.token_calls
    assert call.credentials == basic("id:s3cret-value")
    assert call.form == {"grant_type": "account_credentials", "account_id": "acc"}


def test_a_field_of_the_form_may_stand_there_twice(api: Api, send: Callable[..., Any]) -> None:
    send({**CLIENT, "params": {"resource": ["https://a", "https://b"]}, "headers": {"X-Tenant": "acme"}})

    assert api.token_calls[0].form["resource"] == "https://a,https://b"
    assert api.token_calls[0].headers["x-tenant"] == "acme"


def test_a_header_of_the_users_own_replaces_ours(api: Api, send: Callable[..., Any]) -> None:
    send({**CLIENT, "headers": {"authorization": "Basic b3RoZXI="}})

    assert api.token_calls[0].credentials == "Basic b3RoZXI="


def test_the_password_grant(api: Api, send: Callable[..., Any]) -> None:
    send({**CLIENT, "grant": "password", "username": "ada", "password": "p w\n"})

    assert api.token_calls[0].form == {"grant_type": "password", "username": "ada", "password": "p w\n"}


def test_the_jwt_bearer_grant(api: Api, send: Callable[..., Any]) -> None:
    assertion = {"algorithm": "HS256", "key": "k" * 32, "claims": {"iss": "reader"}, "headers": {"kid": "k1"}}
    send({"type": "oauth2", "token_url": "/token", "grant": "jwt_bearer", "assertion": assertion})

    (call,) = api.token_calls
    assert call.credentials == ""
    assert call.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    signed = jwt.decode_complete(
        call.form["assertion"], "k" * 32, ["HS256"], options={"verify_exp": False, "verify_aud": False}
    )
    assert signed["header"]["kid"] == "k1"
    expected = {"iss": "reader", "aud": f"{api.url}/token", "iat": int(NOW), "exp": int(NOW) + 300}
    assert signed["payload"] == expected


def test_a_public_client_says_who_it_is_in_the_form(api: Api, send: Callable[..., Any]) -> None:
    send({"type": "oauth2", "token_url": "/token", "grant": "refresh_token", "client_id": "id", "refresh_token": "r0"})

    assert api.token_calls[0].credentials == ""
    assert api.token_calls[0].form == {"grant_type": "refresh_token", "client_id": "id", "refresh_token": "r0"}


@pytest.mark.parametrize("token_url", ["/token", "token", "{url}/token"])
def test_the_token_url_may_be_a_path_or_a_whole_one(token_url: str, api: Api, send: Callable[..., Any]) -> None:
    send({**CLIENT, "token_url": token_url.replace("{url}", api.url)})

    assert api.token_calls[0].path == "/token"


# The answer


@pytest.mark.parametrize(
    ("said", "life"),
    [
        ({"expires_in": 1000}, 1000),
        ({"expires_in": 1000.5}, 1000.5),
        ({"expires_in": "1000"}, 1000),
        ({}, 3600),
        ({"expires_in": None}, 3600),
        ({"expires_in": "never"}, 3600),
        ({"expires_in": 0}, 3600),
        ({"expires_in": -5}, 3600),
        ({"expires_in": True}, 3600),
        ({"expires_in": "NaN"}, 3600),
        ({"expires_in": [60]}, 3600),
    ],
)
def test_a_life_is_a_number_or_a_text_or_else_the_default(
    said: dict[str, Any], life: float, api: Api, play: Callable[..., Any]
) -> None:
    api.token = lambda _: {"access_token": "t", **said}

    async def act(session: Session) -> list[int]:
        counts = []
        for age in (0, life - 60 - 0.5, 0.5):
            session.clock.now += age
            await session.send(RequestSpec("GET", f"{api.url}/things"))
            counts.append(len(api.token_calls))
        return counts

    assert play(CLIENT, act) == [1, 1, 2]


def test_the_default_life_can_be_chosen(api: Api, play: Callable[..., Any]) -> None:
    api.token = lambda _: {"access_token": "t"}

    async def act(session: Session) -> None:
        for age in (0, 539, 1):
            session.clock.now += age
            await session.send(RequestSpec("GET", f"{api.url}/things"))

    play({**CLIENT, "default_life": 600}, act)

    assert len(api.token_calls) == 2


HTML = Response("<!doctype html><html><body><h1>Sign in</h1></body></html>", media_type="text/html")


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (
            Response('{"error": "invalid_client", "error_description": "no such client"}', status_code=401),
            "token-refused",
            "answered 401: invalid_client: no such client",
        ),
        (Response('{"error": "invalid_grant"}', status_code=400), "token-refused", "answered 400: invalid_grant"),
        (Response('{"error": {"message": "unknown app"}}', status_code=403), "token-refused", "403: unknown app"),
        (Response('{"message": "Bad credentials"}', status_code=401), "token-refused", "401: Bad credentials"),
        (Response('["denied"]', status_code=403), "token-refused", 'answered 403: ["denied"]'),
        (Response("denied", status_code=403), "token-refused", "answered 403: denied"),
        (Response(status_code=403), "token-refused", "answered 403"),
        ({"error": "bad_verification_code", "error_description": "expired"}, "token-refused", "200: bad_verification"),
        ({"ok": False, "error": "invalid_auth"}, "token-refused", "answered 200: invalid_auth"),
        (Response("<html><b>Not here</b></html>", status_code=404), "no-token", "answered 404: Not here"),
        (
            Response(status_code=302, headers={"location": "https://sso/?t=1"}),
            "no-token",
            "(a redirect to https://sso/)",
        ),
        (Response("down", status_code=503), "no-token", "answered 503: down"),
        (HTML, "no-token", "answered 200 with an HTML page: Sign in"),
        (Response(""), "no-token", "answered 200 with nothing"),
        (Response("t0ken"), "no-token", "answered 200 with no JSON: t0ken"),
        (Response("[" * 100_000), "no-token", "with no JSON"),
        ({"token": "abc", "expires": 5}, "no-token", "that a header can carry; its keys are `token`, `expires`"),
        ({}, "no-token", "it is empty"),
        (["abc"], "no-token", "it is a list of 1"),
        ("abc", "no-token", "it is a single value"),
        ({"access_token": ""}, "no-token", "without an `access_token`"),
        ({"access_token": None}, "no-token", "without an `access_token`"),
        ({"access_token": 5}, "no-token", "without an `access_token`"),
        ({"access_token": "a\r\nb"}, "no-token", "without an `access_token`"),
        ({"access_token": "tök"}, "no-token", "without an `access_token`"),
    ],
)
def test_an_answer_without_a_token_is_said_to_be_one(
    answer: Any, code: str, says: str, api: Api, send: Callable[..., Any]
) -> None:
    api.token = lambda _: answer

    outcome = send(CLIENT)

    assert isinstance(outcome, SendError)
    (problem,) = outcome.problems
    assert (problem.code, outcome.reason) == (code, "auth")
    assert problem.message.startswith(f"{api.url}/token answered ")
    assert says in problem.message
    assert problem.place == f"POST {api.url}/token"
    assert problem.hint
    assert "s3cret-value" not in problem.message
    assert api.data_requests == []


# The configuration


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"client_secret": None}, "needs `client_secret`"),
        ({"client_id": None}, "needs `client_id`"),
        ({"client_id": None, "client_secret": None}, "needs `client_id` and `client_secret`"),
        ({"grant": "refresh_token"}, "needs `refresh_token`"),
        ({"grant": "password"}, "needs `username` and `password`"),
        ({"grant": "jwt_bearer"}, "needs `assertion`"),
        ({"grant": "refresh_token", "refresh_token": "r", "client_id": None}, "needs `client_id`"),
        ({"refresh_token": "r"}, "`refresh_token` goes with `grant: refresh_token`"),
        ({"grant": "implicit"}, "client_credentials"),
        ({"token_url": "ftp://host/token"}, "not an http"),
        ({"token_url": "https://user:pw@host/token"}, "holds credentials"),
        ({"token_url": "/a b"}, "holds spaces"),
        ({"token_url": "/"}, "is empty"),
        ({"headers": {"x y": "a"}}, "cannot be the name of a header"),
        ({"headers": {"x": "a\nb"}}, "printable ASCII"),
        ({"leeway": -1}, "greater than or equal to 0"),
        ({"default_life": 0}, "greater than 0"),
        ({"client_secret": "a\nb"}, "printable ASCII"),
        ({"tokenurl": "x"}, "tokenurl"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        auth_of({**CLIENT, **changes})

    assert says in str(caught.value)
    assert "s3cret-value" not in str(caught.value)


def test_every_secret_is_known_in_every_form_that_it_is_sent_in() -> None:
    auth = auth_of({**CLIENT, "client_secret": "a/b cret", "params": {"api_key": "kkkk", "account_id": "acc"}})

    secrets = auth.secrets()

    assert "a/b cret" in secrets
    assert base64.b64encode(b"id:a%2Fb%20cret").decode() in secrets
    assert "kkkk" in secrets
    assert "acc" not in secrets
    assert "a/b cret" not in repr(auth)
