"""Files that are no configurations, or mean harm: a clear problem or a smaller mapping, never a traceback."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portsync.errors import ConfigError
from portsync.importing import imported
from portsync.mapping.loader import parse
from portsync.mapping.places import Document
from portsync.mapping.yaml_text import compose
from tests.importing.conftest import lost, of_text, stand_ins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.importing import Imported, System

HERE = Path(__file__).parent
BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)
SYSTEMS: tuple[System, ...] = ("ocean", "airbyte", "dlt")


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("just text", "is a text, not keys"),
        ("- a\n- b", "is a list, not keys"),
        ("a: [", "not YAML"),
        ("{a: 1, a: 2}", "second time"),
        ("a: !!python/object/apply:os.system [ls]", "no meaning"),
        ("? [a]\n: b", "a key has to be a text"),
        ("a: b", "is no "),
        ("streams: 5\nresources: 5\nclient: 5", "is no |nothing in it"),
        ("streams: []\nresources: []\nclient: {}", "nothing in it"),
        ("streams: [null, 5, x]\nresources: [null, 5, {}]\nclient: {}", "nothing in it"),
        (BOMB, "unfolds"),
        ("a: " + "[" * 500 + "]" * 500, "nests too deeply|unfolds"),
    ],
)
def test_what_is_no_configuration_is_said_so(system: System, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        of_text(system, text)

    assert error.value.exit_code == 2
    assert any(re.search(message, problem.message) for problem in error.value.problems)


def test_references_that_unfold_without_end_are_refused() -> None:
    definitions = {"d0": {"x": "y"}} | {
        f"d{n}": {"a": {"$ref": f"#/definitions/d{n - 1}"}, "b": {"$ref": f"#/definitions/d{n - 1}"}}
        for n in range(1, 30)
    }
    manifest = {"definitions": definitions, "streams": [{"$ref": "#/definitions/d29"}]}

    with pytest.raises(ConfigError, match="unfold"):
        of_text("airbyte", json.dumps(manifest))


def test_references_in_a_circle_are_listed() -> None:
    manifest = {
        "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"x": "#/definitions/a"}},
        "streams": ["#/definitions/a", *yaml.safe_load((HERE / "airbyte" / "ledger.yaml").read_text())["streams"][:2]],
    }

    result = of_text("airbyte", json.dumps(manifest))

    assert any("leads back to itself" in line for line in lost(result))
    assert len(result.document["resources"]) == 2


def test_resources_of_dlt_that_need_each_other_are_left_out() -> None:
    one = {"name": "a", "endpoint": {"path": "{resources.b.id}/x", "data_selector": "a"}}
    other = {"name": "b", "endpoint": {"path": "{resources.a.id}/y", "data_selector": "a"}}
    sound = {"name": "c", "endpoint": {"path": "c", "data_selector": "c", "paginator": "single_page"}}
    config = {"client": {"base_url": "https://a.example"}, "resources": [one, other, sound]}

    result = of_text("dlt", json.dumps(config))

    assert [resource["kind"] for resource in result.document["resources"]] == ["/c"]
    assert any("takes values from `b`" in line for line in lost(result))


ODD: list[Any] = [
    None,
    True,
    5,
    -1.5,
    "",
    "text",
    "{{ x",
    "{% if %}",
    "${X",
    [],
    [[]],
    {},
    {"type": "Nobody"},
    {"a": {"b": []}},
    "\u0000\ud83d",
]
FILES = [("airbyte", name) for name in ("forge.yaml", "helpdesk.yaml", "ledger.yaml")] + [
    ("dlt", name) for name in ("tracker.json", "feed.yaml", "shop.yaml")
] + [("ocean", name) for name in ("hubspot.yml", "zendesk.yml")]  # fmt: skip


def loaded(system: str, name: str) -> Any:
    return yaml.safe_load((HERE / system / name).read_text(encoding="utf-8").replace("\t", " "))


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in members:
        yield from paths(item, (*path, key))


def changed(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    found = deepcopy(document)
    here = found
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return found


def is_fine(system: System, document: Any) -> None:
    """A mapping that `check` takes, or a problem: both without a traceback, and without anything dropped in silence."""
    try:
        result = imported(system, ("file", json.dumps(document)))
    except ConfigError:
        return
    loaded_again = parse(result.text, Path("mapping.yaml"), stand_ins(result))
    assert loaded_again.file.resources


@pytest.mark.parametrize(("system", "name"), FILES, ids=[name for _, name in FILES])
def test_a_wrong_type_at_any_place_is_no_traceback(system: System, name: str) -> None:
    document = loaded(system, name)
    for number, path in enumerate(paths(document)):
        is_fine(system, changed(document, path, ODD[number % len(ODD)]))


@pytest.mark.parametrize(("system", "name"), FILES, ids=[name for _, name in FILES])
@given(data=st.data())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_several_wrong_things_at_once_are_no_traceback(system: System, name: str, data: st.DataObject) -> None:
    document = loaded(system, name)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(list(paths(document))))
        document = changed(document, path, data.draw(st.sampled_from(ODD) | st.text(max_size=8)))

    is_fine(system, document)


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=100)
def test_any_environment_file_is_read(text: str) -> None:
    mapping = (HERE / "ocean" / "hubspot.yml").read_text(encoding="utf-8")

    result = of_text("ocean", mapping, text + "\nOCEAN__INTEGRATION__CONFIG__BASE_URL=https://a.example\n")

    assert result.document["source"]["base_url"] == "https://a.example"


_FREE = frozenset(
    {
        "definitions", "spec", "schemas", "check", "$parameters", "request_parameters", "request_headers",
        "request_body_json", "refresh_request_body", "params", "json", "data", "headers", "columns",
        "access_token_request_data", "query_params", "properties", "relations", "path_parameters",
    }
)  # fmt: skip
"""What has members of any name."""


def closed(document: Any) -> Iterator[tuple[str | int, ...]]:
    """The paths of all mappings that have members of known names only."""
    for path in [(), *paths(document)]:
        here = document
        for part in path:
            here = here[part]
        # An entry of `definitions` has members of its own only where something refers to it.
        if isinstance(here, dict) and _FREE.isdisjoint(path[1:] if path[:1] == ("definitions",) else path):
            yield path


@pytest.mark.parametrize(("system", "name"), FILES, ids=[name for _, name in FILES])
def test_a_key_that_nobody_knows_is_listed_wherever_it_stands(system: System, name: str) -> None:
    document = loaded(system, name)
    found = [path for path in closed(document) if path != ("definitions",)]
    assert len(found) > 3
    for path in found:
        with_it = changed(document, (*path, "zzz"), 1)
        result = imported(system, ("file", json.dumps(with_it)))
        is_named = any("`zzz`" in note.message for note in result.notes)
        assert is_named or is_listed_as_a_whole(with_it, path, result), path


def is_listed_as_a_whole(document: Any, path: tuple[str | int, ...], result: Imported) -> bool:
    """Whether a note is about one of the mappings and lists that a path leads through."""
    composed = compose("file", json.dumps(document))
    assert isinstance(composed, Document)
    around = {str(composed.place(path[:length])) for length in range(1, len(path) + 1)}
    return any(note.place in around for note in result.notes)
