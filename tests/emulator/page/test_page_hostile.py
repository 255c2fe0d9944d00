"""A catalogue that means harm: the page shows it as text, and stays a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from tests.emulator.page.conftest import ORIGIN, rows
from tests.emulator.page.test_page_overview import REPORT

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.emulator.page.conftest import Element

SCRIPT = "<script>top.document.title='harmed'</script>"
BREAKS = f"\"'></title></textarea></svg>{SCRIPT}<img src=x onerror=top.document.title='harmed'>{{{{7*7}}}}{{% raw %}}"
RUNS = "javascript:top.document.title='harmed'"
"""An address that is a script."""
VIEWS = (
    "/",
    "/blueprints/evil",
    "/blueprints/evil?col=text&col=kind&col=bag&col=many&col=note&col=link&col=relation.self&col=%24team",
    "/blueprints/evil?col=frame&col=proto&col=plan&col=label&col=spec&col=address",
    "/blueprints/evil?" + urlencode({"q": BREAKS, "sort": BREAKS}),
    "/blueprints/evil?" + urlencode({"by": "text", "op": "has", "value": BREAKS}),
    "/entity?blueprint=evil&identifier=e",
    "/entity?blueprint=_user&identifier=eve%40x.example",
    "/dashboards/p",
    "/sources",
    f"/sources/{quote(SCRIPT, safe='')}",
    "/runs",
    "/runs/1",
)


_LEADING = frozenset({"href", "xlink:href", "src", "action", "formaction", "data", "poster"})


def unharmed(view: Element) -> bool:
    """Whether there is no element that the page did not make."""
    scripts = [each.attributes.get("src", "").split("?")[0] for each in view.all("script")]
    handlers = [name for each in view.all("") for name in each.attributes if name.startswith("on")]
    odd = [each for tag in ("img", "iframe", "object", "embed", "base", "meta") for each in view.all(tag)]
    odd = [each for each in odd if each.tag != "meta" or "http-equiv" in each.attributes]
    leads = [value for each in view.all("") for name, value in each.attributes.items() if name in _LEADING]
    astray = [value for value in leads if not value.startswith(("http://", "https://", "#", "?", "/"))]
    astray += [value for value in leads if value.startswith("//")]
    return scripts == ["/assets/catalog.js"] and not [*handlers, *odd, *astray]


def plant(port: httpx.Client, origin: str) -> None:
    """Make every text that a client of this local Port may choose a script."""
    properties = {
        "text": {"type": "string", "title": BREAKS[:100], "description": BREAKS},
        "link": {"type": "string", "format": "url"},
        "kind": {"type": "string", "enum": [BREAKS], "enumColors": {BREAKS: "red"}},
        "bag": {"type": "object"},
        "many": {"type": "array"},
        "note": {"type": "string", "format": "markdown"},
        "frame": {"type": "string", "format": "url", "spec": "embedded-url"},
        "proto": {"type": "string", "format": "proto"},
        "plan": {"type": "string", "format": "yaml"},
        "label": {"type": "string", "format": "labeled-url"},
        "spec": {"type": "object", "spec": "open-api", "icon": RUNS},
        "address": {"type": "string", "icon": BREAKS},
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
                "note": f'[x]({RUNS}) ![]({RUNS}) <a href="{RUNS}">x</a> {text}',
                "frame": "javascript://x.example/%0atop.document.title='harmed'",
                "proto": text,
                "plan": f"a: !!python/object:os.system\nb: {SCRIPT}",
                "label": f"[{SCRIPT}]({RUNS})",
                "spec": {"servers": [{"url": RUNS}], "info": {"description": text}},
                "address": RUNS,
            },
            "relations": {"self": "e"},
        }
        answer = port.post("/blueprints/evil/entities?upsert=true", json=entity, headers={"user-agent": f"x/{SCRIPT}"})
        assert answer.status_code in (200, 201), answer.text
    user = {"identifier": "eve@x.example", "title": BREAKS, "icon": RUNS}
    port.post("/blueprints/_user/entities", json=user).raise_for_status()
    mapping = {"identifier": BREAKS, "blueprint": '"evil"', "properties": {BREAKS: BREAKS}}
    config: dict[str, Any] = {
        BREAKS: BREAKS,
        "resources": [{"kind": BREAKS, "selector": {BREAKS: BREAKS}, "port": {"entity": {"mappings": mapping}}}, 7],
    }
    port.post("/integration", json={"installationId": SCRIPT, "title": BREAKS, "config": config}).raise_for_status()
    examples = f"/integration/{quote(SCRIPT, safe='')}/kinds/{quote(BREAKS, safe='')}/examples"
    port.post(examples, json={"examples": [{BREAKS: BREAKS, "url": RUNS}]}).raise_for_status()
    problem = dict.fromkeys(("code", "kind", "place", "identifier", "message", "hint"), BREAKS)
    resource = {"kind": BREAKS, "blueprints": [BREAKS, {}], "verdict": BREAKS, "reason": [BREAKS], "records": "x"}
    deletion = dict.fromkeys(("blueprint", "stale", "deleted", "refused"), BREAKS)
    report = {**REPORT, "mapping": BREAKS, "run_id": BREAKS, "status": BREAKS, "started_at": BREAKS}
    report |= {"problems": [problem], "resources": [resource], "deletions": [deletion], "dead_letters": BREAKS}
    port.post(f"{origin}/_runs", json=report).raise_for_status()
    everything = {"combinator": "and", "rules": []}
    widgets: list[dict[str, Any]] = [
        {"type": "entities-pie-chart", "property": "property#text", "dataset": everything},
        {"type": "bar-chart", "property": "property#kind", "dataset": everything},
        {"type": "bar-chart", "property": f"property#{BREAKS}", "dataset": everything},
        {"type": "table-entities-explorer", "dataset": everything},
        {"type": "markdown", "markdown": f"[x]({RUNS}) {BREAKS}"},
        {"type": "iframe-widget", "url": RUNS},
        {"type": "links-widget", "links": [{"title": BREAKS, "url": RUNS}]},
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


@pytest.fixture
def hostile(port: httpx.Client) -> httpx.Client:
    """Such a local Port."""
    plant(port, ORIGIN)
    return port


@pytest.mark.parametrize("path", VIEWS)
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
    for _ in range(235):
        value = {"a": value}
    port.post("/blueprints/deep/entities", json={"identifier": "e", "properties": {"bag": value}}).raise_for_status()

    assert '"a": {' in look(port, "/entity?blueprint=deep&identifier=e").text
    look(port, "/blueprints/deep?col=bag&sort=bag&q=a")


ODD_TITLES = (
    "", " ", "\x00", "a\x00b", "\u202eevil\u202c", "\u200b\u200d\ufeff", "👩‍👩‍👧‍👦" * 20, "NaN", "null", "-0",
    "9007199254740993",
    "\r\n", "a" * 5000, "̈" * 300, "﷽" * 50,
)  # fmt: skip


def test_odd_texts_and_numbers_are_shown_as_they_are(records: httpx.Client, look: Callable[..., Element]) -> None:
    for index, title in enumerate(ODD_TITLES):
        properties = {
            "day": "2026-11-01T00:00:00Z",
            "model": title,
            "cost": 2**53 + 1 + index,
            "tags": [title, title],
            "extra": {title: title},
        }
        entity = {"identifier": f"e{index:02}", "title": title, "properties": properties}
        records.post("/blueprints/record/entities", json=entity).raise_for_status()

    table = look(records, "/blueprints/record?col=%24title&col=cost&col=model&col=tags&sort=cost&size=50")
    shown = rows(table)
    assert [row[1] for row in shown] == [str(2**53 + 1 + index) for index in range(len(ODD_TITLES))]
    # What has no title that can be seen would have no link that can be hit.
    assert shown[0][0] == "e00"
    assert shown[7][0] == "NaN"
    for index in range(len(ODD_TITLES)):
        view = look(records, f"/entity?blueprint=record&identifier=e{index:02}")
        assert str(2**53 + 1 + index) in view.text
        assert unharmed(view)
    assert unharmed(look(records, "/"))


def test_five_hundred_relations_make_a_page_that_can_be_read(port: httpx.Client, look: Callable[..., Element]) -> None:
    relations = {f"r{number}": {"target": "hub", "many": number % 2 == 0} for number in range(500)}
    hub = {"identifier": "hub", "title": "Hub", "schema": {"properties": {}}, "relations": relations}
    port.post("/blueprints", json=hub).raise_for_status()
    related = {name: ["e"] if each["many"] else "e" for name, each in relations.items()}
    port.post("/blueprints/hub/entities", json={"identifier": "e", "relations": related}).raise_for_status()

    for path in ("/", "/blueprints/hub", "/entity?blueprint=hub&identifier=e"):
        view = look(port, path)
        assert unharmed(view)
        assert len(port.get(f"{ORIGIN}{path}").content) < 600_000


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
