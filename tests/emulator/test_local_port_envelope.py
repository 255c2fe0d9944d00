"""What every answer has, whatever the route."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from portsync.emulator.app import create_app
from portsync.emulator.guesses import Guesses
from portsync.loopback import serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import SimpleNamespace


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/blueprints/", 404, "not_found"),
        ("GET", "/blueprints/none", 404, "not_found"),
        ("DELETE", "/blueprints", 405, "method_not_allowed"),
    ],
)
def test_failures_wear_the_envelope(port: httpx.Client, method: str, path: str, status: int, error: str) -> None:
    answer = port.request(method, path)
    body = answer.json()
    assert answer.status_code == status
    assert (body["ok"], body["error"]) == (False, error)
    assert body["message"]


def test_every_answer_has_a_trace_id_of_its_own(port: httpx.Client) -> None:
    answers = [port.get("/blueprints"), port.get("/nothing"), port.get("/blueprints/none")]
    assert len({answer.headers["x-trace-id"] for answer in answers}) == 3


def test_malformed_json_is_a_bad_request(port: httpx.Client) -> None:
    answer = port.post("/blueprints", content=b"{")
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_unknown_query_parameters_are_ignored(port: httpx.Client) -> None:
    assert port.get("/blueprints?ocean_info_event_type=resync").status_code == 200


def test_a_flag_takes_true_and_false_only(records: httpx.Client) -> None:
    answer = records.post("/blueprints/record/entities/bulk?upsert=1", json={"entities": [{}]})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")


@pytest.mark.parametrize(("beyond", "status"), [(0, 422), (1, 413)])
def test_a_body_may_have_one_mebibyte(records: httpx.Client, beyond: int, status: int) -> None:
    frame = len(b'{"a":""}')
    body = b'{"a":"' + b"x" * (1024 * 1024 - frame + beyond) + b'"}'
    answer = records.post("/blueprints/record/entities/bulk", content=body)
    assert answer.status_code == status
    assert status != 413 or answer.json()["message"] == "Request body is too large (limit is 1MiB)"


def test_the_rate_headers_count_down_and_start_again(
    local_port: Callable[..., httpx.Client], clock: SimpleNamespace
) -> None:
    port = local_port(guesses=Guesses(rate_limit=10, rate_period=60))
    clock.now += 15
    headers = port.get("/blueprints").headers
    # The token took one of the ten.
    assert headers["x-ratelimit-limit"] == "10"
    assert headers["x-ratelimit-period"] == "60"
    assert headers["x-ratelimit-remaining"] == "8"
    assert headers["x-ratelimit-reset"] == "45"
    clock.now += 45
    assert port.get("/nothing").headers["x-ratelimit-remaining"] == "9"


def test_beyond_the_budget_the_answer_is_429(local_port: Callable[..., httpx.Client], clock: SimpleNamespace) -> None:
    port = local_port(guesses=Guesses(rate_limit=2, reset_as_epoch=True))
    assert port.get("/blueprints").status_code == 200
    answer = port.get("/blueprints")
    assert (answer.status_code, answer.json()["ok"]) == (429, False)
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers["x-ratelimit-reset"] == str(int(clock.now) + 300)
    clock.now += 300
    assert port.get("/blueprints").status_code == 200


def test_it_serves_from_a_socket_and_keeps_a_file(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'port.db'}"
    for expected in (201, 409):
        app = create_app(database=database, client_id="id", client_secret="secret", users=["ann@example.com"])
        with serving(app) as base, httpx.Client(base_url=f"{base}/v1") as port:
            token = port.post("/auth/access_token", json={"clientId": "id", "clientSecret": "secret"})
            port.headers["authorization"] = f"Bearer {token.json()['accessToken']}"
            body = {"identifier": "kept", "title": "Kept", "schema": {"properties": {}}}
            assert port.post("/blueprints", json=body).status_code == expected
            assert port.get("/blueprints/_user/entities-count").json()["count"] == 1
