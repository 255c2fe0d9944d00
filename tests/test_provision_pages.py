"""Pages into Port: after the blueprints, idempotent, and with line charts in the form that Port takes."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.app import create_app
from portsync.emulator.guesses import Guesses
from portsync.shipped import shipped_folder
from tests.conftest import PORT_SECRET, LocalPort

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run, Stage

BLUEPRINTS = "blueprints/claude"
DASHBOARD = "dashboards/claude.json"
CLAUDE: dict[str, Any] = json.loads((shipped_folder() / DASHBOARD).read_text(encoding="utf-8"))
NAME = CLAUDE["identifier"]
OLDER = Guesses(multi_line_chart_accepted=False)
NEWER = Guesses(line_chart_accepted=False)


@pytest.fixture
def port_that(port_stage: tuple[Stage, str], local_port: LocalPort) -> Callable[[Guesses], LocalPort]:
    """Let a local Port with other guesses play, at the same address."""
    stage, _ = port_stage

    def play(guesses: Guesses) -> LocalPort:
        stage.app = create_app(client_id="cid", client_secret=PORT_SECRET, guesses=guesses)
        return local_port

    return play


@pytest.fixture
def page_file(tmp_path: Path) -> Callable[..., str]:
    """Write the dashboard into a file, with these keys changed; gives its path."""

    def write(name: str = "page.json", **changes: Any) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(CLAUDE | changes), encoding="utf-8")
        return str(path)

    return write


def stored(port: LocalPort, name: str = NAME) -> dict[str, Any]:
    page = port.api("GET", f"/pages/{name}")["page"]
    assert isinstance(page, dict)
    return page


def charts(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The line charts of a page, in either form."""
    return [widget for widget in page["widgets"][0]["widgets"] if widget["type"].endswith("line-chart")]


def forms(page: dict[str, Any]) -> set[str]:
    return {chart["type"] for chart in charts(page)}


def with_two_lines() -> list[dict[str, Any]]:
    """The dashboard's widgets, where one of the line charts has a second line."""
    changed = copy.deepcopy(CLAUDE)
    charts(changed)[0]["lines"] *= 2
    widgets: list[dict[str, Any]] = changed["widgets"]
    return widgets


