"""What `check` says of `live` sections."""

from __future__ import annotations

from pathlib import Path

import pytest

from portsync.errors import MappingError, Problem
from portsync.logs import Redactor
from portsync.mapping.hooks import hooks_of
from portsync.mapping.loader import parse
from portsync.mapping.shown import shown_config

GOOD = '{header: X-Sig, secret: "${HOOK_SECRET}"}'
ENV = {"HOOK_SECRET": "hook-secret-1f8e"}


def text(*lives: str, identifier: str = ".id") -> str:
    resources = "".join(
        f"""
  - kind: /things
    live: {live}
    port: {{entity: {{mappings: {{identifier: {identifier}, blueprint: '"thing"'}}}}}}"""
        for live in lives
    )
    return f"source: {{base_url: http://127.0.0.1}}\nresources:{resources}\n"


def problems(*lives: str, identifier: str = ".id") -> list[Problem]:
    with pytest.raises(MappingError) as caught:
        parse(text(*lives, identifier=identifier), Path("m.yaml"), ENV)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("live", "code", "said"),
    [
        ("{hook: a}", "missing-key", "`signature` is missing"),
        ("{hook: a, signature: null}", "wrong-type", "a signature is wanted"),
        (f"{{signature: {GOOD}}}", "missing-key", "`hook` is missing"),
        ("{hook: a, signature: {header: X-Sig}}", "missing-key", "`secret` is missing"),
        ("{hook: a, signature: {secret: abcdefgh}}", "missing-key", "`header` is missing"),
        ("{hook: a, signature: {header: X-Sig, secret: abcdefg}}", "hook", "shorter than 8"),
        (f"{{hook: a/b, signature: {GOOD}}}", "wrong-type", "`a/b` cannot be the name of a hook"),
        (f"{{hook: '', signature: {GOOD}}}", "wrong-type", "cannot be the name of a hook"),
        ("{hook: a, signature: {header: X-Sig, secret: abcdefgh, algorithm: md5}}", "unknown-choice", "`md5` is none"),
        ("{hook: a, signature: {header: X Sig, secret: abcdefgh}}", "wrong-type", "cannot be the name of a header"),
        ("{hook: a, signature: {header: X, secret: abcdefgh, tolerance: 5}}", "wrong-type", "tolerance"),
        ("{hook: a, signature: {header: X, secret: abcdefgh, tolerance: 0s}}", "wrong-type", "no span of time"),
        ("{hook: a, signature: {header: X, secret: abcdefgh, signed: 'x'}}", "wrong-type", "{body} once"),
        (
            "{hook: a, signature: {header: X, secret: abcdefgh, signed: '{timestamp}{body}'}}",
            "wrong-type",
            "go together",
        ),
        (
            "{hook: a, signature: {header: X, secret: abcdefgh, algorithm: plain, signed: '{body}'}}",
            "wrong-type",
            "plain",
        ),
        (f"{{hook: a, signature: {GOOD}, filter: '.a +'}}", "jq-syntax", "live.filter is not usable JQ"),
        (f"{{hook: a, signature: {GOOD}, delet: 'true'}}", "unknown-key", "unknown key `delet`"),
        ('{hook: a, signature: {header: X, secret: "${OTHER}"}}', "unset-variable", "`OTHER` is not set"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(live: str, code: str, said: str) -> None:
    (problem,) = problems(live)
    assert problem.code == code
    assert said in problem.message
    assert problem.place is not None
    assert problem.place.startswith("m.yaml:4:")


def test_one_hook_has_one_signature() -> None:
    other = "{header: X-Sig, secret: another-secret}"
    (problem,) = problems(f"{{hook: a, signature: {GOOD}}}", f"{{hook: a, signature: {other}}}")
    assert (problem.code, problem.place) == ("hook", "m.yaml:7:32")
    same = parse(text(*[f"{{hook: a, signature: {GOOD}}}"] * 2), Path("m.yaml"), ENV)
    assert list(hooks_of(same.file)) == ["a"]


def test_an_identifier_that_is_a_search_is_refused() -> None:
    search = "{combinator: '\"and\"', rules: [{property: '\"x\"', operator: '\"=\"', value: .id}]}"
    (problem,) = problems(f"{{hook: a, signature: {GOOD}}}", identifier=search)
    assert (problem.code, "a search" in problem.message) == ("hook", True)


def test_no_signature_has_to_be_asked_for() -> None:
    loaded = parse(text("{hook: a, signature: none}"), Path("m.yaml"), ENV)
    assert hooks_of(loaded.file)["a"].signature is None


def test_the_secret_is_in_no_output_and_ports_page_is_shown_no_hook() -> None:
    literal = parse(text("{hook: a, signature: {header: X, secret: literal-secret}}"), Path("m.yaml"), ENV)
    assert "literal-secret" in literal.secrets
    assert "literal-secret" not in repr(literal.file)
    named = parse(text(f"{{hook: a, signature: {GOOD}}}"), Path("m.yaml"), ENV)
    assert ENV["HOOK_SECRET"] in named.secrets
    assert "live" not in shown_config(named, Redactor())["resources"][0]
