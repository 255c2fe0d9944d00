"""Pages: their life, what a change may hold, and the widgets that Port takes."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.guesses import Guesses
from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    import httpx

CLAUDE: dict[str, Any] = json.loads((shipped_folder() / "dashboards" / "claude.json").read_text(encoding="utf-8"))
QUERY = {"combinator": "and", "rules": [{"property": "$blueprint", "operator": "=", "value": "record"}]}
NUMBER = {"type": "entities-number-chart", "unit": "none"}
PIE = {"type": "entities-pie-chart", "property": "property#model", "dataset": QUERY}
LINE = {
    "type": "line-chart",
    "chartType": "aggregatePropertiesValues",
    "blueprint": "record",
    "func": "sum",
    "properties": ["properties.cost"],
    "measureTimeBy": "day",
}
MULTI = {
    "type": "multi-line-chart",
    "title": "Cost",
    "timeInterval": "isoWeek",
    "timeRange": {"preset": "lastMonth"},
    "lines": [{key: value for key, value in LINE.items() if key != "type"} | {"title": "Cost"}],
}
TABLE = {"type": "table-entities-explorer", "displayMode": "widget", "dataset": QUERY}


def page(*widgets: dict[str, Any], identifier: str = "p") -> dict[str, Any]:
    """A dashboard page with these widgets, each in a row of its own."""
    named = [{"id": f"w{number}", **widget} for number, widget in enumerate(widgets)]
    dashboard = {
        "id": "d",
        "type": "dashboard-widget",
        "layout": [{"height": 400, "columns": [{"id": widget["id"], "size": 12}]} for widget in named],
        "widgets": named,
    }
    return {"identifier": identifier, "title": "P", "type": "dashboard", "widgets": [dashboard]}


def refusal(port: httpx.Client, body: dict[str, Any]) -> str:
    """What the local Port says against a page; empty where it takes it."""
    answer = port.post("/pages", json=body)
    if answer.status_code == 201:
        assert port.delete(f"/pages/{body['identifier']}").status_code == 200
        return ""
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    return str(answer.json()["message"])


def test_a_page_is_created_read_listed_changed_and_deleted(port: httpx.Client) -> None:
    created = port.post("/pages", json=page(NUMBER))
    assert (created.status_code, created.json()) == (201, {"ok": True, "identifier": "p"})
    stored = port.get("/pages/p").json()["page"]
    assert stored["widgets"][0]["widgets"][0]["unit"] == "none"
    assert stored["createdAt"] == stored["widgets"][0]["widgets"][0]["updatedAt"] == "2025-01-01T12:00:00.000Z"
    assert stored["showInSidebar"] is True
    changed = port.patch("/pages/p", json={"title": "Q"})
    assert (changed.status_code, changed.json()) == (200, {"ok": True, "identifier": "p"})
    assert port.get("/pages/p").json()["page"] == {**stored, "title": "Q"}
    assert [each["identifier"] for each in port.get("/pages").json()["pages"]] == ["p"]
    assert port.delete("/pages/p").json() == {"ok": True}
    for answer in (port.get("/pages/p"), port.patch("/pages/p", json={}), port.delete("/pages/p")):
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_a_page_over_another_one_is_a_conflict(port: httpx.Client) -> None:
    for identifier in ("p", "q"):
        assert port.post("/pages", json=page(identifier=identifier)).status_code == 201
    for answer in (port.post("/pages", json=page()), port.patch("/pages/p", json={"identifier": "q"})):
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert port.patch("/pages/p", json={"identifier": "r"}).json() == {"ok": True, "identifier": "r"}
    assert [each["identifier"] for each in port.get("/pages").json()["pages"]] == ["q", "r"]


def test_the_neighbour_of_a_page_has_to_exist(port: httpx.Client) -> None:
    for key in ("parent", "after"):
        answer = port.post("/pages", json={**page(), key: "nowhere"})
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
        assert f'Sidebar item with {key} "nowhere"' in answer.json()["message"]
    assert port.post("/pages", json=page(identifier="first")).status_code == 201
    assert port.post("/pages", json={**page(), "after": "first", "parent": None}).status_code == 201


@pytest.mark.parametrize("key", ["type", "sidebar", "requiredQueryParams", "createdAt"])
def test_a_change_holds_only_what_can_be_changed(key: str, port: httpx.Client) -> None:
    port.post("/pages", json=page())
    answer = port.patch("/pages/p", json={key: None})
    assert answer.status_code == 422
    assert f"must NOT have additional properties ({key})" in answer.json()["message"]


def test_the_widgets_of_a_change_are_checked_too(port: httpx.Client) -> None:
    port.post("/pages", json=page())
    answer = port.patch("/pages/p", json={"widgets": page({**PIE, "func": "sum"})["widgets"]})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert port.get("/pages/p").json()["page"]["widgets"][0]["widgets"] == []


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"title": "P"}, "\"body\" must have required property 'identifier'"),
        ({"identifier": "a b"}, '"body.identifier" must match pattern'),
        ({"identifier": "é"}, '"body.identifier" must match pattern'),
        ({"identifier": "p", "type": "chart"}, '"body.type" must be equal to one of the allowed values'),
        ({"identifier": "p", "section": "home"}, '"body.section" must be equal to one of the allowed values'),
        ({"identifier": "p", "widgets": ["x"]}, '"body.widgets.0" must be object'),
        ({"identifier": "p", "widgets": [{"id": "x"}]}, "\"body.widgets.0\" must have required property 'type'"),
        ({"identifier": "p", "widgets": [{"type": "gauge"}]}, 'The widget type "gauge" is not supported'),
    ],
)
def test_a_page_that_breaks_the_schema_is_refused_with_its_place(
    body: dict[str, Any], place: str, port: httpx.Client
) -> None:
    assert place in refusal(port, body)


@pytest.mark.parametrize(
    "widget",
    [
        NUMBER,
        {**NUMBER, "anything": 1},
        {**NUMBER, "calculationBy": "entities", "func": "count"},
        {**NUMBER, "calculationBy": "property", "property": "cost", "func": "average", "averageOf": "total"},
        {**NUMBER, "unit": "custom", "unitCustom": "h"},
        {**NUMBER, "chartType": "aggregateByProperty", "dataset": QUERY["rules"]},
        PIE,
        {**PIE, "type": "bar-chart", "property": "$title"},
        {**PIE, "property": "scorecard-rule#a#b"},
        LINE,
        {**LINE, "timeInterval": "day", "timeRange": {"preset": "lastMonth"}},
        {"type": "line-chart", "chartType": "countEntities", "blueprint": "b", "func": "count", "measureTimeBy": "d"},
        {"type": "line-chart", "chartType": "propertiesValueHistory", "entity": "e", "properties": ["properties.x"]},
        MULTI,
        {**MULTI, "baselines": [{"value": 3}], "nullValueDisplayMode": "zero"},
        TABLE,
        {**TABLE, "blueprintConfig": {"record": {"groupSettings": {"groupBy": []}, "title": "Records"}}},
        {"type": "markdown", "markdown": "# Hi"},
    ],
)
def test_widgets_that_port_takes_are_taken(widget: dict[str, Any], port: httpx.Client) -> None:
    assert refusal(port, page(widget)) == ""


W = "body.widgets.0.widgets.0"


@pytest.mark.parametrize(
    ("widget", "says"),
    [
        ({"type": "entities-number-chart"}, f"\"{W}\" must have required property 'unit'"),
        ({**NUMBER, "unit": "EUR"}, f'"{W}.unit" must be equal to one of the allowed values'),
        ({**NUMBER, "unit": "custom"}, f"\"{W}\" must have required property 'unitCustom'"),
        ({**NUMBER, "displayFormatting": "custom"}, f"\"{W}\" must have required property 'decimalPlaces'"),
        ({**NUMBER, "chartType": "aggregateByProperty"}, f"\"{W}\" must have required property 'dataset'"),
        ({**NUMBER, "calculationBy": "property", "func": "sum"}, f"\"{W}\" must have required property 'property'"),
        ({**NUMBER, "calculationBy": "property", "property": "a", "func": "count"}, f'"{W}.func" must be equal to'),
        ({**NUMBER, "calculationBy": "entities", "func": "sum"}, f'"{W}.func" must be equal to'),
        (
            {**NUMBER, "calculationBy": "entities", "func": "average"},
            f"\"{W}\" must have required property 'averageOf'",
        ),
        ({**NUMBER, "dataset": {"rules": []}}, f"\"{W}.dataset\" must have required property 'combinator'"),
        ({**PIE, "func": "sum"}, f'"{W}" must NOT have additional properties (func)'),
        ({**PIE, "type": "bar-chart", "aggregateProperty": "cost"}, "must NOT have additional properties"),
        ({**PIE, "property": "model"}, f'"{W}.property" must match pattern'),
        ({**PIE, "dataset": QUERY["rules"]}, f'"{W}.dataset" must be object'),
        ({key: value for key, value in LINE.items() if key != "func"}, f"\"{W}\" must have required property 'func'"),
        ({**LINE, "func": "count"}, f'"{W}.func" must be equal to one of the allowed values'),
        ({**LINE, "properties": []}, f'"{W}.properties" must NOT have fewer than 1 items'),
        ({**LINE, "lines": []}, f'"{W}" must NOT have additional properties (lines)'),
        ({**LINE, "timeInterval": "week"}, f'"{W}.timeInterval" must be equal to one of the allowed values'),
        ({**MULTI, "lines": []}, f'"{W}.lines" must NOT have fewer than 1 items'),
        ({**MULTI, "func": "sum"}, f'"{W}" must NOT have additional properties (func)'),
        ({**MULTI, "lines": [{"title": "x", "chartType": "countEntities"}]}, f'"{W}.lines.0" must have required'),
        ({**MULTI, "timeRange": {}}, f"\"{W}.timeRange\" must have required property 'preset'"),
        ({**TABLE, "columns": []}, f'"{W}" must NOT have additional properties (columns)'),
        ({**TABLE, "blueprintConfig": {"r": {"title": "x" * 21}}}, "must NOT have more than 20 characters"),
    ],
)
def test_widgets_that_port_refuses_are_refused_with_their_place(
    widget: dict[str, Any], says: str, port: httpx.Client
) -> None:
    assert says in refusal(port, page(widget))


def changed_layout(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    body = copy.deepcopy(page(NUMBER, NUMBER))
    change(body["widgets"][0])
    return body


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d["layout"][0]["columns"][0].update(size=6), "must have columns of 12 in all, not 6"),
        (lambda d: d["layout"][0]["columns"][0].update(size=2), "must be >= 3"),
        (lambda d: d["layout"][0].update(height=300), "must be >= 400"),
        (lambda d: d["layout"].pop(), "must have one column for each widget, and no other (w1)"),
        (lambda d: d["widgets"].pop(), "must have one column for each widget, and no other (w1)"),
        (lambda d: d["layout"].append(d["layout"][0]), "must have one column for each widget, and no other (w0)"),
        (lambda d: d["widgets"][0].pop("id"), "\"body.widgets.0.widgets.0\" must have required property 'id'"),
        (lambda d: d["widgets"][1].update(id="w0"), 'must NOT have the widget id "w0" twice'),
        (lambda d: d.update(id="w0"), 'must NOT have the widget id "w0" twice'),
        (lambda d: d.pop("layout"), "must have required property 'layout'"),
    ],
)
def test_a_layout_has_whole_rows_and_one_column_for_each_widget(
    change: Callable[[dict[str, Any]], Any], says: str, port: httpx.Client
) -> None:
    assert says in refusal(port, changed_layout(change))


def test_either_form_of_a_line_chart_can_be_switched_off(local_port: Callable[..., httpx.Client]) -> None:
    only_multi = local_port(guesses=Guesses(line_chart_accepted=False))
    only_legacy = local_port(guesses=Guesses(multi_line_chart_accepted=False))

    assert "(line-chart)" in refusal(only_multi, page(LINE))
    assert refusal(only_multi, page(MULTI)) == ""
    assert "(multi-line-chart)" in refusal(only_legacy, page(MULTI))
    assert refusal(only_legacy, page(LINE)) == ""


def test_the_shipped_dashboard_has_ten_widgets_and_is_taken(port: httpx.Client) -> None:
    assert len(CLAUDE["widgets"][0]["widgets"]) == 10
    assert refusal(port, CLAUDE) == ""


def widgets_of(port: httpx.Client) -> list[str]:
    return [each["id"] for each in port.get("/pages/p").json()["page"]["widgets"][0]["widgets"]]


def test_single_widgets_are_added_changed_and_removed_with_their_columns(port: httpx.Client) -> None:
    # What Port wrote beside a widget's own keys must not count against the closed schema of a pie.
    port.post("/pages", json={**page({**PIE, "id": "w"}), "identifier": "pie"}).raise_for_status()
    assert port.patch("/pages/pie/widgets/w", json={"widget": {"title": "Pie"}}).status_code == 200
    body = page(NUMBER, NUMBER)
    body["widgets"][0]["layout"] = [{"height": 400, "columns": [{"id": "w0", "size": 6}, {"id": "w1", "size": 6}]}]
    port.post("/pages", json=body).raise_for_status()
    added = port.post("/pages/p/widgets", json={"widget": {**NUMBER, "id": "new"}, "parentWidgetId": "d"})
    assert (added.status_code, added.json()) == (201, {"ok": True, "identifier": "p"})
    assert widgets_of(port) == ["w0", "w1", "new"]
    changed = port.patch("/pages/p/widgets/w1", json={"widget": {"title": "Two"}})
    assert (changed.status_code, changed.json()) == (200, {"ok": True, "identifier": "p"})
    removed = port.delete("/pages/p/widgets/w0")
    assert (removed.status_code, removed.json()) == (200, {"ok": True, "identifier": "p"})
    (dashboard,) = port.get("/pages/p").json()["page"]["widgets"]
    assert [(each["id"], each.get("title"), each["unit"]) for each in dashboard["widgets"]] == [
        ("w1", "Two", "none"),
        ("new", None, "none"),
    ]
    assert [row["columns"] for row in dashboard["layout"]] == [[{"id": "w1", "size": 12}], [{"id": "new", "size": 12}]]
    top = port.post("/pages/p/widgets", json={"widget": {"id": "note", "type": "markdown", "markdown": "x"}})
    assert top.status_code == 201
    assert port.get("/pages/p").json()["page"]["widgets"][1]["id"] == "note"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/pages/none/widgets", {"widget": NUMBER}, 404),
        ("POST", "/pages/p/widgets", {"widget": NUMBER, "parentWidgetId": "none"}, 404),
        ("POST", "/pages/p/widgets", {}, 422),
        ("POST", "/pages/p/widgets", {"widget": {**PIE, "id": "x", "func": "sum"}, "parentWidgetId": "d"}, 422),
        ("PATCH", "/pages/p/widgets/none", {"widget": {}}, 404),
        ("PATCH", "/pages/p/widgets/w0", {"widget": {"unit": "EUR"}}, 422),
        ("PATCH", "/pages/p/widgets/w0", {"widget": {}, "more": 1}, 422),
        ("DELETE", "/pages/p/widgets/none", None, 404),
    ],
)
def test_a_widget_that_cannot_be_changed_so_changes_nothing(
    method: str, path: str, body: Any, status: int, port: httpx.Client
) -> None:
    port.post("/pages", json=page(NUMBER)).raise_for_status()
    before = port.get("/pages/p").json()["page"]
    assert port.request(method, path, json=body).status_code == status
    assert port.get("/pages/p").json()["page"] == before


def test_a_page_that_is_put_keeps_nothing_but_its_beginning(port: httpx.Client, clock: SimpleNamespace) -> None:
    port.post("/pages", json={**page(NUMBER), "description": "old"}).raise_for_status()
    clock.now += 60
    put = port.put("/pages/p", json={"identifier": "p", "title": "New", "type": "dashboard"})
    assert put.status_code == 200
    after = port.get("/pages/p").json()["page"]
    assert put.json() == {"ok": True, "identifier": "p", "page": after}
    assert (after["title"], after["widgets"], "description" in after) == ("New", [], False)
    assert (after["createdAt"], after["updatedAt"]) == ("2025-01-01T12:00:00.000Z", "2025-01-01T12:01:00.000Z")
    assert port.put("/pages/none", json={"identifier": "none"}).status_code == 404
    assert port.put("/pages/p", json={"identifier": "q"}).status_code == 409
