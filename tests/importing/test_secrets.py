"""Secrets that stand in a file, wherever that is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from portsync.importing.notes import Notes
from portsync.importing.secrets import without_secrets
from tests.importing.conftest import of_text, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.importing import Imported


def hidden(document: dict[str, Any]) -> Any:
    return without_secrets(document, Notes())


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"type": "bearer", "token": "abc"}, {"token": "${SOURCE_TOKEN}"}),
        ({"type": "bearer", "token": "${MINE}"}, {"token": "${MINE}"}),
        ({"type": "basic", "username": "u", "password": "p"}, {"username": "u", "password": "${SOURCE_PASSWORD}"}),
        ({"type": "basic", "username": "key"}, {"username": "${SOURCE_USERNAME}"}),
        ({"type": "api_key", "key": "Token abc", "header": "A"}, {"key": "Token ${SOURCE_KEY}"}),
        ({"type": "tokens", "tokens": ["a", "b"]}, {"tokens": ["${SOURCE_SECRET}", "${SOURCE_SECRET_2}"]}),
        (
            {"type": "oauth2", "client_secret": "x", "params": {"code": "c", "scope": "s"}},
            {"client_secret": "${SOURCE_CLIENT_SECRET}", "params": {"code": "${SOURCE_CODE}", "scope": "s"}},
        ),
        (
            {"type": "login", "request": {"path": "/l", "body": {"pin": "1", "name": "n"}}},
            {"request": {"path": "/l", "body": {"pin": "${SOURCE_PIN}", "name": "n"}}},
        ),
    ],
)
def test_what_stands_where_secrets_do_becomes_a_variable(auth: dict[str, Any], expected: dict[str, Any]) -> None:
    found = hidden({"source": {"auth": auth}})["source"]["auth"]

    assert found | expected == found


def test_requests_are_searched_by_names_and_one_value_has_one_name() -> None:
    request = {
        "headers": {"Authorization": "Bearer abc", "Accept": "a"},
        "query_params": {"api_key": ["abc", "def"], "q": "abc"},
        "body": {"auth": {"password": "abc"}, "text": "{{ .token }}"},
        "path_parameters": {"a": {"endpoint": "/x", "headers": {"X-Token": "ghi"}}},
    }

    selector = hidden({"resources": [{"kind": "/a", "selector": request, "port": {}}]})["resources"][0]["selector"]

    # In the order of the walk, which is that of the names of the parts.
    name = selector["headers"]["Authorization"].removeprefix("Bearer ")
    assert name.startswith("${SOURCE_")
    assert selector["query_params"]["api_key"][0] == name
    assert selector["query_params"]["api_key"][1] not in (name, "def")
    assert selector["query_params"]["q"] == "abc"
    assert selector["body"]["auth"]["password"] == name
    assert selector["path_parameters"]["a"]["headers"]["X-Token"] == "${SOURCE_X_TOKEN}"


def test_a_secret_in_a_path_becomes_a_parameter_because_nothing_is_put_into_a_path() -> None:
    found = hidden({"resources": [{"kind": "/a?api_key=abc&b=c", "port": {}}]})["resources"][0]

    assert found == {"kind": "/a?b=c", "selector": {"query_params": {"api_key": "${SOURCE_API_KEY}"}}, "port": {}}


def test_a_name_that_is_taken_is_not_taken_again() -> None:
    headers = {"X-Token": "abc", "X-Other": "${SOURCE_X_TOKEN}"}

    assert hidden({"source": {"headers": headers}})["source"]["headers"]["X-Token"] == "${SOURCE_X_TOKEN_2}"


def test_credentials_in_a_base_url_are_left_out_and_listed(check: Callable[[Imported], None]) -> None:
    resource = {"name": "a", "endpoint": {"path": "a", "data_selector": "a", "paginator": "single_page"}}
    config = json.dumps({"client": {"base_url": "https://ada:pw-0000@a.example/v1"}, "resources": [resource]})

    result = of_text("dlt", config)

    assert result.document["source"]["base_url"] == "https://a.example/v1"
    assert "pw-0000" not in result.text + said(result)
    assert not result.is_whole
    check(result)
