"""`test`: mappings are held to their cases, without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.authoring.case_run import CaseResult
from portsync.authoring.cases import load_cases
from portsync.authoring.faults import faults_of
from portsync.authoring.update import updated

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

MAPPING = """
source:
  auth: {type: bearer, token: "${TOKEN}"}
  rate_limit: {requests: 1, per: 3600}
resources:
  - kind: /repos
    selector:
      query: .ok
      data_path: .items
      query_params: {org: "${ORG:acme}"}
      pagination: {type: page, page_size: 2, has_more_path: .more}
    port:
      entity:
        mappings:
          identifier: .id
          title: .name
          blueprint: '"repo"'
          properties: {stars: .stars, day: 'now | strftime("%Y-%m-%d")', upper: .name | ascii_upcase}
"""
CASES = """
now: 2026-02-01T00:00:00Z
cases:
  - name: two pages
    given:
      - request: {path: /repos, query: {page: 1, org: acme}}
        body: {items: [{id: 1, name: a, stars: 3, ok: true}, {id: 2, name: b, ok: false}], more: true}
      - request: {query: {page: 2}}
        body: {items: [{id: 3, name: c, stars: 5, ok: true}], more: false}
    expect:
      requests:
        - {method: GET, path: /repos, query: {page: "1"}}
        - {query: {page: 2}}
      verdict: complete
      entities:
        - {blueprint: repo, identifier: 3, title: c, properties: {stars: 5, day: "2026-02-01", upper: C}}
        - {blueprint: repo, identifier: "1", title: a, properties: {stars: 3, day: "2026-02-01", upper: A}}
