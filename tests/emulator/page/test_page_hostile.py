"""A catalogue that means harm: the page shows it as text, and stays a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.emulator.page.conftest import ORIGIN
from tests.emulator.page.test_page_overview import REPORT

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.emulator.page.conftest import Element

SCRIPT = "<script>alert(1)</script>"
BREAKS = f"\"'></title></textarea></svg>{SCRIPT}<img src=x onerror=alert(1)>{{{{7*7}}}}{{% raw %}}"


def unharmed(view: Element) -> bool:
    """Whether there is no element that the page did not make."""
    scripts = [each.attributes.get("src", "").split("?")[0] for each in view.all("script")]
    handlers = [name for each in view.all("") for name in each.attributes if name.startswith("on")]
    return scripts == ["/assets/catalog.js"] and handlers == [] and view.all("img") == []


@pytest.fixture
def hostile(port: httpx.Client) -> httpx.Client:
    """A local Port in which every text that a client may choose is a script."""
    properties = {
        "text": {"type": "string", "title": BREAKS[:100], "description": BREAKS},
        "link": {"type": "string", "format": "url"},
        "kind": {"type": "string", "enum": [BREAKS], "enumColors": {BREAKS: "red"}},
        "bag": {"type": "object"},
        "many": {"type": "array"},
        "note": {"type": "string", "format": "markdown"},
    }
    blueprint = {
        "identifier": "evil",
        "title": BREAKS[:100],
        "description": BREAKS[:200],
        "icon": BREAKS,
        "schema": {"properties": properties},
        "relations": {"self": {"target": "evil", "title": BREAKS[:100]}},
    }
    port.post("/blueprints", json=blueprint).raise_for_status()
    for text in (BREAKS, BREAKS + "2"):
        entity = {
            "identifier": "e",
            "title": text,
            "icon": text,
            "team": text,
            "properties": {
                "text": text,
                "link": f"https://x.example/{SCRIPT}",
                "kind": BREAKS,
                "bag": {text: text},
                "many": [text, {"a": text}],
                "note": text,
            },
            "relations": {"self": "e"},
        }
        answer = port.post(
            "/blueprints/evil/entities?upsert=true", json=entity, headers={"user-agent": "x/<script>alert(1)</script>"}
        )
        assert answer.status_code in (200, 201), answer.text
    mapping = {"identifier": BREAKS, "blueprint": '"evil"', "properties": {BREAKS: BREAKS}}
    config: dict[str, Any] = {
        BREAKS: BREAKS,
        "resources": [{"kind": BREAKS, "selector": {BREAKS: BREAKS}, "port": {"entity": {"mappings": mapping}}}, 7],
    }
    port.post("/integration", json={"installationId": SCRIPT, "title": BREAKS, "config": config}).raise_for_status()
    problem = dict.fromkeys(("code", "kind", "place", "identifier", "message", "hint"), BREAKS)
    resource = {"kind": BREAKS, "blueprints": [BREAKS, {}], "verdict": BREAKS, "reason": [BREAKS], "records": "x"}
    deletion = dict.fromkeys(("blueprint", "stale", "deleted", "refused"), BREAKS)
    report = {**REPORT, "mapping": BREAKS, "run_id": BREAKS, "status": BREAKS, "started_at": BREAKS}
    report |= {"problems": [problem], "resources": [resource], "deletions": [deletion], "dead_letters": BREAKS}
    port.post(f"{ORIGIN}/_runs", json=report).raise_for_status()
    everything = {"combinator": "and", "rules": []}
    widgets: list[dict[str, Any]] = [
        {"type": "entities-pie-chart", "property": "property#text", "dataset": everything},
        {"type": "bar-chart", "property": "property#kind", "dataset": everything},
        {"type": "bar-chart", "property": f"property#{BREAKS}", "dataset": everything},
        {"type": "table-entities-explorer", "dataset": everything},
        {"type": "markdown", "markdown": BREAKS},
        {"type": "entities-number-chart", "unit": "custom", "unitCustom": BREAKS, "func": "count"},
        {
            "type": "line-chart",
            "chartType": "countEntities",
            "func": "count",
            "measureTimeBy": "$createdAt",
            "breakdownProperty": "text",
            "xAxisTitle": BREAKS,
        },
    ]
    named = [{"id": f"{BREAKS}{n}", "title": BREAKS, "blueprint": "evil", **each} for n, each in enumerate(widgets)]
    layout = [{"height": 400, "columns": [{"id": each["id"], "size": 12}]} for each in named]
    dashboard = {"id": "d", "type": "dashboard-widget", "layout": layout, "widgets": named}
    page = {"identifier": "p", "title": BREAKS, "description": BREAKS, "type": "dashboard", "widgets": [dashboard]}
    answer = port.post("/pages", json=page)
    assert answer.status_code == 201, answer.text
    return port


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/blueprints/evil",
        "/blueprints/evil?col=text&col=kind&col=bag&col=many&col=note&col=link&col=relation.self&col=%24team",
        "/blueprints/evil?" + urlencode({"q": BREAKS, "sort": BREAKS}),
        "/blueprints/evil?" + urlencode({"by": "text", "op": "has", "value": BREAKS}),
        "/entity?blueprint=evil&identifier=e",
        "/dashboards/p",
        "/sources",
        "/sources/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/runs",
        "/runs/1",
    ],
)
def test_a_script_stays_text_wherever_it_stands(hostile: httpx.Client, look: Callable[..., Element], path: str) -> None:
    view = look(hostile, path)

    assert unharmed(view)
    assert SCRIPT in view.text
    assert "49" not in view.one("main").all("h1")[0].text


@pytest.mark.parametrize("path", [f"/blueprints/{SCRIPT}", f"/entity?blueprint=evil&identifier={SCRIPT}"])
def test_a_script_in_the_address_stays_text(hostile: httpx.Client, look: Callable[..., Element], path: str) -> None:
    assert unharmed(look(hostile, path, status=404))


def test_a_megabyte_of_text_makes_no_megabytes_of_page(port: httpx.Client, look: Callable[..., Element]) -> None:
    schema = {"properties": {"text": {"type": "string"}, "list": {"type": "array"}, "bag": {"type": "object"}}}
    port.post("/blueprints", json={"identifier": "big", "title": "Big", "schema": schema}).raise_for_status()
    large = "x" * 1_000_000
    for number, properties in enumerate(({"text": large}, {"bag": {"k": large}}, {"list": [large]})):
        entity = {"identifier": f"e{number}", "title": large[:40_000], "properties": properties}
        port.post("/blueprints/big/entities", json=entity).raise_for_status()
        changed = {"identifier": f"e{number}", "title": "y", "properties": {}}
        port.post("/blueprints/big/entities?upsert=true", json=changed).raise_for_status()
        port.post("/blueprints/big/entities?upsert=true", json=entity).raise_for_status()

    for path in (
        "/",
        "/blueprints/big",
        "/blueprints/big?q=xxxx",
        *(f"/entity?blueprint=big&identifier=e{n}" for n in range(3)),
    ):
        assert len(port.get(f"{ORIGIN}{path}").content) < 300_000
        look(port, path)


def test_ten_thousand_properties_make_a_page_that_can_be_read(port: httpx.Client, look: Callable[..., Element]) -> None:
    properties = {f"p{number}": {"type": "number"} for number in range(10_000)}
    blueprint = {"identifier": "wide", "title": "Wide", "schema": {"properties": properties}}
    port.post("/blueprints", json=blueprint).raise_for_status()
    for value in (1, 2):
        entity = {"identifier": "e", "properties": dict.fromkeys(properties, value)}
        port.post("/blueprints/wide/entities?upsert=true", json=entity).raise_for_status()

    view = look(port, "/entity?blueprint=wide&identifier=e")
    assert "9,700 more properties are not shown" in view.text
    assert "9,960 more values" in view.text
    table = look(port, "/blueprints/wide?q=2&sort=-p9999&by=p5000&op=is&value=2")
    assert len(table.all("tbody")[0].all("tr")) == 1
    assert look(port, "/blueprints/wide?q=p5").all("tbody") == []
    for path in ("/", "/blueprints/wide", "/entity?blueprint=wide&identifier=e"):
        assert len(port.get(f"{ORIGIN}{path}").content) < 400_000


def test_a_deep_object_is_shown(port: httpx.Client, look: Callable[..., Element]) -> None:
    schema = {"properties": {"bag": {"type": "object"}}}
    port.post("/blueprints", json={"identifier": "deep", "title": "Deep", "schema": schema}).raise_for_status()
    value: Any = {}
    for _ in range(200):
        value = {"a": value}
    port.post("/blueprints/deep/entities", json={"identifier": "e", "properties": {"bag": value}}).raise_for_status()

    assert '"a": {' in look(port, "/entity?blueprint=deep&identifier=e").text
    look(port, "/blueprints/deep?col=bag&sort=bag&q=a")


@pytest.mark.parametrize(
    "query",
    [
        "q=%00", "q=%FF", "sort=$title%00", "by=day&op=is&value=%00", "by=cost&op=gt&value=1e999",
        "by=cost&op=is&value=nan", "q=" + "a" * 5000, "q=" + "%20a" * 500, "col=" + "&col=".join("abc" * 100),
        "by=cost" * 50, "size=-1", "size=999999", "page=1e9",
    ],
)  # fmt: skip
def test_no_query_breaks_the_table(records: httpx.Client, look: Callable[..., Element], query: str) -> None:
    properties = {"day": "2026-11-01T00:00:00Z", "cost": 1}
    records.post("/blueprints/record/entities", json={"identifier": "a", "properties": properties}).raise_for_status()

    look(records, f"/blueprints/record?{query}")
