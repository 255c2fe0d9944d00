"""Access tokens: who gets one, how long it lives, and that nothing goes without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    import httpx

CREDENTIALS = {"clientId": "id", "clientSecret": "secret"}


def test_right_credentials_get_a_bearer_token_shaped_like_a_jwt(port: httpx.Client) -> None:
    answer = port.post("/auth/access_token", json=CREDENTIALS)
    body = answer.json()
    assert answer.status_code == 200
    assert body.keys() == {"ok", "accessToken", "expiresIn", "tokenType"}
    assert (body["ok"], body["tokenType"], body["expiresIn"]) == (True, "Bearer", 10800)
    assert body["accessToken"].count(".") == 2


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"clientId": "id", "clientSecret": "wrong"}, 401, "invalid_credentials"),
        ({"clientId": "other", "clientSecret": "secret"}, 401, "invalid_credentials"),
        ({"clientId": "ïd", "clientSecret": "secret"}, 401, "invalid_credentials"),
        ({"clientId": "id"}, 422, "invalid_request"),
        ({"clientId": "id", "clientSecret": 1}, 422, "invalid_request"),
        ({**CREDENTIALS, "more": True}, 422, "invalid_request"),
        ([], 422, "invalid_request"),
    ],
)
def test_other_bodies_get_no_token(port: httpx.Client, body: Any, status: int, error: str) -> None:
    answer = port.post("/auth/access_token", json=body)
    assert (answer.status_code, answer.json()["ok"], answer.json()["error"]) == (status, False, error)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic aWQ6c2VjcmV0"])
def test_a_route_without_a_live_token_answers_401(port: httpx.Client, header: str) -> None:
    answer = port.get("/blueprints", headers={"authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


def test_the_same_token_is_given_out_with_what_is_left_of_its_life(port: httpx.Client, clock: SimpleNamespace) -> None:
    first = port.post("/auth/access_token", json=CREDENTIALS).json()
    clock.now += 100.5
    second = port.post("/auth/access_token", json=CREDENTIALS).json()
    assert second["accessToken"] == first["accessToken"]
    assert second["expiresIn"] == 10800 - 101


def test_a_token_dies_with_its_life_and_a_new_one_works(
    local_port: Callable[..., httpx.Client], clock: SimpleNamespace
) -> None:
    port = local_port(token_life=60)
    clock.now += 59
    assert port.get("/blueprints").status_code == 200
    clock.now += 1
    assert port.get("/blueprints").status_code == 401
    fresh = port.post("/auth/access_token", json=CREDENTIALS).json()["accessToken"]
    assert port.get("/blueprints", headers={"authorization": f"Bearer {fresh}"}).status_code == 200
