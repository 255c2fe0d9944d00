"""A manifest of Airbyte and a configuration of dlt, from the file to entities in Port."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, LocalPort, Run, Source

HERE = Path(__file__).parent


def forge(asked: Asked) -> Any:
    """A forge: pages of two by the Link header; issues are asked for since and until a moment."""
    if asked.headers.get("authorization") != "Bearer forge-0000" or asked.headers.get("x-version") != "2022-11-28":
        return Response("{}", 401)
    query = dict(asked.query)
    assert query["per_page"] == "2"
    match asked.path.split("/"):
        case ["", "api", "v3", "orgs", "emca", "repos"]:
            return Response("{}", 404)
        case ["", "api", "v3", "orgs", "acme", "repos"]:
            return _page(asked, [_repository(n) for n in range(5)])
        case ["", "api", "v3", "repos", name, "issues"]:
            month = query["since"][:7]
            return [{"id": f"{name}-{month}", "updated_at": query["since"]}]
        case _:
            return Response("{}", 500)


def _repository(number: int) -> dict[str, Any]:
    moment = "2026-01-01T00:00:00Z"
    return {
        "id": number,
        "name": f"Repo{number}",
        "private": number == 1,
        "created_at": moment,
        "pushed_at": "2026-01-01T00:00:00",
        "topics": ["a"],
        "owner": {"login": "acme"},
        "homepage": None,
        "archived": number == 0,
        "size": 0 if number == 4 else 9,
    }


def _page(asked: Asked, records: list[Any]) -> Response:
    number = int(dict(asked.query).get("page", "1"))
    headers = {}
    if number * 2 < len(records):
        headers["link"] = f'<http://{asked.headers["host"]}{asked.path}?per_page=2&page={number + 1}>; rel="next"'
    return Response(json.dumps(records[number * 2 - 2 : number * 2]), headers=headers, media_type="application/json")


def test_a_manifest_of_airbyte_brings_its_streams_into_port(
    source: Source, local_port: LocalPort, portsync: Callable[..., Run], bring: Callable[..., Run], tmp_path: Path
) -> None:
    source.answer = forge
    (tmp_path / "forge.yaml").write_text((HERE / "airbyte" / "forge.yaml").read_text(encoding="utf-8"))
    env = {"URL": source.url, "CREDENTIALS_PERSONAL_ACCESS_TOKEN": "forge-0000"}

    given = portsync(
        "import", None, "forge.yaml", "--from", "airbyte", "--out", "m/out.yaml", "--blueprints", "m/blueprints/out"
    )
    text = (tmp_path / "m" / "out.yaml").read_text()
    checked = portsync("check", None, "m/out.yaml", env=env)
    run = bring(text, [json.loads(path.read_text()) for path in sorted((tmp_path / "m/blueprints/out").iterdir())], env)

    assert given.exit_code == 0, given.err
    assert checked.exit_code == 0, checked.err
    assert run.exit_code == 0, run.err + run.out
    repositories, issues = local_port.entities("repositories"), local_port.entities("issues")
    # Repo0 is archived, Repo4 is empty: the filter leaves them out, also as parents of issues.
    assert set(repositories) == {"1", "2", "3"}
    assert set(issues) == {f"Repo{n}-2026-{month}" for n in (1, 2, 3) for month in ("10", "11")}
    one = repositories["1"]["properties"]
    assert {name: one[name] for name in ("slug", "organisation", "private", "owner")} == {
        "slug": "repo1", "organisation": "acme", "private": True, "owner": {"login": "acme"},
    }  # fmt: skip
    windows = [dict(asked.query) for asked in source.asked if asked.path == "/api/v3/repos/Repo1/issues"]
    assert [(w["since"], w["until"]) for w in windows] == [
        ("2026-10-01T00:00:00Z", "2026-10-31T23:59:59Z"),
        ("2026-11-01T00:00:00Z", "2026-11-22T12:00:00Z"),
    ]


def tracker(asked: Asked) -> Any:
    """A tracker: numbered pages from 1, an empty one at the end."""
    if asked.headers.get("authorization") != "Bearer trk-0000-1111" or asked.headers.get("x-client") != "catalog":
        return Response("{}", 401)
    number = int(dict(asked.query).get("page", "1"))
    projects = [
        {"id": n, "name": f"P{n}", "started": "2026-01-01T00:00:00Z", "meta": {}, "owner": {"id": f"o{n}"}}
        for n in (1, 2, 3)
    ]
    match asked.path.split("/")[3:]:
        case ["projects"]:
            assert dict(asked.query)["since"] == "2026-01-01"
            return {"items": projects[number * 2 - 2 : number * 2]}
        case ["projects", "3", "tasks"]:
            return Response("{}", 404)
        case ["projects", one, "tasks"]:
            assert asked.headers["x-project"] == f"P{one}"
            return {"items": [{"id": 7, "project_id": int(one), "title": "t"}] if number == 1 else []}
        case ["projects", one]:
            return projects[int(one) - 1]
        case _:
            return Response("{}", 500)


def test_a_configuration_of_dlt_brings_its_resources_into_port(
    source: Source, local_port: LocalPort, portsync: Callable[..., Run], bring: Callable[..., Run], tmp_path: Path
) -> None:
    source.answer = tracker
    file = (HERE / "dlt" / "tracker.json").read_text(encoding="utf-8").replace("https://tracker.example", source.url)
    (tmp_path / "tracker.json").write_text(file)
    env = {"SOURCE_TOKEN": "trk-0000-1111"}

    given = portsync("import", None, "tracker.json", "--from", "dlt", "--format", "json")
    result = json.loads(given.out)
    run = bring(result["mapping"], result["blueprints"], env)

    assert given.exit_code == 0, given.err
    assert run.exit_code == 0, run.err + run.out
    assert set(local_port.entities("projects")) == {"1", "2", "3"}
    tasks = local_port.entities("tasks")
    assert set(tasks) == {"1-7", "2-7"}
    assert tasks["2-7"]["properties"] == {"id": 7, "title": "t", "_projects_id": "2", "_projects_name": "P2"}
    assert set(local_port.entities("project_owner")) == {"o1", "o2", "o3"}
