"""Calculations that loop, fill the memory or look around: the local Port goes on, and their value is null."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.emulator.blueprints import blueprint, completed
from portsync.emulator.calculations.evaluation import Calculations
from portsync.emulator.calculations.fenced import Fence
from portsync.emulator.calculations.tame import LONGEST, is_tame, properties_read

if TYPE_CHECKING:
    import httpx

ENTITIES = "/blueprints/usage/entities"


def calculating(**programs: str) -> dict[str, Any]:
    return {
        "identifier": "usage",
        "title": "Usage",
        "schema": {"properties": {"total": {"type": "number"}, "text": {"type": "string"}, "tree": {"type": "object"}}},
        "calculationProperties": {
            name: {"type": "string", "calculation": program} for name, program in programs.items()
        },
    }


def evaluated(program: str, **entity: Any) -> Any:
    """What a program makes of an entity, wherever it runs."""
    made = Calculations(blueprint(completed(calculating(c=program)), "1"), Fence(), lambda: 1_735_732_800.0)
    (values,) = made.values([entity])
    return values["c"]


def read(port: httpx.Client) -> dict[str, Any]:
    found = port.get(f"{ENTITIES}/e").json()["entity"]["properties"]
    assert isinstance(found, dict)
    return found


def test_a_calculation_that_never_ends_costs_one_deadline_and_the_others_have_their_values(port: httpx.Client) -> None:
    body = calculating(endless="def f: f; f", long="[range(3)] | length", plain=".properties.total + 1")
    assert port.post("/blueprints", json=body).status_code == 201
    entities = [{"identifier": f"e{number}", "properties": {"total": number}} for number in range(20)]
    assert port.post(f"{ENTITIES}/bulk", json={"entities": entities}).status_code == 200
    started = time.monotonic()
    for _ in range(3):
        found = port.get(ENTITIES).json()["entities"]
        assert [each["properties"]["plain"] for each in found] == [each["properties"]["total"] + 1 for each in found]
        assert {each["properties"]["long"] for each in found} == {3}
        assert {each["properties"]["endless"] for each in found} == {None}
    # Entity by entity, or read by read, it would be sixty deadlines.
    assert time.monotonic() - started < 6


def test_what_was_given_up_is_known_with_its_reason() -> None:
    made = Calculations(blueprint(completed(calculating(c="def f: f; f")), "1"), Fence(), lambda: 0.0)
    assert made.may_wait
    assert made.values([{}, {}]) == [{"c": None}, {"c": None}]
    assert "did not end" in made.given_up["c"]
    assert not made.may_wait


def test_a_changed_calculation_has_a_new_chance(port: httpx.Client) -> None:
    port.post("/blueprints", json=calculating(c="[limit(3; repeat(1))] | repeat(.)  | select(false)"))
    port.post(ENTITIES, json={"identifier": "e"})
    assert read(port) == {"c": None}
    port.patch(
        "/blueprints/usage", json={"calculationProperties": {"c": {"type": "number", "calculation": "first(1)"}}}
    )
    assert read(port) == {"c": 1}


@pytest.mark.parametrize(
    "program",
    [
        "[range(1e9)]",
        '"x" * 1e9',
        "[limit(100000; repeat(1))] | tojson",
        "[recurse(if . == null then 1 else . + 1 end)]",
        'reduce range(100) as $i ("xx"; . + .)',
        ".[1e9] = 1",
    ],
)
def test_a_value_that_is_too_large_is_null(program: str) -> None:
    assert evaluated(program) is None


@pytest.mark.parametrize(
    ("program", "value"),
    [
        ("env", {}),
        ("$ENV", {}),
        ("$ENV.PATH", None),
        ("input", None),
        ("[inputs]", None),
        ("input_filename", None),
        ("debug", {"total": 1}),
        ("stderr", {"total": 1}),
        ("halt", None),
        ("halt_error", None),
        ('"x" | halt_error(3)', None),
        ('import "a" as a; 1', None),
        ('include "a"; 1', None),
        ("get_search_list", []),
        ('try error("x") catch .', "x"),
        ("def f: 7; f", 7),
        (".total as $n | $n + 1", 2),
        ("now | floor", 1_735_732_800),
        # What would only be a program together with what stands around it.
        ("1) | (2", None),
        ("1; def x: 2", None),
        ("empty, 5", 5),
        ("empty | .., 1", None),
    ],
)
def test_nothing_is_to_be_reached_behind_the_fence(program: str, value: Any) -> None:
    assert evaluated(program, total=1) == value


def test_a_result_nested_too_deep_is_null_wherever_it_is_made(port: httpx.Client) -> None:
    port.post(
        "/blueprints", json=calculating(here="[" * 250 + "1" + "]" * 250, there="reduce range(250) as $i (1; [.])")
    )
    port.post(ENTITIES, json={"identifier": "e"})
    assert read(port) == {"here": None, "there": None}


def test_an_integer_beyond_64_bits_is_no_error(port: httpx.Client) -> None:
    port.post("/blueprints", json=calculating(here="18446744073709551616", there="first(18446744073709551616)"))
    port.post(ENTITIES, json={"identifier": "e"})
    found = read(port)
    assert found["here"] is None or found["here"] == 2**64
    assert found["there"] is None or found["there"] == 2**64


@pytest.mark.parametrize("depth", [235, 250, 300, 900])
def test_an_object_nested_too_deep_is_refused_and_not_an_error(port: httpx.Client, depth: int) -> None:
    port.post("/blueprints", json=calculating())
    tree: dict[str, Any] = {}
    for _ in range(depth):
        tree = {"a": tree}
    body = {"identifier": "e", "properties": {"tree": tree}}
    answer = port.post(ENTITIES, json=body)
    assert (answer.status_code, depth) in {(201, 235), (422, depth)}
    if answer.status_code == 201:
        assert read(port)["tree"] == tree
        assert port.post("/entities/search", json={"combinator": "and", "rules": []}).status_code == 200
    else:
        assert answer.json()["message"] == '"body" must NOT be nested that deep (limit is 240 levels)'
        assert port.post(f"{ENTITIES}/bulk", json={"entities": [body]}).status_code == 422


def test_a_large_entity_goes_behind_the_fence_with_all_its_calculations(port: httpx.Client) -> None:
    port.post(
        "/blueprints", json=calculating(size=".properties.text | length", many="(.properties.text + .properties.text)")
    )
    port.post(ENTITIES, json={"identifier": "e", "properties": {"text": "x" * 100_000}})
    found = read(port)
    assert (found["size"], found["many"]) == (100_000, None)


@pytest.mark.parametrize(
    ("program", "tame"),
    [
        (".properties | (.total - .failed) / .total", True),
        ('if .a >= 1 and (.b | not) then "x" else .c // "y" end', True),
        (".a * 100", True),
        ('.a | "\\(.b) of \\(.c)"', True),
        (".a[0:3]", True),
        (".range.def.env", True),
        ('.["a b"]', True),
        ('.a | split(",")', True),
        (".a * .b", False),
        ("100 * .a", False),
        (".a * 1e9", False),
        (".a * 40 * 40", False),
        ("..", False),
        (".[]", False),
        (".[ ]", False),
        (".a, .b", False),
        (".a = 1", False),
        (".a |= 1", False),
        (".a //= 1", False),
        ('.a | test("(a*)*b")', False),
        ('split("a"; null)', False),
        ("def f: f; f", False),
        (". as $x | $x", False),
        ("env", False),
        ("$ENV", False),
        ("now", False),
        ("@base64", False),
        ("1 # 2", False),
        ("|".join([".+."] * 10), True),
        ("|".join([".+."] * 11), False),
        ("|".join(["tostring"] * 11), False),
        ("." * LONGEST, False),
        (" " * LONGEST + ".", False),
    ],
)
def test_only_what_surely_ends_and_stays_small_runs_unfenced(program: str, tame: bool) -> None:
    assert is_tame(program) is tame


PIECES = st.sampled_from(
    [
        ".", ".a", ".b", "|", "+", "-", "*", "/", "//", "(", ")", "[", "]", "1", "100", '"x"', '"\\(.a)"', "if", "then",
        "else", "end", "tostring", "length", "keys", "not", "==", "<", "=", "?", " ", ":", ",", "split", "empty", "and",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, min_size=1, max_size=40).map(" ".join))
def test_a_tame_program_ends_soon_and_with_little(program: str) -> None:
    if not is_tame(program):
        return
    started = time.monotonic()
    evaluated(program, a="xyz" * 100, b=[1, 2, {"c": None}])
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("program", "reads"),
    [
        (".properties.a + .properties.b_2", {"a", "b_2"}),
        ("if .properties.a > 0 then (.properties.b / .properties.a) * 100 else 0 end", {"a", "b"}),
        (".properties.a | length", None),
        ("length, .properties.a", None),
        (".properties | keys", None),
        (".properties.a.b", None),
        (".properties.a | .title", None),
        (".title.properties.a", None),
        ('.properties["a"] + .properties.b', None),
        ('"\\(.title)" + .properties.a', None),
        ("1", None),
    ],
)
def test_a_program_sees_less_only_where_it_reads_nothing_else(program: str, reads: set[str] | None) -> None:
    assert properties_read(program) == reads


@settings(deadline=None)
@given(st.lists(st.sampled_from([1, 0, -2.5, None, "x", True, [1], {"b": 2}]), min_size=1, max_size=5))
def test_entities_that_are_evaluated_together_have_the_values_that_each_has_alone(values: list[Any]) -> None:
    programs = ("100 / .properties.a", ".properties.a + 1", ".properties.a | length", ".title | empty", ".properties.a")
    body = calculating(**{f"c{index}": text for index, text in enumerate(programs)})
    made = Calculations(blueprint(completed(body), "1"), Fence(), lambda: 1_735_732_800.0)
    entities = [{"title": "t", "properties": {} if value is None else {"a": value}} for value in values]

    assert made.values(entities) == [made.values([entity])[0] for entity in entities]
