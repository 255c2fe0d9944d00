"""Every folder of the library: it fits its blueprints, its cases pass, and what they give arrives in Port."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.app import create_app
from tests.conftest import PORT_SECRET, LocalPort
from tests.library.shelf import APIS, ROOT, Api, Replay, held, is_whole, users_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.authoring.cases import Case
    from portsync.authoring.suite import Suite
    from tests.conftest import Run, Stage

PAGES = ROOT / "docs" / "library"
each_api = pytest.mark.parametrize("api", APIS, ids=[api.name for api in APIS])
CASES = [(api, case) for api in APIS for case in api.suite().cases.file.cases]


def of_cases(*, whole: bool) -> pytest.MarkDecorator:
    some = [(api, case.name) for api, case in CASES if is_whole(case) is whole]
    return pytest.mark.parametrize(("api", "name"), some, ids=[f"{api.name}: {name}" for api, name in some])


def named(suite: Suite, name: str) -> Case:
    (case,) = [case for case in suite.cases.file.cases if case.name == name]
    return case


@pytest.fixture
def played(
    source_stage: tuple[Stage, str],
    port_stage: tuple[Stage, str],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> Callable[..., tuple[Replay, LocalPort, Callable[[], Run]]]:
    """The answers of a case on loopback, a local Port without blueprints, and a sync from one to the other."""

    def play(api: Api, name: str) -> tuple[Replay, LocalPort, Callable[[], Run]]:
        suite = api.suite()
        case = named(suite, name)
        stage, origin = source_stage
        replay = Replay(api, case, suite, origin)
        stage.app = replay.app()
        port_app, port_url = port_stage
        port_app.app = create_app(client_id="cid", client_secret=PORT_SECRET, users=users_of(case))
        env = {**port_env, **replay.environment(), "PORTSYNC_INITIALIZE_RESOURCES": "true"}
        kinds = [option for kind in case.kind or () for option in ("--kind", kind)]

        def sync() -> Run:
            return portsync("sync", None, api.shipped, *kinds, env=env, at=replay.now.timestamp())

        return replay, LocalPort(port_url), sync

    return play


def test_there_are_ten_of_them_at_least() -> None:
    assert len(APIS) >= 10


@each_api
def test_a_mapping_of_the_library_fits_its_blueprints_and_raises_no_doubt(
    api: Api, portsync: Callable[..., Run]
) -> None:
    env = {name: "https://api.example.com" if name.endswith("URL") else "invented-value" for name in api.needed()}

    run = portsync("check", None, api.shipped, "--format", "json", env=env)

    assert (run.exit_code, run.err) == (0, "")
    found = json.loads(run.out)
    assert (found["problems"], found["warnings"]) == ([], [])


@each_api
def test_the_cases_of_the_library_pass_and_leave_no_expression_out(api: Api, portsync: Callable[..., Run]) -> None:
    run = portsync("test", None, f"mappings/{api.name}", "--cov", "--format", "json")

    assert run.exit_code == 0, run.out
    (file,) = json.loads(run.out)["files"]
    assert file["coverage"]["gaps"] == []
    # One request after the other is said, so a question that changes is noticed.
    assert all(case.expect and case.expect.requests for case in api.suite().cases.file.cases)


@each_api
def test_every_folder_has_a_case_that_is_whole_and_one_that_is_refused(api: Api) -> None:
    cases = api.suite().cases.file.cases
    assert any(is_whole(case) for case in cases)
    assert any(case.expect and case.expect.verdict == "incomplete (status)" for case in cases) or api.name == "slack"


@of_cases(whole=True)
def test_what_a_case_gives_arrives_in_port_as_it_says(api: Api, name: str, played: Callable[..., Any]) -> None:
    replay, port, sync = played(api, name)

    run = sync()

    assert run.exit_code == 0, run.err
    assert replay.keeper.missed == []
    assert replay.bare == []
    assert {row["verdict"] for row in run.report["resources"]} == {"complete"}
    expected = replay.case.expect
    assert expected is not None
    wanted: dict[str, dict[str, Any]] = {path.stem: {} for path in (api.folder / "blueprints").glob("*.json")}
    for entity in expected.entities or []:
        moved = json.loads(replay.moved(json.dumps(entity.model_dump())))
        wanted[entity.blueprint][str(entity.identifier)] = moved
    for blueprint, entities in wanted.items():
        schema = json.loads((api.folder / "blueprints" / f"{blueprint}.json").read_text())["schema"]["properties"]
        found = {name: held(entity, schema) for name, entity in port.entities(blueprint).items()}
        # An entity without a title has its identifier for one, in Port.
        assert found == {name: held({**e, "title": e["title"] or name}, schema) for name, e in entities.items()}


@of_cases(whole=True)
def test_a_second_run_finds_everything_as_it_was(api: Api, name: str, played: Callable[..., Any]) -> None:
    replay, port, sync = played(api, name)
    sync()
    port.script()

    replay.keeper = Replay(api, replay.case, replay.suite, replay.origin).keeper
    run = sync()

    assert run.exit_code == 0, run.err
    assert port.writes() == []


@of_cases(whole=False)
def test_what_goes_wrong_is_told_with_the_mapping_s_own_advice(api: Api, name: str, played: Callable[..., Any]) -> None:
    replay, _, sync = played(api, name)

    run = sync()

    assert run.exit_code != 0
    reason = replay.case.expect.verdict.removeprefix("incomplete (").rstrip(")")
    assert reason in {row["reason"] for row in run.report["resources"]}
    hints = replay.suite.mapping.file.source.hints
    status = next((str(given.status) for given in replay.case.given or () if given.status >= 400), "")
    code = {"status": status, "data_path": "data-path", "context": "data-path"}.get(reason)
    if code is not None:
        assert f"hint: {hints[code]}" in run.err.replace("\n        ", " ")


@each_api
def test_a_mapping_s_header_names_each_variable_and_its_sources_with_their_date(api: Api) -> None:
    text = api.path.read_text(encoding="utf-8")
    head = text.split("\nsource:")[0]
    assert all(line.startswith("# ") for line in head.splitlines())
    assert {name for name in api.variables() if name not in head} <= {
        name for name in api.variables() if "_URL" in name
    }
    assert re.search(r"Fields: .*read\s(?:# )?[A-Z][a-z]+\s(?:# )?20\d\d", head.replace("\n# ", " "))


@each_api
def test_identifiers_relations_and_formats_are_as_the_library_wants_them(api: Api) -> None:
    blueprints = [json.loads(path.read_text()) for path in sorted((api.folder / "blueprints").glob("*.json"))]
    for blueprint in blueprints:
        for name, one in blueprint["schema"]["properties"].items():
            if name.endswith("_at") or name == "day":
                assert one.get("format") == "date-time", name
            if name in ("url", "email"):
                assert one.get("format") == name, name
            assert set(one.get("enumColors", {})) == set(one.get("enum", ())), name
    targets = {relation["target"] for blueprint in blueprints for relation in blueprint["relations"].values()}
    assert targets & {blueprint["identifier"] for blueprint in blueprints}
    for resource in api.suite().mapping.file.resources:
        assert resource.selector.window is None or not resource.selector.delete_stale


# The pages


def rows() -> dict[str, str]:
    """The rows of the index, by the page that each links."""
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    return {match[1]: line for line in index.splitlines() if (match := re.match(r"\| \[[^\]]+\]\(([^)]+)\.md\)", line))}


def test_the_index_has_a_row_for_each_folder_and_the_documentation_leads_to_it() -> None:
    assert list(rows()) == sorted(api.name for api in APIS)
    assert "(library/index.md)" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


@each_api
def test_the_page_of_an_api_says_how_to_run_it_and_shows_the_result(api: Api) -> None:
    text = (PAGES / f"{api.name}.md").read_text(encoding="utf-8")
    assert f"portsync sync {api.shipped}" in text
    for heading in (
        "What it brings",
        "Credentials",
        "Run it",
        "Where the facts are from",
        "What only a live account can prove",
    ):
        assert f"\n## {heading}\n" in text
    for path in (api.folder / "blueprints").glob("*.json"):
        assert f"`{path.stem}`" in text
    assert {name for name in api.variables() if f"`{name}`" not in text and f"{name}=" not in text} == set()
    (picture,) = re.findall(r"!\[[^\]]+\]\((\.\./images/library/[a-z-]+\.png)\)", text)
    assert (PAGES / picture).resolve() == ROOT / "docs" / "images" / "library" / f"{api.name}.png"


@each_api
def test_a_picture_is_1200_pixels_wide_and_small(api: Api) -> None:
    content = (ROOT / "docs" / "images" / "library" / f"{api.name}.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(content[16:20], "big") == 1200
    assert len(content) <= 80 * 1024
