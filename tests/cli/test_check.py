"""`check` over several files, folders and pages, and the forms in which it answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portsync.mapping.markdown import blocks_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

PORT = "port: {entity: {mappings: {identifier: .id, blueprint: '\"thing\"'}}}"
GOOD = f"resources:\n  - kind: /things\n    {PORT}\n"
BAD = f"resources:\n  - knd: /things\n    selector: {{query: .a &&}}\n    {PORT}\n"
DOUBTED = f"resources:\n  - kind: /things\n    selector: {{query_params: {{a: now | todate}}}}\n    {PORT}\n"
PAGE = f"""\
# Things

```yaml
{GOOD}```

Some text.

1. First

   ~~~yaml title="wrong.yaml"
   resources:
     - kind: /things
       port:
         entity:
           mappings:
             identifier: .id
             title: "Thing " + .name
             blueprint: '"thing"'
   ~~~

<!-- wrong -->
```yaml
{BAD}```

```yaml
services: {{}}
```

````yml
resources:
  - kind: /things
    selector:
      query_params: {{key: "${{A_KEY}}", at: now | todate}}
      headers: {{x-file: "${{file:/nowhere}}"}}
    port: {{entity: {{mappings: {{identifier: .id &&, blueprint: '"thing"'}}}}}}
````
"""


@pytest.fixture
def check(portsync: Callable[..., Run], tmp_path: Path) -> Callable[..., Run]:
    """Runs `check` on files that are given as texts, by name, and on the arguments."""

    def run(files: dict[str, str], *arguments: str) -> Run:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return portsync("check", None, *arguments)

    return run


def test_several_files_are_all_looked_at(check: Callable[..., Run]) -> None:
    run = check({"a.yaml": BAD, "b.yaml": GOOD, "c.yaml": BAD}, "a.yaml", "b.yaml", "c.yaml")

    assert run.exit_code == 2
    assert "a.yaml:2:5" in run.err
    assert "c.yaml:2:5" in run.err
    assert run.err.splitlines()[-1] == "3 files: 4 problems"
    assert run.out == "b.yaml: no problems\n"


def test_of_a_folder_the_mappings_are_looked_at_and_nothing_else(check: Callable[..., Run]) -> None:
    files = {
        "d/a.yaml": GOOD,
        "d/deep/b.yml": BAD,
        "d/deep/c.json": '{"resources": [], "x": 1}',
        "d/blueprint.json": '{"identifier": "thing", "title": "T", "schema": {"properties": {"resources": {}}}}',
        "d/other.yaml": "services: {}\n",
        "d/page.md": "```yaml\nservices: {}\n```\n",
        "d/.hidden/e.yaml": BAD,
        "d/binary.yaml": "\0",
    }
    run = check(files, "d")

    assert run.exit_code == 2
    assert [line.split(":")[0] for line in run.out.splitlines()] == ["d/a.yaml"]
    assert [line for line in run.err.splitlines() if line.startswith("d/")] == [
        "d/deep/b.yml: 2 problems",
        "d/deep/c.json: 2 problems",
    ]


def test_a_folder_without_a_mapping_is_a_mistake(check: Callable[..., Run]) -> None:
    run = check({"d/other.yaml": "services: {}\n"}, "d")

    assert (run.exit_code, "error[no-mapping]" in run.err) == (2, True)


def test_a_file_that_is_not_there_keeps_no_other_from_being_looked_at(check: Callable[..., Run]) -> None:
    run = check({"b.yaml": BAD}, "nowhere.yaml", "b.yaml")

    assert run.exit_code == 2
    assert "error[unreadable-file]" in run.err
    assert "b.yaml: 2 problems" in run.err


def test_the_places_in_a_page_are_those_of_the_page(check: Callable[..., Run]) -> None:
    run = check({"page.md": PAGE}, "page.md", "--format", "json")

    lines = PAGE.splitlines()
    problems = json.loads(run.out)["problems"]
    first, second = (tuple(map(int, problem["place"].split(":")[1:])) for problem in problems)
    assert [problem["code"] for problem in problems] == ["yaml-syntax", "jq-syntax"]
    assert lines[first[0] - 1][first[1] - 1 :] == '"Thing " + .name'
    assert lines[second[0] - 1][second[1] - 1 :].startswith("&&")


def test_what_a_page_needs_of_the_environment_is_no_mistake_of_it(check: Callable[..., Run]) -> None:
    good = PAGE.replace(".id &&", ".id").replace('"Thing " + .name', ".name")
    run = check({"page.md": good}, "page.md")

    assert (run.exit_code, run.out, run.err) == (0, "page.md: no problems\n", "")


def test_a_page_is_fixed_in_its_blocks_and_nowhere_else(check: Callable[..., Run], tmp_path: Path) -> None:
    before = (
        PAGE.replace(".id &&", ".id")
        .replace(', x-file: "${file:/nowhere}"', "")
        .replace('      headers: {x-file: "${file:/nowhere}"}\n', "")
    )
    run = check({"page.md": before}, "page.md", "--fix")

    after = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert run.exit_code == 0
    assert after == before.replace('"Thing " + .name', "'\"Thing \" + .name'").replace(
        "at: now | todate", "at: '{{ now | todate }}'"
    )
    for line in run.err.splitlines():
        file, number, text = line.split(":", 2)
        assert file == "page.md"
        assert text.strip() in after.splitlines()[int(number) - 1]


def test_a_block_that_is_never_closed_ends_with_the_page() -> None:
    (block,) = blocks_in("text\n```yaml\n" + GOOD)

    assert block.text == "\n\n" + GOOD


def test_warnings_count_under_strict_alone(check: Callable[..., Run]) -> None:
    assert check({"a.yaml": DOUBTED}, "a.yaml").exit_code == 0
    assert check({"a.yaml": DOUBTED}, "a.yaml", "--strict").exit_code == 2
    assert check({"a.yaml": GOOD}, "a.yaml", "--strict").exit_code == 0


def test_the_mapping_of_the_environment_is_looked_at_where_none_is_named(
    portsync: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")

    assert portsync("check", None, env={"PORTSYNC_MAPPING": "a.yaml"}).out == "a.yaml: no problems\n"
    assert portsync("check", None).exit_code == 2


def test_json_of_one_file_is_an_object_and_of_several_a_list(check: Callable[..., Run]) -> None:
    one = json.loads(check({"a.yaml": BAD}, "a.yaml", "--format", "json").out)
    two = json.loads(check({"a.yaml": BAD, "b.yaml": GOOD}, "a.yaml", "b.yaml", "--format", "json").out)
    folder = json.loads(check({"d/a.yaml": BAD}, "d", "--format", "json").out)

    assert two == {"mappings": [one, {"mapping": "b.yaml", "problems": [], "warnings": []}]}
    assert [each["mapping"] for each in folder["mappings"]] == ["d/a.yaml"]


def test_an_unreadable_file_is_a_problem_in_every_form(check: Callable[..., Run]) -> None:
    (problem,) = json.loads(check({}, "nowhere.yaml", "--format", "json").out)["problems"]

    assert (problem["code"], problem["place"]) == ("unreadable-file", "nowhere.yaml")
    assert check({}, "nowhere.yaml", "--format", "github").out.startswith("::error file=nowhere.yaml,title=unread")
    (result,) = json.loads(check({}, "nowhere.yaml", "--format", "sarif").out)["runs"][0]["results"]
    assert result["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "nowhere.yaml", "uriBaseId": "%SRCROOT%"}}}
    ]


def test_github_gets_a_command_for_each_with_its_signs_escaped(check: Callable[..., Run]) -> None:
    text = f"resources:\n  - kind: /things\n    selector: {{query: '.a | strftime(%Y)', a%b: 1}}\n    {PORT}\n"
    run = check({"a, b.yaml": text, "c.yaml": DOUBTED}, "a, b.yaml", "c.yaml", "--format", "github")

    first, second, third = run.out.splitlines()
    assert first.startswith("::error file=a%2C b.yaml,line=3,col=38,title=jq-syntax::resources[0].selector.query is")
    assert '%0Ahint: put it between double quotes: "%25Y-%25m-%25d"' in first
    assert second.startswith("::error file=a%2C b.yaml,line=3,col=44,title=unknown-key::")
    assert "`a%25b`" in second
    assert third.startswith("::warning file=c.yaml,line=3,col=34,title=looks-like-jq::")
    assert run.exit_code == 2


def sarif(run: Run) -> Any:
    """The one run of a log that keeps the rules of SARIF 2.1.0 which its schema states for what we write."""
    log = json.loads(run.out)
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    driver = only["tool"]["driver"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert driver["name"] == "portsync"
    assert len(ids) == len(set(ids))
    assert only["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    for result in only["results"]:
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        assert ids[result["ruleIndex"]] == result["ruleId"]
        for location in result["locations"]:
            physical = location["physicalLocation"]
            assert not set(physical["artifactLocation"]["uri"]) & set(' "<>\\^`{|}')
            assert physical.get("region", {"startLine": 1})["startLine"] >= 1
    return only


def test_sarif_has_a_rule_for_each_code_and_a_result_for_each_problem(check: Callable[..., Run]) -> None:
    run = check({"one two.yaml": BAD, "c.yaml": DOUBTED}, "one two.yaml", "c.yaml", "--format", "sarif")

    only = sarif(run)
    assert [(result["ruleId"], result["level"]) for result in only["results"]] == [
        ("unknown-key", "error"),
        ("jq-syntax", "error"),
        ("looks-like-jq", "warning"),
    ]
    location = only["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "one%20two.yaml", "uriBaseId": "%SRCROOT%"}
    assert run.exit_code == 2


def test_sarif_without_results_is_whole_too(check: Callable[..., Run], tmp_path: Path) -> None:
    assert sarif(check({"a.yaml": GOOD}, "a.yaml", "--format", "sarif"))["results"] == []
    absolute = sarif(check({"b.yaml": BAD}, str(tmp_path / "b.yaml"), "--format", "sarif"))
    location = absolute["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": (tmp_path / "b.yaml").as_uri()}


def test_the_catalogue_of_mistakes_can_be_written_in_every_form(portsync: Callable[..., Run]) -> None:
    catalogue = str(Path(__file__).parents[1] / "mapping" / "bad")
    assert len(sarif(portsync("check", None, catalogue, "--format", "sarif"))["results"]) > 300
    commands = portsync("check", None, catalogue, "--format", "github").out.splitlines()
    assert all(command.startswith(("::error file=", "::warning file=")) for command in commands)
