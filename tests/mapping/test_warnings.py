"""What is no mistake, but probably not meant: `warned/NAME.yaml` and, in `warned/NAME.txt`, what is said about it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portsync.authoring.cases import Environment
from portsync.cli.main import main
from portsync.cli.render import print_in_lines
from portsync.errors import Problem
from portsync.mapping.loader import parse
from portsync.runtime import Runtime
from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run, Source

WARNED = Path(__file__).parent / "warned"
SHIPPED = sorted(path for path in (shipped_folder() / "mappings").rglob("*.yaml") if ".test" not in path.suffixes)
WINDOW = "window: {start: now - 86400, step: 1h}"
ENTITY = "port: {entity: {mappings: {identifier: .id, blueprint: '\"thing\"'}}}"


def checked(selector: str, *, kind: str = "/things", head: str = "", environment: dict[str, str] | None = None) -> str:
    """The codes of the warnings about a resource, with what each is about."""
    text = f"{head}\nresources:\n  - kind: {kind}\n    selector: {{{selector}}}\n    {ENTITY}\n"
    warnings = parse(text, Path("m.yaml"), environment or {}).warnings
    return ", ".join(f"{warning.code} {warning.message.split('.')[-1].split()[0].strip(':')}" for warning in warnings)


@pytest.mark.parametrize("name", sorted(path.stem for path in WARNED.glob("*.yaml")))
def test_each_doubt_is_said_as_in_the_catalogue_and_changes_no_exit_code(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with contextlib.chdir(WARNED), pytest.raises(SystemExit) as end:
        main(["check", f"{name}.yaml"], Runtime({}))

    assert end.value.code == 0
    said = capfd.readouterr()
    assert said.err == (WARNED / f"{name}.txt").read_text(encoding="utf-8")
    assert said.out.startswith(f"{name}.yaml: no problems, ")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_there_is_none_about_the_shipped_mappings(path: Path) -> None:
    addresses = dict.fromkeys(("GRAFANA_URL", "JIRA_URL", "ZENDESK_URL"), "https://api.example.com")

    assert parse(path.read_text(encoding="utf-8"), path, Environment(addresses)).warnings == ()


def test_warnings_come_as_json_beside_the_problems(portsync: Callable[..., Run]) -> None:
    run = portsync("check", (WARNED / "windows.yaml").read_text(encoding="utf-8"), "--format", "json")

    found = json.loads(run.out)
    assert (run.exit_code, run.err, found["problems"]) == (0, "", [])
    assert [(w["code"], w["place"].rsplit("/", 1)[-1]) for w in found["warnings"]] == [
        ("window-deletes", "m.yaml:4:7"),
        ("window-unused", "m.yaml:4:7"),
    ]


def test_a_warning_beside_a_misfit_is_said_too_and_the_exit_code_is_the_misfits(
    portsync: Callable[..., Run], tmp_path: Path
) -> None:
    thing = {"identifier": "other", "title": "Other", "schema": {"properties": {}}}
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "blueprints" / "other.json").write_text(json.dumps(thing))

    run = portsync("check", (WARNED / "windows.yaml").read_text(encoding="utf-8"), "--blueprints", "blueprints")

    assert run.exit_code == 2
    assert "error[blueprint-fit]" in run.err
    assert "warning[window-unused]" in run.err
    assert run.err.endswith("m.yaml: 3 problems, 2 warnings\n")


def test_sync_says_each_warning_on_one_line_and_sends_the_text_as_it_stands(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    run = portsync("sync", mapping(selector="query_params: {since: now | todate}"), "--format", "json", env=port_env)

    assert run.exit_code == 0
    assert source.asked[0].query == [("since", "now | todate")]
    (line,) = [line for line in run.err.splitlines() if "warning[" in line]
    assert line.startswith("warning[looks-like-jq]: resources[0].selector.query_params.since looks like JQ")
    assert "m.yaml:11:" in line
    assert json.loads(run.out)["status"] == "ok"


def test_warnings_come_in_the_order_of_the_lines() -> None:
    resource = f"  - kind: /x\n    selector: {{{WINDOW}, headers: {{a: now | todate}}}}\n    {ENTITY}\n"

    warnings = parse(f"resources:\n{resource}{resource}", Path("m.yaml"), {}).warnings

    lines = [int((warning.place or "").split(":")[1]) for warning in warnings]
    assert lines == [3, 3, 3, 6, 6, 6]


def test_a_warning_stays_on_its_line_whatever_its_key_holds(capfd: pytest.CaptureFixture[str]) -> None:
    print_in_lines([Problem("looks-like-jq", "headers.a\n\tb\x1b[2J [red]looks", "m.yaml:1:2")])

    assert capfd.readouterr().err == "warning[looks-like-jq]: headers.a b\\x1b[2J [red]looks (m.yaml:1:2)\n"


def test_a_text_from_the_environment_is_named_by_its_key_alone() -> None:
    text = f"resources:\n  - kind: /x\n    selector: {{headers: {{key: '${{KEY}}'}}}}\n    {ENTITY}\n"

    (warning,) = parse(text, Path("m.yaml"), {"KEY": '"s3cret" | tojson'}).warnings

    assert "s3cret" not in repr(warning)
    assert warning.hint is not None
    assert "by hand" in warning.hint


@pytest.mark.parametrize(
    ("selector", "warned"),
    [
        ("query_params: {a: '{{ now | todate }}'}", ""),
        ("query_params: {a: 'since {{ now }} now | todate'}", ""),
        ("query_params: {a: '\"{{ 1 }}\" | ascii_downcase'}", ""),
        ("query_params: {a: 5, b: true, c: [1, now]}", ""),
        ("query_params: {a: [1, now | todate]}", "looks-like-jq a[1]"),
        ("body: {a: now | todate}", ""),
        ("body: now | todate", ""),
    ],
)
def test_texts_with_a_span_and_bodies_are_not_doubted(selector: str, warned: str) -> None:
    assert checked(selector) == warned


@pytest.mark.parametrize(
    ("selector", "warned"),
    [
        (f"{WINDOW}, query_params: {{a: '{{{{ $window.start }}}}'}}", "window-deletes window"),
        (f"{WINDOW}, delete_stale: false, headers: {{a: '{{{{ $window.start }}}}'}}", ""),
        (f"{WINDOW}, delete_stale: true, body: {{a: [{{b: '{{{{ $window.start }}}}'}}]}}", ""),
        (f"{WINDOW}, delete_stale: true, body: '$window'", ""),
        (f"{WINDOW}, delete_stale: true, data_path: '.data[$window.start]'", "window-unused window"),
    ],
)
def test_a_window_has_to_be_named_and_its_past_to_be_thought_of(selector: str, warned: str) -> None:
    assert checked(selector) == warned


def test_a_window_may_be_named_in_the_path_or_in_the_headers_of_the_source() -> None:
    head = "source: {headers: {since: '{{ $window.start }}'}}"

    assert checked(f"{WINDOW}, delete_stale: false", head=head) == ""
    assert checked(f"{WINDOW}, delete_stale: false", kind="/things?since={{ $window.start }}") == ""


@pytest.mark.parametrize(
    ("kind", "selector", "warned"),
    [
        ("/t/{a}", "path_parameters: {a: {values: [1]}}", ""),
        ("/t?x={a}", "path_parameters: {a: {values: [1]}}", ""),
        ("/t/a", "path_parameters: {a: {values: [1]}}", "parameter-unused a"),
        ("/t/{{ $params.a }}", "path_parameters: {a: {values: [1]}}", ""),
        ("/t/{b}", "path_parameters: {a: {values: [1]}, b: {endpoint: '/u/{a}'}}", ""),
        ("/t/{b}", "path_parameters: {a: {values: [1]}, b: {endpoint: /u, body: '{x: $params.a}'}}", ""),
        ("/t/{b}", "path_parameters: {a: {endpoint: /u}, b: {values: [1]}}", "parameter-unused a"),
        ("/t", "body: '{x: $params.a}', path_parameters: {a: {values: [1]}}", ""),
        ("/t", "body: '{x: $params.s}', path_parameters: {a: {endpoint: /u, with: {s: .s}}}", ""),
        ("/t", "body: '{x: $params.s}', path_parameters: {a: {values: [1]}}", "always-null s`, parameter-unused a"),
    ],
)
def test_a_path_parameter_has_to_be_named(kind: str, selector: str, warned: str) -> None:
    assert checked(selector, kind=kind) == warned
