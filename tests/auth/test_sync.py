"""Whole runs against an API that wants a token: what arrives, what is said, and what is never shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from tests.tls import issued, serving_tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.auth.conftest import Api, Asked
    from tests.conftest import LocalPort, Run

SECRET = "client-s3cret"
TOKEN = "fetched-t0ken"
RESOURCES = """
resources:
  - kind: /things
    selector: {data_path: .data}
    port: {entity: {mappings: {identifier: .id, blueprint: '"thing"'}}}
"""
SOURCE = """
source:
  base_url: BASE_URL
  retry: {attempts: 3, max_wait: 5}
  pagination: {type: offset, page_size: 2, total_path: .total}
  auth: {type: oauth2, token_url: /token, client_id: reader, client_secret: "${CLIENT_SECRET}"}
"""


@pytest.fixture
def sync(api: Api, portsync: Callable[..., Run], port_env: dict[str, str]) -> Callable[..., Run]:
    """Sync a mapping; BASE_URL stands for the API's."""

    def run(mapping: str = SOURCE + RESOURCES, *options: str, **env: str) -> Run:
        text = mapping.replace("BASE_URL", api.url)
        return portsync("sync", text, *options, env={**port_env, "CLIENT_SECRET": SECRET} | env)

    api.token = lambda _: {"access_token": f"{TOKEN}-{len(api.token_calls)}", "expires_in": 3600}
    api.data = lambda asked: {"data": records(asked, 5), "total": 5}
    return run


def records(asked: Asked, count: int) -> list[dict[str, Any]]:
    start = int(asked.query.get("offset", ["0"])[0])
    return [{"id": f"thing-{number}"} for number in range(count)][start : start + 2]


def test_a_token_that_ends_in_the_middle_costs_one_call_and_no_page(
    api: Api, sync: Callable[..., Run], local_port: LocalPort
) -> None:
    def data(asked: Asked) -> Any:
        if asked.query["offset"] == ["2"] and asked.credentials.endswith("-1"):
            return Response(status_code=401)
        return {"data": records(asked, 5), "total": 5}

    api.data = data

    run = sync()

    assert run.exit_code == 0, run.err
    assert (run.resource["verdict"], run.resource["pages"], run.resource["records"]) == ("complete", 3, 5)
    assert set(local_port.entities("thing")) == {f"thing-{number}" for number in range(5)}
    assert len(api.token_calls) == 2
    # The total is known after the first page, so the other two are asked for at once.
    assert sorted(asked.query["offset"] for asked in api.data_requests) == [["0"], ["2"], ["2"], ["4"]]


def test_credentials_that_are_never_taken_make_a_source_that_refused(api: Api, sync: Callable[..., Run]) -> None:
    api.data = lambda _: Response('{"message": "who are you?"}', status_code=401)

    run = sync()

    assert (run.exit_code, run.resource["reason"], run.codes) == (3, "status", ["source-refused"])
    assert len(api.data_requests) == 2


def test_a_token_endpoint_that_refuses_ends_the_resource_for_that_reason(api: Api, sync: Callable[..., Run]) -> None:
    api.token = lambda _: Response('{"error": "invalid_client", "error_description": "gone"}', status_code=401)

    run = sync()

    assert (run.exit_code, run.resource["verdict"], run.resource["reason"]) == (3, "incomplete", "auth")
    (problem,) = run.report["problems"]
    assert problem["code"] == "token-refused"
    assert problem["message"] == f"{api.url}/token answered 401: invalid_client: gone"
    assert (len(api.token_calls), api.data_requests) == (1, [])


def test_the_next_resource_tries_again(api: Api, sync: Callable[..., Run]) -> None:
    def token(_asked: Asked) -> Any:
        return Response(status_code=400) if len(api.token_calls) == 1 else {"access_token": "good"}

    api.token = token
    second = RESOURCES.replace("resources:\n", "").replace("/things", "/more")

    run = sync(SOURCE + RESOURCES + second)

    assert run.exit_code == 1
    assert [resource["verdict"] for resource in run.report["resources"]] == ["incomplete", "complete"]


def test_a_token_endpoint_that_is_down_for_a_moment_does_no_harm(api: Api, sync: Callable[..., Run]) -> None:
    def token(_asked: Asked) -> Any:
        return Response(status_code=503) if len(api.token_calls) < 3 else {"access_token": "good"}

    api.token = token

    assert sync().exit_code == 0
    assert len(api.token_calls) == 3


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_and_no_token_is_shown_whoever_repeats_them(form: str, api: Api, sync: Callable[..., Run]) -> None:
    def refused(asked: Asked) -> Response:
        return Response(json.dumps({"error": f"bad {asked.credentials} {asked.form}"}), status_code=400)

    api.token = refused
    first = sync(
        SOURCE.replace("client_id: reader", "client_id: reader, client_auth: body") + RESOURCES, "--format", form
    )
    api.token = lambda _: {"access_token": TOKEN}
    api.data = lambda asked: Response(json.dumps({"error": f"bad {asked.credentials}"}), status_code=400)
    second = sync(SOURCE + RESOURCES, "--format", form)

    for run in (first, second):
        assert run.exit_code != 0
        for text in (run.out, run.err, json.dumps(run.report)):
            assert SECRET not in text
            assert TOKEN not in text
        assert "***" in json.dumps(run.report)


def test_oceans_login_from_the_environment_alone(api: Api, sync: Callable[..., Run], local_port: LocalPort) -> None:
    """The configuration of the framework's own documentation, with nothing but `resources` in the file."""
    api.token = lambda _: {"access_token": TOKEN, "token_type": "Bearer"}
    api.data = lambda asked: {"data": [{"id": "a"}]} if asked.credentials == f"Bearer {TOKEN}" else Response("", 401)
    ocean = "OCEAN__INTEGRATION__"

    run = sync(
        RESOURCES,
        **{
            f"{ocean}CONFIG__BASE_URL": api.url,
            f"{ocean}CONFIG__AUTH_TYPE": "custom",
            f"{ocean}SECRETS__CUSTOM_AUTH_REQUEST": json.dumps(
                {
                    "endpoint": "/oauth/token",
                    "method": "POST",
                    "bodyForm": {"grant_type": "client_credentials", "client_secret": SECRET},
                    "reauthenticateIntervalSeconds": 3600,
                }
            ),
            f"{ocean}SECRETS__CUSTOM_AUTH_REQUEST_TEMPLATE": json.dumps(
                {"headers": {"Authorization": "{{.token_type}} {{.access_token}}"}}
            ),
        },
    )

    assert run.exit_code == 0, run.err
    assert api.token_calls[0].form == {"grant_type": "client_credentials", "client_secret": SECRET}
    assert set(local_port.entities("thing")) == {"a"}


def test_a_token_endpoint_with_tls_is_checked_though_the_source_has_none(
    api: Api, sync: Callable[..., Run], tmp_path: Path
) -> None:
    files = issued(tmp_path)
    body = b'{"access_token": "over-tls"}'
    with serving_tls(files.server, body) as url:
        elsewhere = SOURCE.replace("token_url: /token", f"token_url: {url}/token")
        refused = sync(elsewhere + RESOURCES)
        trusted = sync(elsewhere.replace("  retry:", f"  tls: {{ca: {files.ca}}}\n  retry:") + RESOURCES)

    assert (refused.exit_code, refused.resource["reason"]) == (3, "unreachable")
    assert "certificate verify failed" in refused.report["problems"][0]["message"]
    assert trusted.exit_code == 0, trusted.err
    assert {asked.credentials for asked in api.data_requests} == {"Bearer over-tls"}
