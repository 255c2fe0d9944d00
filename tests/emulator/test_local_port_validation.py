"""Entity values against the blueprint's properties, and that the quick checks agree with the library's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from portsync.emulator.formats import STRING_FORMATS, format_checker
from portsync.emulator.identifiers import is_entity_identifier
from portsync.emulator.validation import quick_check

if TYPE_CHECKING:
    import httpx

STRING = {"type": "string"}


def formatted(name: str) -> dict[str, str]:
    return {"type": "string", "format": name}


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        (STRING, 1, '"properties.p" must be string'),
        ({"type": "number"}, "1", '"properties.p" must be number'),
        ({"type": "number"}, True, '"properties.p" must be number'),
        ({"type": "boolean"}, 1, '"properties.p" must be boolean'),
        ({"type": "object"}, [], '"properties.p" must be object'),
        ({"type": "array"}, {}, '"properties.p" must be array'),
        ({"type": "array", "items": STRING}, ["a", 1], '"properties.p.1" must be string'),
        ({"type": "string", "enum": ["a"]}, "b", '"properties.p" must be equal to one of the allowed values'),
        ({"type": "number", "enum": [1]}, 2, '"properties.p" must be equal to one of the allowed values'),
        ({"type": "string", "pattern": "^a"}, "b", '"properties.p" must match pattern "^a"'),
        ({"type": "string", "minLength": 2}, "a", '"properties.p" must NOT have fewer than 2 characters'),
        ({"type": "string", "maxLength": 2}, "abc", '"properties.p" must NOT have more than 2 characters'),
        ({"type": "number", "minimum": 1}, 0, '"properties.p" must be >= 1'),
        ({"type": "number", "maximum": 1}, 2, '"properties.p" must be <= 1'),
        ({"type": "number", "exclusiveMinimum": 1}, 1, '"properties.p" must be > 1'),
        ({"type": "number", "exclusiveMaximum": 1}, 1, '"properties.p" must be < 1'),
        ({"type": "array", "minItems": 1}, [], '"properties.p" must NOT have fewer than 1 items'),
        ({"type": "array", "maxItems": 1}, [1, 2], '"properties.p" must NOT have more than 1 items'),
        ({"type": "array", "uniqueItems": True}, [1, 1], '"properties.p" must NOT have duplicate items'),
        (formatted("url"), "nothing", '"properties.p" must match format "url"'),
        (formatted("date-time"), "2025-01-01", '"properties.p" must match format "date-time"'),
        ({"type": "string", "required": True, "$ref": "#/no"}, "a", None),
        ({"type": "string", "default": "x", "enumColors": {"a": "red"}}, "a", None),
        ({"type": "array", "items": formatted("url")}, ["https://port.test"], None),
        ({"type": "object"}, {"any": [1]}, None),
        (formatted("markdown"), "# any", None),
    ],
)
def test_a_value_fits_its_property_or_the_place_and_rule_are_named(
    port: httpx.Client, schema: dict[str, Any], value: Any, message: str | None
) -> None:
    blueprint = {"identifier": "b", "title": "B", "schema": {"properties": {"p": schema}}}
    assert port.post("/blueprints", json=blueprint).status_code == 201
    answer = port.post("/blueprints/b/entities", json={"identifier": "e", "properties": {"p": value}})
    if message is None:
        assert answer.status_code == 201
        assert answer.json()["entity"]["properties"] == {"p": value}
    else:
        assert (answer.status_code, answer.json()["error"]) == (422, "blueprint_schema_mismatch")
        assert answer.json()["message"] == message


def test_all_failures_of_an_entity_are_told_at_once(records: httpx.Client) -> None:
    answer = records.post("/blueprints/record/entities", json={"properties": {"cost": "1", "done": 0}})
    assert answer.json()["message"] == (
        '"properties.cost" must be number, "properties.done" must be boolean, '
        "\"properties\" must have required property 'day'"
    )


def test_an_unknown_property_is_refused_even_when_null(records: httpx.Client) -> None:
    entity = {"properties": {"day": "2025-01-01T00:00:00Z", "b": None, "a": 1}}
    answer = records.post("/blueprints/record/entities", json=entity)
    assert answer.status_code == 422
    assert answer.json()["message"] == '"properties" must NOT have additional properties (a, b)'


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "date-time",
            [
                "2025-01-01T00:00:00Z",
                "2024-02-29t23:59:59.123456789z",
                "2025-01-01T00:00:00+05:30",
                "2016-12-31T23:59:60Z",
                "2017-01-01T01:59:60+02:00",
            ],
            [
                "2025-01-01",
                "2025-01-01T00:00:00",
                "2025-01-01 00:00:00Z",
                "2025-02-29T00:00:00Z",
                "2025-01-01T24:00:00Z",
                "2025-01-01T12:00:60Z",
                "2025-01-01T00:00Z",
                "2025-01-01T00:00:00+0530",
                "2025-01-01T00:00:00Z\n",
                "२०२५-01-01T00:00:00Z",
                "0001-01-01T00:00:00+01:00",
            ],
        ),
        ("timer", ["2025-01-01T00:00:00Z"], ["tomorrow"]),
        ("url", ["https://port.test/a?b#c", "ftp://host"], ["port.test", "https://", "https://a b", ""]),
        ("email", ["a.b+c@port.test"], ["a", "a@", "@b", "a@b@c", "a b@c", ".a@b", "é@port.test"]),
        ("user", ["ann@example.com"], ["ann"]),
        ("idn-email", ["é@port.test"], ["é", "a b@c"]),
        ("ipv4", ["127.0.0.1"], ["127.0.0", "256.0.0.1", "::1"]),
        ("ipv6", ["::1"], ["127.0.0.1", ":::"]),
        ("yaml", ["a: 1", ""], ["a: [", "a: b: c"]),
    ],
)
def test_formats_are_strict(name: str, good: list[str], bad: list[str]) -> None:
    holds = STRING_FORMATS[name]
    assert [text for text in good if not holds(text)] == []
    assert [text for text in bad if holds(text)] == []


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a-b_c.d+e@f:g\\h/i=j0", True),
        ("größe日本", True),
        ("...", True),
        ("x" * 1000, True),
        ("x" * 1001, False),
        (".", False),
        ("..", False),
        ("", False),
        ("a b", False),
        ("a#b", False),
        ("a%b", False),
        ("a|b", False),
        ("a\n", False),
        ("é\n", False),
        ("٣", False),
        ("a\u0301", False),
    ],
)
def test_entity_identifiers_take_letters_of_any_script_and_few_signs(text: str, fits: bool) -> None:
    assert is_entity_identifier(text) is fits


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["2025-01-01T00:00:00Z", "https://port.test", "a@b.c", "::1", "127.0.0.1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
_SCHEMAS = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "number", "boolean", "object", "array"])},
    optional={
        "format": st.sampled_from([*STRING_FORMATS, "markdown", "team"]),
        "enum": st.lists(st.integers() | st.text(max_size=3) | st.booleans(), min_size=1, max_size=3),
        "minimum": st.integers(-3, 3),
        "maxLength": st.integers(0, 5),
        "uniqueItems": st.booleans(),
    },
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schema=_SCHEMAS, value=_VALUES)
def test_the_quick_check_agrees_with_the_library(schema: dict[str, Any], value: Any) -> None:
    checker = format_checker()
    slow = Draft202012Validator(schema, format_checker=checker).is_valid(value)
    assert quick_check(schema, checker)(value) is slow


def test_several_missing_properties_are_each_told_once(port: httpx.Client) -> None:
    schema = {"properties": {"p": STRING, "q": STRING}, "required": ["p", "q"]}
    port.post("/blueprints", json={"identifier": "b", "title": "B", "schema": schema})
    assert port.post("/blueprints/b/entities", json={}).json()["message"] == (
        "\"properties\" must have required property 'p', must have required property 'q'"
    )
