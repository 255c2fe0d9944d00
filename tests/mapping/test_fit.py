"""The catalogue of mappings that their blueprints do not take: `unfit/NAME.yaml` and what is said about it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from portsync.blueprints import read_blueprints
from portsync.cli.main import main
from portsync.jq.results import result_type
from portsync.mapping.fit import fit_problems
from portsync.mapping.loader import parse
from portsync.runtime import Runtime

UNFIT = Path(__file__).parent / "unfit"


@pytest.mark.parametrize("path", sorted(UNFIT.glob("*.yaml")), ids=lambda path: path.name)
def test_each_mistake_gets_the_answer_of_the_catalogue(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with contextlib.chdir(UNFIT), pytest.raises(SystemExit) as end:
        main(["check", path.name, "--blueprints", "blueprints"], Runtime({}))

    assert end.value.code == 2
    assert capfd.readouterr().err == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "properties",
    [
        "{tier: .tier, language: '\"go\"', replicas: 3, public: true, tags: '[\"a\"]', labels: '{a: 1}'}",
        "{tier: .tier | tostring, replicas: .n | length, public: .a == 1, tags: .t | keys, created_at: now | todate}",
        "{tier: .a // 5, replicas: '.a // \"x\"', public: 'if .a then true else \"x\" end', language: .language}",
        "{tier: .tier, replicas: 'null', public: .p?, tags: '[.a, .b]', labels: .labels | from_entries}",
    ],
)
def test_what_may_fit_is_let_pass(properties: str) -> None:
    entity = f"{{identifier: .id, blueprint: '\"service\"', properties: {properties}, relations: {{team: .team}}}}"
    text = f"resources: [{{kind: /services, port: {{entity: {{mappings: {entity}}}}}}}]"

    assert fit_problems(parse(text, Path("m.yaml"), {}), read_blueprints(UNFIT / "blueprints")) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('"a"', "string"),
        ("'a'", "string"),
        ("-5.5", "number"),
        ("false", "boolean"),
        ("[1]", "array"),
        ('{"a": 1}', "object"),
        ("null", "null"),
        ('"a" + .b', "string"),
        ('"a-\\(.b | length)"', "string"),
        ('"a" + (.b | tostring) + "c"', "string"),
        (".a | tostring", "string"),
        ('.a | join(", ")', "string"),
        (".a | map(.b | length)", "array"),
        (".a | tonumber", "number"),
        ("length", "number"),
        (".a == .b | not", "boolean"),
        ('"a", 1', None),
        ('"a" // 5', None),
        ('"a" == .b', None),
        ('"a" * 2', None),
        ('"a" as $x | $x', None),
        ('if .a then "b" else 1 end', None),
        ("if .a then 1 else .b | length end", None),
        (".a | length + 1", None),
        (".a | tostring // 5", None),
        (".a", None),
        ('.a["b | length"]', None),
        ("def length: .a; . | length", None),
    ],
)
def test_the_type_of_a_result_is_told_only_where_the_text_proves_it(text: str, kind: str | None) -> None:
    assert result_type(text) == kind
