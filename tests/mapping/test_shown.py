"""What Port's page shows of a mapping: what was written, and nothing that can be secret."""

from __future__ import annotations

import json
from pathlib import Path

from portsync.logs import Redactor
from portsync.mapping.loader import LoadedMapping, parse
from portsync.mapping.shown import shown_config
from portsync.shipped import shipped_folder

MAPPING = """
source:
  base_url: https://api.example.com
  auth: {type: bearer, token: "${SRC_TOKEN}"}
context:
  org: {path: "/org?x=${SRC_TOKEN}"}
create_missing_related_entities: false
deleteDependentEntities: true
resources:
  - kind: /things
    selector:
      query: .status == "on"
      method: POST
      headers:
        Authorization: Bearer ${SRC_TOKEN:fallback-secret}
        X-Api-Key: literal-key-5d1f
        X-Odd-Key: odd-key-77aa
        X-Version: "2"
        X-Where: ${PLACE:here}
      query_params: {access_token: "literal-token-91bc", "ids[]": [1, 2], since: 2026-01-02, as: "${PLACE}"}
      body: '{"client_secret": "literal-body-3e", "other": "plain", password: "it''s", "token": "${SRC_TOKEN}"}'
      on_status: {403: skip}
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"thing"'
          properties: {api_token: .token, password: '"${NOT_A_REFERENCE}"'}
  - kind: /others
    selector:
      body: {filter: {password: "literal-nested-0c"}, size: 5}
      path_parameters: {}
    port: {entity: {mappings: {identifier: .id, blueprint: '"thing"', title: '"known-secret-value"'}}}
"""
ENVIRONMENT = {"SRC_TOKEN": "value-of-token-1a2b", "PLACE": "value-of-place"}


def loaded(text: str = MAPPING) -> LoadedMapping:
    return parse(text, Path("m.yaml"), ENVIRONMENT)


def test_nothing_secret_and_nothing_from_the_environment_is_in_it() -> None:
    text = json.dumps(shown_config(loaded(), Redactor(["known-secret-value"])))

    for secret in (
        *ENVIRONMENT.values(), "fallback-secret", "literal-key", "odd-key", "literal-token", "literal-body", "it's",
        "literal-nested", "known-secret-value", "api.example.com",
    ):  # fmt: skip
        assert secret not in text


def test_everything_else_is_as_it_was_written() -> None:
    config = shown_config(loaded(), Redactor())

    assert set(config) == {"createMissingRelatedEntities", "deleteDependentEntities", "resources"}
    first, second = config["resources"]
    assert first == {
        "kind": "/things",
        "selector": {
            "query": '.status == "on"',
            "method": "POST",
            "headers": {
                "Authorization": "Bearer ${SRC_TOKEN}",
                "X-Api-Key": "***",
                "X-Odd-Key": "***",
                "X-Version": "2",
                "X-Where": "${PLACE:here}",
            },
            "query_params": {"access_token": "***", "ids[]": [1, 2], "since": "2026-01-02", "as": "${PLACE}"},
            "body": '{"client_secret": "***", "other": "plain", password: "***", "token": "${SRC_TOKEN}"}',
            "on_status": {"403": "skip"},
        },
        "port": {
            "entity": {
                "mappings": {
                    "identifier": ".id",
                    "blueprint": '"thing"',
                    "properties": {"api_token": ".token", "password": '"${NOT_A_REFERENCE}"'},
                }
            }
        },
    }
    assert second["selector"] == {"body": {"filter": {"password": "***"}, "size": 5}, "path_parameters": {}}


def test_the_shipped_mapping_is_shown_whole() -> None:
    path = shipped_folder() / "mappings" / "claude.yaml"
    mapping = parse(path.read_text(encoding="utf-8"), path, {"ANTHROPIC_API_KEY": "sk-ant-1234"})

    config = shown_config(mapping, Redactor())

    assert [resource["kind"] for resource in config["resources"]] == [r.kind for r in mapping.file.resources]
    assert [resource["selector"]["body"] for resource in config["resources"]] == [
        r.selector.body for r in mapping.file.resources
    ]
    assert "***" not in json.dumps(config)