"""


@pytest.fixture
def tested(portsync: Callable[..., Run], tmp_path: Path) -> Callable[..., Run]:
    def run(cases: str, *options: str, mapping: str = MAPPING) -> Run:
        (tmp_path / "repos.yaml").write_text(mapping)
        (tmp_path / "repos.test.yaml").write_text(cases)
        return portsync("test", None, str(tmp_path), *options)

    return run


def test_a_mapping_that_does_what_its_case_says_passes(tested: Callable[..., Run]) -> None:
    run = tested(CASES)
    assert run.exit_code == 0, run.out + run.err
    assert "passed  two pages" in run.out
    assert run.out.rstrip().endswith("1 passed")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("stars: 5, day", "stars: 6, day", "properties.stars: expected 6, got 5"),
        ("identifier: 3,", "identifier: 4,", "entity repo/4: is missing"),
        ("identifier: 3,", "identifier: 4,", "entity repo/3: is not expected"),
        ("verdict: complete", "verdict: incomplete (loop)", "verdict: expected incomplete (loop), got complete"),
        ("- {query: {page: 2}}\n      verdict", "- {query: {page: 3}}\n      verdict", "query.page: expected 3, got 2"),
        ("        - {query: {page: 2}}\n      verdict", "      verdict", "request 2: is not expected: GET /repos"),
        ("{method: GET,", "{method: POST,", "request 1: method: expected POST, got GET"),
        ("verdict: complete", "verdict: complete\n      field_errors: 2", "field_errors: expected 2, got 0"),
        ("verdict: complete", "verdict: complete\n      failures: [boom]", "failure: none says `boom`"),
        ("ok: false}", "ok: true}", "entity repo/2: is not expected"),
        ("id: 3, name: c", "id: null, name: c", "failure: is not expected: the identifier is null"),
        ("name: c, stars: 5", "name: 7, stars: 5", "field_errors: expected none, got 1"),
        ("request: {query: {page: 2}}", "request: {query: {page: 9}}", "no answer is given for GET /repos"),
        ("request: {query: {page: 2}}", "request: {query: {page: 9}}", "given[1] was never asked for"),
        ("more: false", "more: 5", "got incomplete (pagination)"),
    ],
)
def test_each_thing_that_is_otherwise_fails_and_is_named(
    tested: Callable[..., Run], old: str, new: str, said: str
) -> None:
    assert old in CASES
    run = tested(CASES.replace(old, new))
    assert run.exit_code == 1
    assert said in run.out
    assert run.out.rstrip().endswith("1 failed")


def test_what_a_case_came_to_is_written_down_and_passes_then(tested: Callable[..., Run], tmp_path: Path) -> None:
    bare = CASES[: CASES.index("    expect:")] + "\n# the end\n"
    assert tested(bare).exit_code == 1
    assert "1 updated" in tested(bare, "--update").out
    text = (tmp_path / "repos.test.yaml").read_text()
    assert text.startswith(bare[: bare.index("\n# the end")].rstrip("\n"))
    assert text.endswith("# the end\n")
    assert yaml.safe_load(text)["cases"][0]["expect"]["verdict"] == "complete"
    run = tested(text)
    assert run.exit_code == 0, run.out


def test_an_update_touches_only_the_cases_that_fail(tested: Callable[..., Run], tmp_path: Path) -> None:
    second = CASES[CASES.index("  - name") :].replace("two pages", "again").replace("stars: 5, day", "stars: 9, day")
    both = f"{CASES}\n  # about the second\n{second}"
    assert tested(both, "--update").exit_code == 0
    text = (tmp_path / "repos.test.yaml").read_text()
    assert text.startswith(f"{CASES}\n  # about the second\n")
    assert tested(text).exit_code == 0


def test_expressions_that_no_case_exercised_are_named(tested: Callable[..., Run]) -> None:
    run = tested(CASES.replace("ok: false", "ok: true").replace(", stars: 3", "").replace(", stars: 5", ""), "--cov")
    assert "repos.yaml:18:31: resources[0] properties.stars: null or missing in every case" in run.out
    assert "resources[0].selector.query: kept every record of every case" in run.out
    assert "no gaps" in tested(CASES, "--cov").out


def test_variables_stand_for_themselves_and_files_are_not_read(tested: Callable[..., Run]) -> None:
    cases = CASES.replace("org: acme}", "org: test-ORG}")
    run = tested(cases, mapping=MAPPING.replace("${ORG:acme}", "${ORG}").replace("${TOKEN}", "${file:/nowhere}"))
    assert run.exit_code == 0, run.out + run.err
    named = cases.replace("now:", "environment: {ORG: other}\nnow:", 1).replace("test-ORG", "other")
    assert tested(named, mapping=MAPPING.replace("${ORG:acme}", "${ORG}")).exit_code == 0


def test_a_variable_for_an_address_stands_for_one(tested: Callable[..., Run]) -> None:
    mapping = MAPPING.replace("source:\n", "source:\n  base_url: ${REPOS_URL}\n")
    run = tested(CASES, mapping=mapping)
    assert run.exit_code == 0, run.out + run.err


def test_cases_of_a_cassette(tested: Callable[..., Run], tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    index = {"version": 1, "now": "2026-03-01T00:00:00Z", "base_url": "https://api.example.com/v3"}
    (folder / "cassette.json").write_text(json.dumps(index))
    answer = {
        "request": {"method": "GET", "url": "https://api.example.com/v3/repos?org=***&page=1&size=2"},
        "response": {"status": 200, "body": {"items": [{"id": 12345678901234567890, "ok": True}], "more": False}},
    }
    (folder / "001-get-repos.json").write_text(json.dumps(answer))
    cases = """
cases:
  - name: kept
    cassette: kept
    expect:
      requests: [{path: /repos}]
      entities: [{blueprint: repo, identifier: "12345678901234567890", properties: {day: "2026-03-01"}}]
      field_errors: 1
