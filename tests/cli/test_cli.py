"""The command line as a newcomer meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import click
import pytest

from portsync.cli.main import Commands
from portsync.cli.main import portsync as group
from portsync.demo.admin.holdings import Generation, holdings
from portsync.demo.books import Books
from portsync.demo.dialects import SPOKEN, Dialect
from portsync.demo.records import record_counts
from portsync.demo.users import sample_users
from portsync.report import MOST_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run, Source

COMMANDS = list(Commands.short_help_of)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_commands_help_ends_with_an_example(name: str) -> None:
    command = group.get_command(click.Context(group), name)

    assert command is not None
    assert command.short_help == Commands.short_help_of[name]
    help_text = command.get_help(click.Context(command, info_name=name))
    assert "Example:" in help_text
    assert f"portsync {name}" in help_text


def test_the_help_does_not_import_what_it_does_not_need() -> None:
    code = (
        "import sys; from portsync.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(sorted(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = run.stdout.splitlines()[-1]
    assert not any(f"'{name}'" in loaded for name in ("httpx", "pydantic", "rich", "starlette", "sqlalchemy", "jq"))


def test_the_module_runs_as_the_command_does() -> None:
    run = subprocess.run([sys.executable, "-m", "portsync", "--version"], capture_output=True, text=True, check=True)

    assert run.stdout.startswith("portsync, version ")


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["sync", "--nope"], ["sync"], ["check"], ["demo", "--records", "0"], ["check", "nowhere.yaml"]],
)
def test_wrong_usage_is_exit_code_2_without_a_traceback(arguments: list[str], portsync: Callable[..., Run]) -> None:
    run = portsync(arguments[0], None, *arguments[1:])

    assert run.exit_code == 2
    assert run.err
    assert "Traceback" not in run.err


def test_the_demo_brings_what_its_source_holds(portsync: Callable[..., Run]) -> None:
    run = portsync("demo", None, "--format", "json")

    report = json.loads(run.out)
    assert run.exit_code == 0, run.err
    assert [r["verdict"] for r in report["resources"]] == ["complete"] * 5
    assert report["totals"]["created"] == sum(record_counts(today=date(2026, 11, 22)).values())


@pytest.mark.parametrize(("dialect", "resources"), [("admin", 7), ("analytics", 9)])
def test_the_demo_brings_what_its_source_holds_in_the_other_dialects_too(
    portsync: Callable[..., Run], dialect: str, resources: int
) -> None:
    run = portsync("demo", None, "--format", "json", "--dialect", dialect)

    report = json.loads(run.out)
    assert run.exit_code == 0, run.err
    assert [r["verdict"] for r in report["resources"]] == ["complete"] * resources
    held = holdings(Books(today=date(2026, 11, 22)), Generation(dialect))
    assert report["totals"]["created"] == sum(map(len, held.values()))
    assert report["mapping"].endswith(f"claude-{dialect}.yaml")


@pytest.mark.parametrize("dialect", Dialect)
def test_a_number_of_records_makes_about_so_many(dialect: Dialect) -> None:
    spoken = SPOKEN[dialect]
    users = sample_users(spoken.users_for(3000))

    assert 2700 < spoken.entities(today=date(2026, 11, 22), users=users) < 3300


def test_the_demos_table_names_all_five_blueprints(portsync: Callable[..., Run]) -> None:
    run = portsync("demo")

    assert "provisioned 5 blueprints and the dashboard claude_ai_insights" in run.out
    assert run.out.count("complete") == 5
    for name in ("usage_record", "user_activity", "model_usage", "cost_record", "code_analytics"):
        assert run.out.count(f" claude_{name} ") == 1
    assert run.out.splitlines()[-1].startswith("ok: ")
    assert run.err == ""


def test_a_report_holds_a_hundred_problems_and_counts_them_all(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    source.answer = lambda _: {"data": [{"id": "a b"}] * 300}
    one = mapping()
    many = one + "".join(mapping(kind=f"/k{i}").split("resources:\n")[1] for i in range(40))

    run = portsync("sync", many, env=port_env)

    assert run.report["totals"]["failures"] == 41 * 300
    assert len(run.report["problems"]) == MOST_PROBLEMS
    assert {p["kind"] for p in run.report["problems"]} > {"/things", "/k1"}


def test_only_the_kinds_that_are_asked_for_are_synced(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    two = mapping() + mapping(kind="/others").split("resources:\n")[1]

    run = portsync("sync", two, "--kind", "/others", env=port_env)
    unknown = portsync("sync", two, "--kind", "/nothing", env=port_env)

    assert [(r["index"], r["kind"]) for r in run.report["resources"]] == [(1, "/others")]
    assert {asked.path for asked in source.asked} == {"/others"}
    assert unknown.exit_code == 2
    assert "/things" in unknown.err


def test_the_report_adds_up(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    records: list[Any] = [
        {"id": "a", "size": 1},
        {"id": "a", "size": 1},
        {"id": "a", "size": 2},
        {"id": "b", "size": "wrong"},
        {"id": "c", "size": 3, "off": True},
        {"id": None},
        "text",
        None,
        {"id": 7, "size": None},
    ]
    source.answer = lambda _: {"data": records}

    run = portsync("sync", mapping(selector="query: (.off? // false) | not"), env=port_env)

    r = run.resource
    assert run.exit_code == 1
    assert r["records"] == len(records) == r["filtered"] + r["entities"] + r["duplicates"] + r["failures"]
    assert r["entities"] == r["created"] + r["updated"] + r["unchanged"] + r["rejected"]
    assert run.report["totals"]["records"] == r["records"]
