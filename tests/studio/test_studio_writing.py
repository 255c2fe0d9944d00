"""What a click writes: paths that lead to the value, and texts in which everything else stays as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.errors import ConfigError
from portsync.jq.compile import normalised
from portsync.mapping.loader import parse
from portsync.studio.paths import each_of, name_of, path_of
from portsync.studio.writing import blueprint_name
from portsync.studio.yaml_edits import with_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.studio.conftest import Studio

ODD_KEYS = ["a", "odd key", "it's", 'say "x"', "a.b", "0", "", "if", "ü", "\\(x)", "$ref", "@id", "#", "-", "\n", "end"]
KEYS = st.lists(st.one_of(st.sampled_from(ODD_KEYS), st.text(max_size=8), st.integers(0, 2)), max_size=4)
COMMENTED = """# what this is for
source: {base_url: https://a.test}   # the API

resources:
  - kind: /things  # all of them
    selector:
      query: 'true'
    port:
      entity:
        mappings:
          # who it is
          identifier: .id
          blueprint: '"thing"'
          properties:
            size: .size   # in bytes
            # nothing else yet

  - kind: /others
    port:
      entity:
        mappings:
        - identifier: .id
          blueprint: '"other"'
          properties:
        - identifier: .id + "-b"
          blueprint: '"other"'
          properties: {a: .a}
# the end
"""
FIRST = ("resources", 0, "port", "entity", "mappings")
SECOND = ("resources", 1, "port", "entity", "mappings")


def nested(keys: list[str | int], value: Any) -> Any:
    for key in reversed(keys):
        value = [None] * key + [value] if isinstance(key, int) else {key: value}
    return value


@settings(deadline=None)
@given(KEYS)
def test_a_path_leads_to_the_value_that_was_clicked_on_whatever_the_keys_are(keys: list[str | int]) -> None:
    record = nested(keys, "here")

    assert jq.compile(normalised(path_of(keys))).input_value(record).all() == ["here"]


@settings(deadline=None)
@given(KEYS.filter(lambda keys: any(isinstance(key, int) for key in keys)))
def test_the_path_of_every_element_gives_the_value_of_each(keys: list[str | int]) -> None:
    last = max(place for place, key in enumerate(keys) if isinstance(key, int))
    before, after = keys[:last], keys[last + 1 :]
    record = nested(before, [nested(after, number) for number in range(3)])

    expression = each_of(keys)

    assert expression is not None
    assert jq.compile(normalised(expression)).input_value(record).all() == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ([], "."),
        (["a", "b"], ".a.b"),
        (["a b"], '."a b"'),
        (["a", 0, "b"], ".a[0].b"),
        ([0], ".[0]"),
        (["if"], '."if"'),
    ],
)
def test_paths_read_as_a_person_would_write_them(keys: list[str | int], path: str) -> None:
    assert path_of(keys) == path


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["htmlUrl"], "html_url"),
        (["a", "odd key!"], "odd_key"),
        (["tags", 0], "tags"),
        ([0], "value"),
        (["Ü"], "value"),
    ],
)
def test_properties_get_names_that_port_takes(keys: list[str | int], name: str) -> None:
    assert name_of(keys) == name


@pytest.mark.parametrize(
    ("kind", "name"),
    [("/v1/repos?x=1", "repo"), ("/teams/{team}/members", "member"), ("/categories", "category"),
     ("/status", "status"), ("/data.json", "data"), ("/", "entity"), ("/{id}", "entity"), ("/series", "serie"),
     ("/user-groups", "user_group")],
)  # fmt: skip
def test_blueprints_are_named_after_the_endpoint(kind: str, name: str) -> None:
    assert blueprint_name(kind) == name


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("source", "auth"), {"type": "bearer", "token": "${X}"}),
        (("source", "base_url"), "https://b.test"),
        (("resources", 0, "selector", "data_path"), ".data"),
        (("resources", 0, "kind"), "/new: one # two"),
        ((*FIRST, "title"), '"a: " + .b'),
        ((*FIRST, "properties", "odd"), '."odd: key"'),
        ((*FIRST, "properties", "size"), ".bytes"),
        ((*FIRST, "relations", "team"), ".team.id"),
        ((*SECOND, 0, "properties", "a"), ".a"),
        ((*SECOND, 1, "properties", "b"), "[.x[].y]"),
        (("resources", 1, "selector", "pagination"), {"type": "page", "page_size": 10}),
        (("resources", 2), {"kind": "/third"}),
        (("context", "org"), {"path": "/org"}),
    ],
)
def test_a_value_is_put_in_and_every_other_line_stays(path: tuple[str | int, ...], value: Any) -> None:
    made = with_value(COMMENTED, path, value)

    before, after = yaml.safe_load(COMMENTED), yaml.safe_load(made)
    at: Any = after
    for part in path:
        at = at[part]
    assert at == value
    for line in COMMENTED.splitlines():
        touched = (
            line.startswith("source:") or f"{path[-1]}:" in line or line.rstrip().endswith(("properties:", "{a: .a}"))
        )
        assert line in made.splitlines() or touched, line
    put(before, path, value)
    assert after == before


def put(value: Any, path: tuple[str | int, ...], new: Any) -> None:
    *way, last = path
    for part, following in zip(way, path[1:], strict=True):
        if isinstance(value, dict) and value.get(part) is None:
            value[part] = [] if isinstance(following, int) else {}
        value = value[part]
    if isinstance(value, list) and last == len(value):
        value.append(new)
    else:
        value[last] = new


VALUES = st.one_of(
    st.text(max_size=12), st.sampled_from(["yes", "2026-01-01", "1", "null", "a: b", "- x", "# c", "a\nb", "'", " a "])
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["title", "icon", "team", "a", "odd key", "x:y"]), VALUES), max_size=6))
def test_whatever_is_put_in_can_be_read_again(pairs: list[tuple[str, str]]) -> None:
    text, wanted = "", {}
    for key, value in pairs:
        try:
            text = with_value(text, ("m", key), value)
        except ConfigError:
            continue  # a character that YAML does not have; the text is as it was
        wanted[key] = value

    assert yaml.safe_load(text) == ({"m": wanted} if wanted else None)


@pytest.mark.parametrize("text", ["a: [", "- 1", "a: 1\na: 2"])
def test_a_text_that_is_no_mapping_is_left_alone(text: str) -> None:
    with pytest.raises(ConfigError):
        with_value(text, ("b",), "x")


@pytest.mark.parametrize("text", ["a: text", "a: [1, 2]", "a: &x {b: 1}\nc: *x"])
def test_what_stands_in_the_way_is_not_written_over(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        with_value(text, ("a", "b", "c"), "x")

    assert refused.value.problems[0].code == "unwritable-place"


@pytest.mark.parametrize("text", ["a: &x {b: 1}\nc: *x", "a: &x\n  b: 1\nc: *x", "a: &x [1]\nc: {b: *x}"])
def test_an_alias_is_not_written_through(text: str) -> None:
    with pytest.raises(ConfigError):
        with_value(text, ("c", "b"), "2")


def test_the_steps_of_a_newcomer_write_a_mapping_that_check_takes(studio: Studio, tmp_path: Path) -> None:
    text = studio.ask("/api/connect", text="", base_url="https://a.test", auth="bearer", variable="A")["text"]
    made = studio.ask("/api/endpoint", text=text, kind="/repos", query_params={"q": "{{ now }}"})
    text, index = made["text"], made["index"]
    text = studio.ask("/api/place", text=text, index=index, role="data_path", keys=["data", "items"])["text"]
    for role, keys in (
        ("identifier", ["full name"]),
        ("title", ["name"]),
        ("property", ["a", "b"]),
        ("relation", ["t"]),
    ):
        text = studio.ask("/api/place", text=text, index=index, role=role, keys=keys)["text"]
    text = studio.ask("/api/place", text=text, index=index, role="property", keys=["l", 0, "n"], each=True)["text"]

    (resource,) = parse(text, tmp_path / "m.yaml", {"A": "x"}).file.resources
    (entity,) = resource.port.entity.mappings
    assert resource.selector.data_path == ".data.items"
    assert (entity.identifier, entity.title) == ('."full name"', ".name")
    assert entity.properties == {"b": ".a.b", "n": "[.l[].n]"}
    assert entity.relations == {"t": ".t"}


@pytest.mark.parametrize("auth", ["none", "bearer", "basic", "api_key"])
def test_no_way_of_connecting_writes_a_secret(studio: Studio, tmp_path: Path, auth: str) -> None:
    studio.ask("/api/value", name="K", value="the-secret-itself")
    asked = {"base_url": "https://a.test", "auth": auth, "variable": "K", "username": "ada", "header": "X-K"}

    text = studio.ask("/api/connect", text="", **asked)["text"]

    assert "the-secret-itself" not in text
    whole = (
        f"{text}resources: [{{kind: /a, port: {{entity: {{mappings: {{identifier: .id, blueprint: '\"a\"'}}}}}}}}]\n"
    )
    assert parse(whole, tmp_path / "m.yaml", {"K": "v"}).file.source.auth is not None


@pytest.mark.parametrize(
    "base_url", ["ftp://a.test", "https://ada:pw@a.test", "https://a.test?x=1", "a.test", "https://a b"]
)
def test_a_base_url_that_is_none_is_refused_in_words(studio: Studio, base_url: str) -> None:
    answer = studio.post("/api/connect", text="", base_url=base_url, auth="none")

    assert answer.status_code == 422
    assert "the base URL" in answer.json()["problems"][0]["message"]
    assert "pw" not in answer.text


def test_the_form_gets_references_as_they_are_written(studio: Studio, things: Callable[..., str]) -> None:
    text = things(selector='query_params: {key: "${SRC_TOKEN}"}')

    assert studio.ask("/api/endpoint-of", text=text) == {
        "kind": "/things", "method": "GET", "pagination": None, "query_params": [["key", "${SRC_TOKEN}"]],
    }  # fmt: skip
    assert json.dumps(studio.ask("/api/endpoint-of", text="[", index=3)["kind"]) == '""'
