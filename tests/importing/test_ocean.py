"""What an import from Ocean says beside the mapping: the defects that nobody may have noticed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.importing.conftest import lost, of_text, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.importing import Imported

CONFIG = "OCEAN__INTEGRATION__CONFIG__"
BASE = {f"{CONFIG}BASE_URL": "https://api.example.com"}


def resource(**selector: Any) -> dict[str, Any]:
    mapping = {"identifier": ".id", "blueprint": '"thing"', "properties": {"a": ".a"}}
    kind = selector.pop("kind", "/things")
    return {"kind": kind, "selector": {"query": "true", **selector}, "port": {"entity": {"mappings": mapping}}}


def ocean(*resources: Any, env: dict[str, str] | None = None, **switches: Any) -> Imported:
    text = yaml.safe_dump({**switches, "resources": list(resources or [resource()])}, sort_keys=False)
    lines = "\n".join(f"{name}={value}" for name, value in (env or {}).items())
    return of_text("ocean", text, None if env is None else lines)


def config(**names: str) -> dict[str, str]:
    return BASE | {f"{CONFIG}{name}": value for name, value in names.items()}


PAGING: list[tuple[dict[str, str], str, dict[str, Any]]] = [
    ({"PAGINATION_TYPE": "offset"}, "parameter called `None`", {"type": "offset"}),
    ({"PAGINATION_TYPE": "offset", "PAGINATION_PARAM": "o", "SIZE_PARAM": "l"}, "never ends", {"offset_param": "o"}),
    ({"PAGINATION_TYPE": "page", "START_PAGE": "0", "PAGE_SIZE": "10"}, "`None`", {"start_page": 0, "page_size": 10}),
    (
        {"PAGINATION_TYPE": "page", "PAGINATION_PARAM": "p", "SIZE_PARAM": "s"},
        "ends after the first page",
        {"page_param": "p", "size_param": "s"},
    ),
    (
        {"PAGINATION_TYPE": "cursor", "CURSOR_PATH": "meta.next"},
        "without HAS_MORE_PATH",
        {"cursor_path": "(.meta.next)? // null"},
    ),
    (
        {"PAGINATION_TYPE": "next_link", "NEXT_LINK_PATH": "links.next"},
        "sends it your credentials",
        {"next_link_path": "(.links.next)? // null"},
    ),
]


@pytest.mark.parametrize(("names", "message", "expected"), PAGING)
def test_paging_is_brought_over_and_what_ocean_did_wrong_is_said(
    names: dict[str, str], message: str, expected: dict[str, Any], check: Callable[[Imported], None]
) -> None:
    result = ocean(env=config(**names))

    assert result.document["source"]["pagination"] | expected == result.document["source"]["pagination"]
    assert message in said(result)
    assert result.is_whole
    check(result)


def test_an_unknown_type_of_paging_is_lost() -> None:
    result = ocean(env=config(PAGINATION_TYPE="magic"))

    assert "pagination" not in result.document["source"]
    assert not result.is_whole


AUTH: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"AUTH_TYPE": "none"}, {"type": "none"}),
    ({"AUTH_TYPE": "bearer_token", "API_TOKEN": "s3cret-1"}, {"type": "bearer", "token": f"${{{CONFIG}API_TOKEN}}"}),
    (
        {"AUTH_TYPE": "basic", "USERNAME": "ada", "PASSWORD": "s3cret-1"},
        {"type": "basic", "username": "ada", "password": f"${{{CONFIG}PASSWORD}}"},
    ),
    (
        {"AUTH_TYPE": "api_key", "API_KEY": "s3cret-1", "API_KEY_HEADER": "X-Key"},
        {"type": "api_key", "key": f"${{{CONFIG}API_KEY}}", "header": "X-Key"},
    ),
]


@pytest.mark.parametrize(("names", "auth"), AUTH)
def test_secrets_stay_in_their_variables(
    names: dict[str, str], auth: dict[str, Any], check: Callable[[Imported], None]
) -> None:
    result = ocean(env=config(**names))

    assert result.document["source"]["auth"] == auth
    assert "s3cret" not in result.text + str(result.notes)
    assert set(result.variables) == {f"{CONFIG}{name}" for name, value in names.items() if value == "s3cret-1"}
    check(result)


def test_a_token_under_secrets_is_found_and_bearer_is_said_to_send_it_now() -> None:
    env = config(AUTH_TYPE="bearer") | {"OCEAN__INTEGRATION__SECRETS__TOKEN": "s3cret-1"}

    result = ocean(env=env)

    assert result.document["source"]["auth"]["token"] == "${OCEAN__INTEGRATION__SECRETS__TOKEN}"
    assert "Ocean sends no credentials" in said(result)


def test_an_authentication_that_ocean_does_not_know_is_lost() -> None:
    result = ocean(env=config(AUTH_TYPE="oauth2"))

    assert "auth" not in result.document["source"]
    assert any("`oauth2` is none of" in line for line in lost(result))


def test_the_secrets_within_a_login_become_variables(check: Callable[[Imported], None]) -> None:
    request = {"endpoint": "/token", "bodyForm": {"client_id": "me", "client_secret": "s3cret-1"}}
    template = {"headers": {"Authorization": "Bearer {{.access_token}}"}}
    env = config(
        AUTH_TYPE="custom", CUSTOM_AUTH_REQUEST=json.dumps(request), CUSTOM_AUTH_REQUEST_TEMPLATE=json.dumps(template)
    )

    result = ocean(env=env)

    auth = result.document["source"]["auth"]
    assert auth["request"]["bodyForm"] == {"client_id": "me", "client_secret": "${SOURCE_CLIENT_SECRET}"}
    assert auth["template"] == template
    assert "s3cret" not in result.text + str(result.notes)
    check(result)


def test_limits_headers_and_switches_are_brought_over(check: Callable[[Imported], None]) -> None:
    env = config(
        TIMEOUT="45",
        VERIFY_SSL="false",
        MAX_CONCURRENT_REQUESTS="20",
        CUSTOM_HEADERS='{"X-A": "b", "X-Api-Key": "k-1"}',
    )

    result = ocean(
        env=env, create_missing_related_entities=False, entityDeletionThreshold=0.5, deleteDependentEntities=True
    )

    source = result.document["source"]
    assert (source["timeout"], source["verify_tls"], source["concurrency"]) == (45, False, 20)
    assert source["headers"] == {"X-A": "b", "X-Api-Key": "${SOURCE_X_API_KEY}"}
    assert result.document["createMissingRelatedEntities"] is False
    assert result.document["entityDeletionThreshold"] == 0.5
    for message in ("Ocean ignores it", "Ocean drops these headers", "never goes beyond 10"):
        assert message in said(result)
    assert "Ocean's code takes it for true" not in said(result)
    check(result)


@pytest.mark.parametrize(
    "names",
    [{"TIMEOUT": "soon"}, {"VERIFY_SSL": "maybe"}, {"MAX_CONCURRENT_REQUESTS": "all"}, {"CUSTOM_HEADERS": "[1]"}],
)
def test_a_setting_that_makes_no_sense_is_lost(names: dict[str, str]) -> None:
    result = ocean(env=config(**names))

    assert len(lost(result)) == 1
    assert result.document["source"] == {"base_url": "https://api.example.com"}


def test_what_becomes_of_every_other_variable_is_said() -> None:
    env = config(OFFSET_PARAM="o", NEVER_HEARD_OF="x") | {
        "OCEAN__PORT__CLIENT_SECRET": "s3cret-1",
        "OCEAN__CLIENT_TIMEOUT": "60",
        "OCEAN__ODD": "1",
        "MY_TOKEN": "s3cret-2",
        "TZ": "UTC",
    }

    result = ocean(env=env)

    for message in ("PAGINATION_PARAM is the name that counts", "NEVER_HEARD_OF is left out", "CLIENT_SECRET stays in"):
        assert message in said(result)
    assert "`source.timeout` has the time-outs" in said(result)
    assert "MY_TOKEN is not in the mapping" in said(result)
    assert [line.partition(" ")[2] for line in lost(result)] == ["OCEAN__ODD has no counterpart in portsync"]
    assert "s3cret" not in result.text + str(result.notes)


def test_without_a_file_of_variables_nothing_is_taken_from_anywhere_else() -> None:
    result = ocean()

    assert "source" not in result.document
    assert "not in this file" in said(result)
    assert result.is_whole


RESOURCES: list[tuple[dict[str, Any], str]] = [
    (resource(kind="/a?b=c"), "Ocean drops it"),
    (resource(query=True), "Ocean reads `True`"),
    (resource(data_path=".items[]"), "Ocean takes the first one alone"),
    (resource(body='{"a": now}', method="post"), "Ocean sends this text itself"),
    (resource(body={"a": "{{ now }}"}, method="POST"), "marks JQ here"),
    (resource(query_params={"since": "now - 86400 | todate"}), "looks like JQ"),
    (resource(query_params={"since": None}), "is sent empty"),
    (resource(endpoint="/other"), "`endpoint` is left out"),
    (
        resource(kind="/o/{a}/{b}", path_parameters={n: {"endpoint": "/x", "field": ".id"} for n in "ab"}),
        "first parameter alone",
    ),
    (resource(kind="/o/{a}", path_parameters={"a": {"endpoint": "/x", "field": ".id"}}), "finds no values"),
    ({**resource(), "enableDelete": False}, "counts from now on"),
    ({**resource(), "includedFiles": ["a"]}, "`includedFiles` is left out"),
]


@pytest.mark.parametrize(("given", "message"), RESOURCES)
def test_what_a_resource_did_without_a_word_is_said(
    given: dict[str, Any], message: str, check: Callable[[Imported], None]
) -> None:
    result = ocean(given, env=BASE)

    assert message in said(result)
    assert result.is_whole
    check(result)


def test_the_body_and_parameters_that_ocean_never_rendered_are_rendered(check: Callable[[Imported], None]) -> None:
    result = ocean(resource(query_params={"since": "now - 86400 | todate"}), {**resource(), "enableDelete": False})

    first, second = result.document["resources"]
    assert first["selector"]["query_params"] == {"since": "{{ now - 86400 | todate }}"}
    assert second["selector"]["delete_stale"] is False
    check(result)


@pytest.mark.parametrize("code", ["env.HOME", "$ENV.HOME", ".a + env.B", "env | keys"])
def test_an_expression_that_reads_the_environment_is_lost(code: str) -> None:
    given = resource()
    given["port"]["entity"]["mappings"]["properties"]["b"] = code

    assert any("reads the environment" in line for line in lost(ocean(given)))


@pytest.mark.parametrize("code", [".env", '"$ENV"', ".a.env.b", '{"env": 1}', ". as $env | $env"])
def test_a_field_called_env_is_no_environment(code: str) -> None:
    given = resource()
    given["port"]["entity"]["mappings"]["properties"]["b"] = code

    assert lost(ocean(given)) == []


def test_keys_that_ocean_passes_over_are_said_with_what_they_may_have_meant() -> None:
    given = resource()
    given["port"]["entity"]["mappings"]["relation"] = {"a": ".a"}

    result = ocean(given, deleteDependentEntitys=True)

    assert "`relation` is left out" in said(result)
    assert {note.hint for note in result.notes} >= {
        "did you mean `relations`?", "did you mean `deleteDependentEntities`?",
    }  # fmt: skip


def test_jq_that_does_not_compile_is_left_out_with_its_place_and_the_rest_stays(
    check: Callable[[Imported], None],
) -> None:
    text = """
resources:
  - kind: /a
    selector: {query: 'true'}
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"a"'
          properties:
            good: .good
            bad: .bad +
  - kind: /b
    selector: {query: 'true'}
    port: {entity: {mappings: {identifier: '.id |', blueprint: '"b"'}}}
"""

    result = of_text("ocean", text)

    assert [resource["kind"] for resource in result.document["resources"]] == ["/a"]
    assert result.document["resources"][0]["port"]["entity"]["mappings"]["properties"] == {"good": ".good"}
    assert [line.split()[0] for line in lost(result)] == ["12:18", "15:44"]
    assert "# - file:12:18:" in result.text
    check(result)
