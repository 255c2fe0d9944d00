"""The first view, the data sources and the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulator.page.conftest import ORIGIN, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.emulator.page.conftest import Element

REPORT: dict[str, Any] = {
    "version": 1,
    "run_id": "4f3c",
    "mapping": "mappings/claude.yaml",
    "started_at": "2025-01-01T11:58:00.000Z",
    "finished_at": "2025-01-01T11:58:02.500Z",
    "duration_s": 2.5,
    "status": "partial",
    "exit_code": 1,
    "resources": [
        {"index": 0, "kind": "/usage", "blueprints": ["record"], "verdict": "complete", "reason": None,
         "requests": 3, "pages": 3, "records": 250, "entities": 250, "created": 200, "unchanged": 50, "rejected": 0},
        {"index": 1, "kind": "/cost", "blueprints": ["workspace"], "verdict": "incomplete", "reason": "rate_limit",
         "requests": 9, "pages": 2, "records": 40, "entities": 40, "created": 39, "unchanged": 0, "rejected": 1},
    ],
    "deletions": [{"blueprint": "record", "stale": 5, "deleted": 0, "refused": "incomplete"}],
    "problems": [
        {"code": "port-rejected", "kind": "/cost", "place": "page 2, record 17", "identifier": "c@17",
         "message": "Port refused it", "hint": "look at `cost`", "resource": 1},
    ],
    "dead_letters": "dead.jsonl",
    "totals": {"records": 290, "created": 239, "updated": 0, "unchanged": 50, "rejected": 1, "failures": 0,
               "deleted": 0},
}  # fmt: skip


def tiles(view: Element) -> dict[str, str]:
    """The figures at the top."""
    return {each.all("span")[0].words: each.one("b").words for each in view.all("div", cls="tile")}


def test_an_empty_catalogue_says_what_would_fill_it(port: httpx.Client, look: Callable[..., Element]) -> None:
    view = look(port, "/")

    assert tiles(view) == {"Entities": "1", "Blueprints": "1", "Last write": "never", "Last run": "none yet"}
    assert "None yet" in look(port, "/sources").one("main").text
    assert "None yet" in look(port, "/runs").one("main").text


def test_blueprints_are_drawn_with_their_relations_and_counts(
    records: httpx.Client, look: Callable[..., Element]
) -> None:
    for number in range(3):
        records.post("/blueprints/workspace/entities", json={"identifier": f"w{number}", "properties": {}})
    view = look(records, "/")
    graph = view.one("div", cls="graph")

    assert [node.one("text", cls="about").words for node in graph.all("a", cls="node")] == [
        "0 entities",
        "3 entities",
        "1 entity",
    ]
    assert sorted(edge.one("text").words for edge in graph.all("g", cls="edge")) == [
        "parent",
        "seen_in ∗",  # noqa: RUF001 - as it is drawn
        "user",
        "workspace",
    ]
    assert [row[:4] for row in rows(view)] == [
        ["Recordrecord", "0", "7", "4"],
        ["Workspaceworkspace", "3", "0", "0"],
        ["User_user", "1", "3", "0"],
    ]
    assert tiles(view)["Entities"] == "4"
    menu = view.all("nav")[0]
    assert "/blueprints/workspace" in [link.attributes["href"] for link in menu.all("a")]


def test_a_report_is_shown_whole(records: httpx.Client, look: Callable[..., Element]) -> None:
    answer = records.post(f"{ORIGIN}/_runs", json=REPORT)
    assert (answer.status_code, answer.json()) == (201, {"ok": True, "numbers": [1]})
    view = look(records, "/runs/1")

    assert view.one("h1").words == "claude.yaml partial"
    assert tiles(view) == {
        "Records": "290",
        "Created": "239",
        "Updated": "0",
        "Unchanged": "50",
        "Deleted": "0",
        "Rejected": "1",
        "Failures": "0",
    }
    heads = [head.words for head in view.all("thead")[0].all("th")]
    assert heads[2:] == ["Requests", "Pages", "Records", "Entities", "Created", "Unchanged", "Rejected"]
    assert rows(view) == [
        ["/usagerecord", "complete", "3", "3", "250", "250", "200", "50", "0"],
        ["/costworkspace", "incompleterate_limit", "9", "2", "40", "40", "39", "0", "1"],
    ]
    assert [cell.words for cell in view.all("tbody")[1].all("td")] == ["record", "5", "0", "incomplete"]
    problem = view.one("article", cls="problem").words
    assert problem == "port-rejected Port refused it/cost · page 2, record 17 · c@17look at `cost`"
    assert "dead.jsonl" in view.text
    assert rows(look(records, "/runs"))[0][:4] == ["claude.yaml", "partial", "2 min ago", "2.5 s"]
    assert tiles(look(records, "/"))["Last run"] == "partial"


def test_the_reports_of_several_mappings_are_several_runs(port: httpx.Client, look: Callable[..., Element]) -> None:
    other = {**REPORT, "mapping": "other.yaml", "status": "ok"}
    answer = port.post(f"{ORIGIN}/_runs", json={"version": 1, "runs": [REPORT, other]})

    assert answer.json()["numbers"] == [1, 2]
    assert [row[0] for row in rows(look(port, "/runs"))] == ["other.yaml", "claude.yaml"]
    assert port.get(f"{ORIGIN}/_runs").json()["runs"] == [REPORT, other]


def test_the_newest_200_reports_are_kept(port: httpx.Client) -> None:
    for start in range(0, 210, 30):
        runs = [{**REPORT, "run_id": str(start + number), "problems": []} for number in range(30)]
        port.post(f"{ORIGIN}/_runs", json={"runs": runs}).raise_for_status()

    kept = [run["run_id"] for run in port.get(f"{ORIGIN}/_runs").json()["runs"]]
    assert kept == [str(number) for number in range(10, 210)]


def test_what_is_no_report_is_refused(port: httpx.Client) -> None:
    wrong: list[Any] = [{}, [], {"runs": []}, {**REPORT, "totals": {"records": "many"}}, {**REPORT, "problems": [1]}]
    for body in wrong:
        assert port.post(f"{ORIGIN}/_runs", json=body).status_code == 422
    assert port.post(f"{ORIGIN}/_runs", content=b"{").status_code == 400
    assert port.post(f"{ORIGIN}/_runs", content=b" " * (1024 * 1024 + 1)).status_code == 413
    assert port.get(f"{ORIGIN}/_runs").json()["runs"] == []


def test_a_data_source_shows_record_mapping_and_entity_side_by_side(
    records: httpx.Client, look: Callable[..., Element]
) -> None:
    kind = "/v1/usage?x=1"
    mappings = {
        "identifier": '.org + "@" + .date',
        "blueprint": '"record"',
        "properties": {"day": ".date", "cost": ".amount * 2"},
        "relations": {"user": ".email"},
    }
    resource = {"kind": kind, "selector": {"query": "true"}, "port": {"entity": {"mappings": mappings}}}
    config = {"deleteDependentEntities": False, "resources": [resource]}
    records.post("/integration", json={"installationId": "main", "config": config}).raise_for_status()
    state = {
        "status": "completed",
        "lastResyncStart": "2025-01-01T11:00:00Z",
        "nextResync": None,
        "intervalInMinuets": 60,
    }
    records.patch("/integration/main/resync-state", json=state).raise_for_status()
    example = {"org": "acme", "date": "2025-01-01", "amount": 21}
    examples = "/integration/main/kinds/%2Fv1%2Fusage%3Fx%3D1/examples"
    records.post(examples, json={"examples": [example]}).raise_for_status()
    for day in ("2024-12-31", "2025-01-01", "2025-01-02"):
        entity = {"identifier": f"acme@{day}", "properties": {"day": f"{day}T00:00:00Z", "cost": 42}}
        records.post("/blueprints/record/entities", json=entity).raise_for_status()

    view = look(records, "/sources/main")

    raw, entity_shown = (pre.words for pre in view.one("div", cls="three").all("pre"))
    assert raw == '{ "org": "acme", "date": "2025-01-01", "amount": 21 }'
    assert '"identifier": "acme@2025-01-01"' in entity_shown
    assert rows(view) == [
        ["identifier", '.org + "@" + .date'],
        ["blueprint", '"record"'],
        ["day", ".date"],
        ["cost", ".amount * 2"],
        ["→ user", ".email"],
    ]
    assert tiles(view) == {
        "State": "completed",
        "Last resync began": "1 h ago",
        "Ended": "—",
        "Resync asked for": "never",
    }
    assert rows(look(records, "/sources"))[0][:3] == ["main", "completed", "1 h ago"]
