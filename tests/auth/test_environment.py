"""The authentication that the environment names: Ocean's variables, and all kinds as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from portsync.errors import SettingsError
from portsync.settings import process_environment, read_settings
from tests.auth.conftest import auth_of

if TYPE_CHECKING:
    from pathlib import Path

OCEAN = "OCEAN__INTEGRATION__CONFIG__"
SECRETS = "OCEAN__INTEGRATION__SECRETS__"
REQUEST = {"endpoint": "/login", "body": {"password": "pppp"}, "reauthenticateIntervalSeconds": 90}
TEMPLATE = {"headers": {"Authorization": "Bearer {{.t}}"}}


def ocean(**variables: str) -> dict[str, str]:
    return {f"{OCEAN}{name}": value for name, value in variables.items()}


@pytest.mark.parametrize(
    ("environment", "config"),
    [
        (ocean(AUTH_TYPE="none"), {"type": "none"}),
        (ocean(AUTH_TYPE="bearer", API_TOKEN="tttt"), {"type": "bearer", "token": "tttt"}),
        (ocean(AUTH_TYPE="bearer_token") | {f"{SECRETS}TOKEN": "tttt"}, {"type": "bearer", "token": "tttt"}),
        (
            ocean(AUTH_TYPE="basic", USERNAME="u", PASSWORD="pppp"),
            {"type": "basic", "username": "u", "password": "pppp"},
        ),
        (ocean(AUTH_TYPE="basic_auth", USERNAME="key"), {"type": "basic", "username": "key", "password": ""}),
        (ocean(AUTH_TYPE="api_key", API_KEY="kkkk"), {"type": "api_key", "key": "kkkk"}),
        (
            ocean(AUTH_TYPE="api_key", API_KEY="kkkk", API_KEY_HEADER="X-K"),
            {"type": "api_key", "key": "kkkk", "header": "X-K"},
        ),
        (
            ocean(
                AUTH_TYPE="custom",
                CUSTOM_AUTH_REQUEST=json.dumps(REQUEST),
                CUSTOM_AUTH_REQUEST_TEMPLATE=json.dumps(TEMPLATE),
            ),
            {"type": "custom", "request": REQUEST, "template": TEMPLATE},
        ),
        (
            {
                f"{SECRETS}AUTH_TYPE": "custom",
                f"{SECRETS}CUSTOM_AUTH_REQUEST": json.dumps(REQUEST),
                f"{SECRETS}CUSTOM_AUTH_REQUEST_TEMPLATE": json.dumps(TEMPLATE),
            },
            {"type": "custom", "request": REQUEST, "template": TEMPLATE},
        ),
    ],
)
def test_oceans_variables_make_the_authentication_that_ocean_means(
    environment: dict[str, str], config: dict[str, Any]
) -> None:
    assert read_settings(environment).source_auth == auth_of(config)


@pytest.mark.parametrize(
    "config",
    [
        {"type": "none"},
        {"type": "bearer", "token": "tttt"},
        {"type": "basic", "username": "u"},
        {"type": "api_key", "key": "kkkk", "query": "k"},
        {"type": "oauth2", "token_url": "/t", "client_id": "i", "client_secret": "ssss", "scopes": ["a"]},
        {"type": "login", "request": {"path": "/l"}, "template": TEMPLATE},
        {"type": "jwt", "algorithm": "HS256", "key": "kkkk"},
        {"type": "tokens", "tokens": ["aaaa", "bbbb"]},
    ],
    ids=lambda config: config["type"],
)
def test_every_kind_can_be_given_as_json_and_wins_over_oceans(config: dict[str, Any]) -> None:
    environment = ocean(AUTH_TYPE="bearer", API_TOKEN="other") | {"PORTSYNC_SOURCE_AUTH": json.dumps(config)}

    assert read_settings(environment).source_auth == auth_of(config)


@pytest.mark.parametrize(
    ("environment", "variable", "says"),
    [
        (ocean(AUTH_TYPE="oauth2"), "AUTH_TYPE", "`oauth2` is none of none, bearer"),
        (ocean(AUTH_TYPE="Bearer"), "AUTH_TYPE", "`Bearer` is none of none, bearer"),
        (ocean(AUTH_TYPE="bearer"), "API_TOKEN", "AUTH_TYPE bearer needs"),
        (ocean(AUTH_TYPE="basic_auth"), "USERNAME", "AUTH_TYPE basic needs"),
        (ocean(AUTH_TYPE="api_key"), "API_KEY", "AUTH_TYPE api_key needs"),
        (
            ocean(AUTH_TYPE="custom", CUSTOM_AUTH_REQUEST=json.dumps(REQUEST)),
            "CUSTOM_AUTH_REQUEST_TEMPLATE",
            "AUTH_TYPE custom needs",
        ),
        (
            ocean(AUTH_TYPE="custom", CUSTOM_AUTH_REQUEST="{", CUSTOM_AUTH_REQUEST_TEMPLATE=json.dumps(TEMPLATE)),
            "CUSTOM_AUTH_REQUEST",
            "is not JSON",
        ),
        (
            ocean(
                AUTH_TYPE="custom",
                CUSTOM_AUTH_REQUEST=json.dumps(REQUEST),
                CUSTOM_AUTH_REQUEST_TEMPLATE='{"headers": {"Authorization": "{{access_token}}"}}',
            ),
            "CUSTOM_AUTH_REQUEST_TEMPLATE",
            "headers.Authorization: `access_token` has no leading dot",
        ),
        (
            ocean(
                AUTH_TYPE="custom",
                CUSTOM_AUTH_REQUEST='{"endpoint": "/l", "method": "INVALID"}',
                CUSTOM_AUTH_REQUEST_TEMPLATE=json.dumps(TEMPLATE),
            ),
            "CUSTOM_AUTH_REQUEST",
            "method: Input should be",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_under_the_name_of_its_variable(
    environment: dict[str, str], variable: str, says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(environment)

    (problem,) = caught.value.problems
    assert problem.place == f"{OCEAN}{variable}"
    assert f"{OCEAN}{variable}" in problem.message
    assert says in problem.message


@pytest.mark.parametrize("text", ["{", '{"type": "nope"}', "5", '{"type": "bearer"}'])
def test_a_wrong_json_is_refused_under_its_own_name(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"PORTSYNC_SOURCE_AUTH": text} | ocean(AUTH_TYPE="bearer"))

    (problem,) = caught.value.problems
    assert problem.place == "PORTSYNC_SOURCE_AUTH"


def test_the_secrets_of_the_environment_are_known() -> None:
    environment = ocean(
        AUTH_TYPE="custom",
        CUSTOM_AUTH_REQUEST=json.dumps(REQUEST),
        CUSTOM_AUTH_REQUEST_TEMPLATE=json.dumps(TEMPLATE),
    )

    assert "pppp" in read_settings(environment).secrets()


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HOME": "/home/ada"}, "/home/ada/.local/state/portsync/tokens"),
        ({"HOME": "/home/ada", "XDG_STATE_HOME": "/state"}, "/state/portsync/tokens"),
        ({"HOME": "/home/ada", "PORTSYNC_STATE": "/data/portsync.db"}, "/data/portsync.db.tokens"),
        ({"HOME": "/home/ada", "PORTSYNC_STATE": "sqlite:////data/p.db"}, "/data/p.db.tokens"),
        ({"HOME": "/home/ada", "PORTSYNC_STATE": "postgresql://h/d"}, "/home/ada/.local/state/portsync/tokens"),
        ({"HOME": "/home/ada", "PORTSYNC_STATE": "none"}, None),
        ({}, None),
    ],
)
def test_refresh_tokens_are_kept_beside_the_state(environment: dict[str, str], folder: str | None) -> None:
    found = read_settings(environment).token_folder

    assert (None if found is None else str(found)) == folder


def test_a_process_without_home_has_its_users_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HOME")
    assert process_environment()["HOME"].startswith("/")

    monkeypatch.setenv("HOME", str(tmp_path))
    assert process_environment()["HOME"] == str(tmp_path)