"""
    run = tested(cases)
    assert run.exit_code == 0, run.out + run.err


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("", "the file is empty"),
        ("cases: []", "the list is empty"),
        ("cases: [{name: a}]", "either `given` or `cassette`"),
        ("cases: [{name: a, given: [], cassette: x}]", "either `given` or `cassette`"),
        ("cases: [{name: a, givn: []}]", "did you mean `given`?"),
        ("cases: [{name: a, given: [], kind: /nix}]", "no resource of"),
        ("cases: [{name: a, cassette: nowhere}]", "there are no saved answers here"),
        ("cases: [{name: a, given: [{status: 2}]}]", "expected 100 or more"),
        ("cases: [{name: a, given: [], expect: {entities: [{blueprint: a}]}}]", "`identifier` is missing"),
        ("mapping: other.yaml\ncases: [{name: a, given: []}]", "cannot be read"),
        ("now: tomorrow\ncases: [{name: a, given: []}]", "now"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_what_to_do(tested: Callable[..., Run], cases: str, said: str) -> None:
    run = tested(cases)
    assert run.exit_code == 2
    assert said in run.err
    assert "Traceback" not in run.err


def test_a_folder_without_cases_is_said(portsync: Callable[..., Run], tmp_path: Path) -> None:
    run = portsync("test", None, str(tmp_path))
    assert run.exit_code == 2
    assert "error[no-cases]" in run.err


def test_only_some_cases(tested: Callable[..., Run]) -> None:
    assert "1 passed" in tested(CASES, "--only", "pages").out
    assert tested(CASES, "--only", "nothing of the kind").exit_code == 2


def test_the_json_form_says_the_same(tested: Callable[..., Run]) -> None:
    found = json.loads(tested(CASES.replace("stars: 5, day", "stars: 6, day"), "--format", "json").out)
    assert (found["passed"], found["failed"]) == (0, 1)
    assert found["files"][0]["cases"][0]["status"] == "failed"


def test_no_wait_takes_time(tested: Callable[..., Run]) -> None:
    retried = CASES.replace(
        "    given:\n", "    given:\n      - {status: 503, headers: {retry-after: '60'}}\n"
    ).replace('{method: GET, path: /repos, query: {page: "1"}}', "{}\n        - {}")
    run = tested(retried)
    assert run.exit_code == 0, run.out


def test_every_shipped_mapping_has_cases_that_pass_and_leave_no_expression_out(portsync: Callable[..., Run]) -> None:
    folder = Path(__file__).parents[2] / "mappings"
    mappings = [path for path in folder.rglob("*.yaml") if not path.name.endswith(".test.yaml")]
    assert mappings
    for path in mappings:
        run = portsync("test", None, str(path.with_name(f"{path.stem}.test.yaml")), "--cov")
        assert run.exit_code == 0, run.out + run.err
        assert "no gaps" in run.out, run.out


TEXTS = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40)
@given(
    entities=st.dictionaries(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=3), max_size=3),
    has_end=st.booleans(),
    comment=st.booleans(),
)
def test_whatever_a_case_came_to_passes_once_it_is_written_down(
    tmp_path_factory: pytest.TempPathFactory,
    entities: dict[str, dict[str, object]],
    has_end: bool,
    comment: bool,
) -> None:
    folder = tmp_path_factory.mktemp("cases")
    path = folder / "x.test.yaml"
    note = "\n  # a note\n" if comment else "\n"
    path.write_text(f"cases:\n  - name: a\n    given: []{note}  - name: b\n    given: []" + ("\n" if has_end else ""))
    given_entities = tuple(
        {"blueprint": "b", "identifier": name, "title": None, "properties": values, "relations": {}}
        for name, values in entities.items()
    )
    result = CaseResult((), (), (), "complete", given_entities, (), 0, ())
    before = load_cases(path)
    for index in (0, 1):
        path.write_text(updated(before, {index: result}))
        again = load_cases(path)
        assert [case.name for case in again.file.cases] == ["a", "b"]
        assert faults_of(again.file.cases[index], result) == []
        assert ("# a note" in path.read_text()) is comment
