"""The JSON Schema that editors get takes what the loader takes, and marks what it does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from portsync.mapping.loader import parse
from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

MAPPINGS = sorted(path for path in (shipped_folder() / "mappings").rglob("*.yaml") if ".test" not in path.suffixes)
GOOD = """
createMissingRelatedEntities: false
delete_dependent_entities: false
source:
  base_url: https://api.example.com
  auth: {type: api_key, key: abcdefgh, header: X-Key}
  timeout: 30
  pagination: {type: offset, page_size: 10}
resources:
  - kind: /things
    selector:
      query: true
      body: {since: "{{ now }}"}
      query_params: {a: [x, 1], b: true}
    port:
      itemsToParse: .items
      entity:
        mappings:
          - {identifier: .id, blueprint: "'thing'", properties: {n: 5, t: .t}}
          - {identifier: {combinator: "'and'", rules: []}, blueprint: "'thing'"}
"""


@pytest.fixture
def validator(portsync: Callable[..., Run]) -> Any:
    schema = json.loads(portsync("schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_key_has_a_description_of_its_own(portsync: Callable[..., Run]) -> None:
    schema = json.loads(portsync("schema").out)
    sections = {"the file": schema, **schema["$defs"]}
    bare = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, about in section.get("properties", {}).items()
        if about.get("description", "a JQ expression") == "a JQ expression"
    ]

    assert bare == []
    assert all(section.get("description") for section in sections.values())


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_the_shipped_mappings_are_valid(path: Path, validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))] == []


LOGIN = "{type: custom, request: {endpoint: /login, bodyForm: {a: 1}}, template: {queryParams: {t: '{{.t}}'}}}"


@pytest.mark.parametrize("text", [GOOD, GOOD.replace("{type: api_key, key: abcdefgh, header: X-Key}", LOGIN)])
def test_what_the_loader_takes_is_valid(text: str, validator: Any, tmp_path: Path) -> None:
    parse(text, tmp_path / "m.yaml", {})

    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    ("good", "wrong"),
    [
        ("kind:", "knd:"),
        ("query:", "qery:"),
        ("type: offset", "type: ofset"),
        ("timeout: 30", "timeout: soon"),
        ("identifier: .id", "id: .id"),
    ],
)
def test_a_mistake_is_marked(good: str, wrong: str, validator: Any) -> None:
    assert list(validator.iter_errors(yaml.safe_load(GOOD.replace(good, wrong, 1))))


@pytest.mark.parametrize(
    ("section", "key", "begins"),
    [
        ("Selector", "data_path", "JQ from the answer's body to its records"),
        ("CursorPagination", "max_pages", "The most pages that are read"),
        ("LoginTemplate", "body", "Joined to a body that is a JSON object or a form"),
    ],
)
def test_the_text_below_a_field_is_the_description_of_its_key(
    section: str, key: str, begins: str, portsync: Callable[..., Run]
) -> None:
    properties = json.loads(portsync("schema").out)["$defs"][section]["properties"]

    assert properties[key]["description"].startswith(begins)
