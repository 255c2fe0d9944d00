"""Reading a mapping: both YAML loaders see the same, what is shared is said once, and no value comes along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from portsync.errors import MappingError, Problem
from portsync.mapping import yaml_text
from portsync.mapping.loader import parse
from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
TEXTS = sorted(
    [*HERE.glob("warned/*.yaml"), *HERE.glob("unfit/*.yaml"), *(shipped_folder() / "mappings").glob("*.yaml")]
)
WRITINGS = """\
plain: a b
folded: a
  b
single: 'it''s'
double: "a\\u00e9 \\
  b"
literal: |
  a

    b
block: >-
  a
  b
anchored: &x [1, 2.5, true, yes, 2026-01-01, null, ~]
alias: *x
merged: {<<: {a: 1}, "b": 'c'}
\u00fcnicode: "\u00e9\U0001f600" # comment
"""


def seen(node: yaml.Node | None) -> Iterator[Any]:
    """What a loader makes of a text: kinds, tags, values and places."""
    assert node is not None
    start, end = node.start_mark, node.end_mark
    yield type(node).__name__, node.tag, start.index, start.line, start.column
    match node:
        case yaml.ScalarNode():
            yield node.value, node.style or None, end.index, end.line
        case yaml.MappingNode():
            for key, value in node.value:
                yield from (*seen(key), *seen(value))
        case _:
            for item in node.value:
                yield from seen(item)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml, so there is one loader")
@pytest.mark.parametrize("text", [WRITINGS, *(path.read_text(encoding="utf-8") for path in TEXTS)])
def test_both_loaders_make_the_same_of_a_text(text: str) -> None:
    fast, slow = (yaml.compose(text, Loader=loader) for loader in (yaml_text._FastLoader, yaml_text._Loader))

    assert list(seen(fast)) == list(seen(slow))


def problems_of(text: str, environment: dict[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(MappingError) as caught:
        parse(text, Path("m.yaml"), environment or {})
    return caught.value.problems


def test_what_an_anchor_shares_is_wrong_in_one_place_and_said_once() -> None:
    text = """\
resources:
  - kind: /a
    port: &port {entity: {mappings: {identifier: .id |, blueprint: thing}}}
  - kind: /b
    port: *port
"""

    assert [(problem.code, problem.place) for problem in problems_of(text)] == [
        ("jq-syntax", "m.yaml:3:54"),
        ("jq-syntax", "m.yaml:3:68"),
    ]


def test_expressions_and_everything_else_are_told_together() -> None:
    text = "resources: [{kind: /a, selector: {qery: x, query: .a &&}, port: {entity: {mappings: {identifier: .id}}}}]"

    assert [problem.code for problem in problems_of(text)] == ["unknown-key", "jq-syntax", "missing-key"]


def test_a_value_of_the_environment_is_in_no_part_of_a_problem() -> None:
    text = """\
source: {base_url: https://api.example.com}
resources:
  - kind: /a
    selector:
      query: |
        .a ==
          ${SECRET_NAME} and .b
      body: >-
        {a: "${SECRET_NAME}", b: .c &&
        .d}
      query_params: {x: '{{ ${SECRET_NAME} }}', y: "{{ ${SECRET_NAME}"}
      data_path: .${SECRET_NAME} &&
      method: ${SECRET_NAME}
      pagination: {type: page, page_size: "${SECRET_NAME}"}
    port: {entity: {mappings: {identifier: .id, blueprint: '"t"'}}}
"""

    problems = problems_of(text, {"SECRET_NAME": "hunter2x"})

    assert len(problems) >= 6
    assert "hunter2x" not in repr(problems)