def test_blueprints_and_dashboard_come_in_one_run_and_a_second_one_changes_nothing(
    local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    planned = portsync("provision", None, DASHBOARD, BLUEPRINTS, "--plan", env=port_env)
    assert local_port.api("GET", f"/pages/{NAME}")["ok"] is False

    first = portsync("provision", None, DASHBOARD, BLUEPRINTS, env=port_env)
    before = stored(local_port)
    second = portsync("provision", None, DASHBOARD, BLUEPRINTS, env=port_env)

    assert planned.out == first.out
    assert first.out.splitlines()[-1] == f"create     {NAME} (page)"
    assert [line.split()[0] for line in second.out.splitlines()] == ["unchanged"] * 6
    assert before == stored(local_port)
    assert len(before["widgets"][0]["widgets"]) == 10
    assert forms(before) == {"multi-line-chart"}


def test_pages_are_told_from_blueprints_by_their_widgets_in_folders_and_lists(
    tmp_path: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    blueprint = {"identifier": "thing", "title": "Things", "schema": {"properties": {}}}
    (folder / "all.json").write_text(json.dumps([CLAUDE, blueprint, CLAUDE | {"identifier": "b"}]), encoding="utf-8")

    run = portsync("provision", None, str(folder), str(folder / "all.json"), "--format", "json", env=port_env)

    assert json.loads(run.out) == {
        "planned_only": False,
        "blueprints": [{"identifier": "thing", "change": "update", "sections": ["title"]}],
        "pages": [
            {"identifier": NAME, "change": "create", "sections": [], "legacy_line_charts": False},
            {"identifier": "b", "change": "create", "sections": [], "legacy_line_charts": False},
        ],
    }
    assert stored(local_port, "b")["title"] == CLAUDE["title"]


def test_a_changed_page_is_patched_where_it_differs_and_keeps_what_port_has_beyond_it(
    page_file: Callable[..., str], local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    portsync("provision", None, page_file(), env=port_env)
    local_port.api("PATCH", f"/pages/{NAME}", {"locked": True, "description": "by hand"})
    path = page_file(title="Other", widgets=with_two_lines())

    planned = portsync("provision", None, path, "--plan", env=port_env)
    assert stored(local_port)["title"] == CLAUDE["title"]
    run = portsync("provision", None, path, env=port_env)
    again = portsync("provision", None, path, env=port_env)

    assert planned.out == run.out == f"update     {NAME} (page; title, description, widgets)\n"
    assert again.out == f"unchanged  {NAME} (page)\n"
    page = stored(local_port)
    assert (page["title"], page["description"], page["locked"]) == ("Other", CLAUDE["description"], True)
    assert len(charts(page)[0]["lines"]) == 2


def test_what_only_a_new_page_may_say_is_no_change_of_an_old_one(
    page_file: Callable[..., str], local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    portsync("provision", None, page_file(), env=port_env)
    path = page_file(requiredQueryParams=["x"], sidebar="catalog", after="somewhere")

    run = portsync("provision", None, path, env=port_env)

    assert run.out == f"unchanged  {NAME} (page)\n"
    assert stored(local_port)["requiredQueryParams"] == []


def test_a_page_that_port_refuses_is_exit_code_4_and_the_blueprints_before_it_are_named_as_done(
    page_file: Callable[..., str], local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    widgets = copy.deepcopy(CLAUDE["widgets"])
    del widgets[0]["widgets"][0]["unit"]

    run = portsync("provision", None, page_file(widgets=widgets), BLUEPRINTS, env=port_env)

    assert run.exit_code == 4
    assert "must have required property 'unit'" in run.err
    assert f"create page {NAME}" in run.err
    assert f"`create page {NAME}` failed; done before it: create blueprint claude_code_analytics;" in run.err
    assert run.err.count("must have required property 'unit'") == 2, "once for each form of the line charts"
    assert local_port.api("GET", "/blueprints/claude_usage_record")["ok"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"widgets": []}', "error[bad-page]: the key `identifier` is missing"),
        ('{"widgets": [], "identifier": 5}', "error[bad-page]: the key `identifier` is missing"),
        ('{"widgets": {}, "identifier": "p"}', "error[bad-page]: `widgets` is not a list"),
        ('[{"widgets": [], "identifier": "p"}, {"widgets": [], "identifier": "p"}]', "the page `p` is in"),
    ],
)
def test_a_file_that_is_no_page_is_named_before_anything_is_sent(
    text: str, says: str, tmp_path: Path, local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    (tmp_path / "p.json").write_text(text, encoding="utf-8")

    run = portsync("provision", None, BLUEPRINTS, str(tmp_path / "p.json"), env=port_env)

    assert run.exit_code == 2
    assert says in run.err
    assert "p.json" in run.err
    assert local_port.api("GET", "/blueprints/claude_usage_record")["ok"] is False


def test_a_page_of_another_type_is_told_beside_the_problems_of_blueprints_and_nothing_is_sent(
    page_file: Callable[..., str],
    tmp_path: Path,
    local_port: LocalPort,
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> None:
    local_port.api("POST", "/pages", {"identifier": NAME, "type": "home"})
    lost = {"identifier": "lost", "title": "L", "schema": {"properties": {}}, "relations": {"r": {"target": "no"}}}
    (tmp_path / "lost.json").write_text(json.dumps(lost), encoding="utf-8")

    run = portsync("provision", None, page_file(), str(tmp_path / "lost.json"), env=port_env)

    assert run.exit_code == 2
    assert "error[missing-target]" in run.err
    assert f"error[page-type]: the page `{NAME}` is of type home in Port, and dashboard in the file" in run.err
    assert stored(local_port)["widgets"] == []


def test_a_port_without_the_current_line_charts_gets_the_legacy_ones(
    page_file: Callable[..., str],
    port_that: Callable[[Guesses], LocalPort],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> None:
    port = port_that(OLDER)

    first = portsync("provision", None, page_file(), env=port_env)
    second = portsync("provision", None, page_file(), env=port_env)
    renamed = portsync("provision", None, page_file(title="Other"), env=port_env)
    moved = portsync("provision", None, page_file(widgets=swapped()), "--format", "json", env=port_env)

    assert first.out == f"create     {NAME} (page; legacy line charts)\n"
    assert forms(stored(port)) == {"line-chart"}
    assert second.out == f"unchanged  {NAME} (page)\n"
    assert renamed.out == f"update     {NAME} (page; title)\n"
    assert json.loads(moved.out)["pages"] == [
        {"identifier": NAME, "change": "update", "sections": ["title", "widgets"], "legacy_line_charts": True}
    ]


def swapped() -> list[dict[str, Any]]:
    """The dashboard's widgets, the first two in each other's place."""
    widgets: list[dict[str, Any]] = copy.deepcopy(CLAUDE["widgets"])
    inner = widgets[0]["widgets"]
    inner[0], inner[1] = inner[1], inner[0]
    return widgets


@pytest.mark.parametrize(("choice", "form"), [("multi", "multi-line-chart"), ("legacy", "line-chart")])
def test_the_form_of_line_charts_can_be_chosen(
    choice: str,
    form: str,
    page_file: Callable[..., str],
    local_port: LocalPort,
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> None:
    portsync("provision", None, page_file(), env=port_env)

    run = portsync("provision", None, page_file(), "--line-charts", choice, env=port_env)

    assert run.out.split()[0] == ("unchanged" if choice == "multi" else "update")
    assert forms(stored(local_port)) == {form}


@pytest.mark.parametrize(("choice", "guesses"), [("multi", OLDER), ("legacy", NEWER)])
def test_a_form_that_was_chosen_is_not_replaced_by_the_other(
    choice: str,
    guesses: Guesses,
    page_file: Callable[..., str],
    port_that: Callable[[Guesses], LocalPort],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> None:
    port = port_that(guesses)

    run = portsync("provision", None, page_file(), "--line-charts", choice, env=port_env)

    assert run.exit_code == 4
    assert "must be equal to one of the allowed values" in run.err
    assert port.api("GET", f"/pages/{NAME}")["ok"] is False


def test_a_file_with_legacy_line_charts_comes_in_the_current_form(
    page_file: Callable[..., str],
    tmp_path: Path,
    port_that: Callable[[Guesses], LocalPort],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> None:
    older = port_that(OLDER)
    portsync("provision", None, page_file(), env=port_env)
    legacy = {key: value for key, value in stored(older).items() if not key.endswith(("At", "By"))}
    (tmp_path / "legacy.json").write_text(json.dumps(legacy), encoding="utf-8")
    newer = port_that(NEWER)

    run = portsync("provision", None, str(tmp_path / "legacy.json"), env=port_env)

    assert run.exit_code == 0
    assert forms(stored(newer)) == {"multi-line-chart"}


def test_a_line_chart_that_the_legacy_form_cannot_express_is_told_and_nothing_is_sent(
    page_file: Callable[..., str], local_port: LocalPort, portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    path = page_file(widgets=with_two_lines())

    run = portsync("provision", None, path, BLUEPRINTS, "--line-charts", "legacy", env=port_env)

    assert run.exit_code == 2
    assert "error[line-chart]: the line chart `tokenUsageOverTime`" in run.err
    assert local_port.api("GET", "/blueprints/claude_usage_record")["ok"] is False


def test_check_passes_over_pages_among_blueprints(
    tmp_path: Path, page_file: Callable[..., str], mapping: Callable[..., str], portsync: Callable[..., Run]
) -> None:
    folder = tmp_path / "fit"
    folder.mkdir()
    page_file("fit/page.json")
    properties = {"size": {"type": "number"}}
    thing = {"identifier": "thing", "title": "Thing", "schema": {"properties": properties}}
    (folder / "thing.json").write_text(json.dumps(thing), encoding="utf-8")

    run = portsync("check", mapping(), "--blueprints", str(folder), env={"SRC_TOKEN": "t"})

    assert (run.exit_code, run.err) == (0, "")
