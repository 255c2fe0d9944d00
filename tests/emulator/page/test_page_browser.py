"""The page in a real browser: it draws, runs nothing foreign, and fits a phone. Skipped where there is no Chromium."""

from __future__ import annotations

import shutil
import struct
import subprocess
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.responses import HTMLResponse

from portsync.emulator.app import create_app
from portsync.loopback import serving
from tests.emulator.page.conftest import read
from tests.emulator.page.test_page_hostile import BREAKS, plant
from tests.emulator.page.test_page_hostile import VIEWS as HOSTILE_VIEWS
from tests.emulator.page.test_page_overview import REPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
VIEWS = (
    "/",
    "/blueprints/thing",
    "/blueprints/thing?q=w&by=first&op=set&value=",
    "/entity?blueprint=thing&identifier=a",
    "/dashboards/board",
    "/sources",
    "/sources/main",
    "/runs",
    "/runs/1",
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")


@pytest.fixture(scope="module")
def port_app() -> Starlette:
    """A local Port with something of everything, and an entity whose title is a script."""
    app = create_app(client_id="id", client_secret="secret", users=["ann@example.com"])
    with serving(app) as base, httpx.Client(base_url=f"{base}/v1", trust_env=False, verify=False) as client:

        def post(path: str, body: Any) -> Any:
            answer = client.post(path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

        token = post("/auth/access_token", {"clientId": "id", "clientSecret": "secret"})["accessToken"]
        client.headers["authorization"] = f"Bearer {token}"
        schema = {"properties": {name: {"type": "string"} for name in ("first", "second", "third", "fourth")}}
        relations = {"owner": {"target": "_user"}}
        post("/blueprints", {"identifier": "thing", "title": "Thing", "schema": schema, "relations": relations})
        entity = {
            "identifier": "a",
            "title": "<script>document.title = 'harmed'</script><img src=x onerror=\"document.title='harmed'\">",
            "properties": dict.fromkeys(schema["properties"], "w" * 300),
            "relations": {"owner": "ann@example.com"},
        }
        post("/blueprints/thing/entities", entity)
        dataset = {"combinator": "and", "rules": []}
        widgets: list[dict[str, Any]] = [
            {"id": "n", "type": "entities-number-chart", "unit": "none", "func": "count"},
            {"id": "p", "type": "entities-pie-chart", "property": "property#first", "dataset": dataset},
            {"id": "b", "type": "bar-chart", "property": "property#first", "dataset": dataset},
            {"id": "t", "type": "table-entities-explorer", "dataset": dataset},
            {"id": "l", "type": "line-chart", "chartType": "countEntities", "func": "count",
             "measureTimeBy": "$createdAt"},
        ]  # fmt: skip
        rows = [{"height": 400, "columns": [{"id": each["id"], "size": 12}]} for each in widgets]
        named = [{**each, "title": "W" * 80, "blueprint": "thing"} for each in widgets]
        dashboard = {"id": "d", "type": "dashboard-widget", "layout": rows, "widgets": named}
        post("/pages", {"identifier": "board", "title": "Board", "type": "dashboard", "widgets": [dashboard]})
        mapping = {"identifier": "." + "i" * 200, "blueprint": '"thing"', "properties": {"first": "." + "f" * 200}}
        resource = {"kind": "/" + "k" * 200, "selector": {}, "port": {"entity": {"mappings": mapping}}}
        post("/integration", {"installationId": "main", "config": {"resources": [resource]}})
        post(f"{base}/_runs", REPORT)
    return app


@pytest.fixture(scope="module")
def url(port_app: ASGIApp) -> Iterator[str]:
    with serving(port_app) as base:
        yield base


def browse(url: str, tmp_path: Path, *flags: str) -> str:
    """What Chromium prints of a page with these flags."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", *flags]
    ended = subprocess.run([*command, url], capture_output=True, text=True, timeout=90, check=True)
    return ended.stdout


@pytest.fixture(scope="module")
def dom_of(url: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """What a page is in the browser: it starts once for each."""
    return cache(lambda path: browse(f"{url}{path}", tmp_path_factory.mktemp("browser"), "--dump-dom"))


@pytest.mark.parametrize("path", ["/", "/blueprints/thing", "/entity?blueprint=thing&identifier=a"])
def test_a_browser_runs_the_pages_own_script_and_no_other(dom_of: Callable[[str], str], path: str) -> None:
    dom = dom_of(path)

    assert "<title>" in dom
    assert "harmed</title>" not in dom
    # The page's own script has shown the switch of the theme, so scripts do run.
    assert 'class="theme" aria-label' in dom
    assert "&lt;script&gt;document.title" in dom or path == "/"


class Framed:
    """The local Port with these pages in frames as wide as a phone, all of them in one page, which they themselves
    forbid.

    Chromium's own windows are no narrower than 500 pixels. What the frames measure ends up as the title.
    """

    SCRIPT = (
        "<script>onload=()=>{document.title=[...document.querySelectorAll('iframe')].map(f=>"
        "{const e=f.contentDocument.documentElement;return e.clientWidth+' '+e.scrollWidth}).join()}</script>"
    )

    def __init__(self, app: ASGIApp, views: Sequence[str]) -> None:
        self._app = app
        self._views = views

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def bare(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(k, v) for k, v in message["headers"] if k != b"content-security-policy"]
                message = {**message, "headers": headers}
            await send(message)

        if scope["path"] == "/_all":
            frames = "".join(f'<iframe src="{escape(view)}" width=375 height=800></iframe>' for view in self._views)
            page = f"<!doctype html><title>none</title>{self.SCRIPT}{frames}"
            await HTMLResponse(page)(scope, receive, send)
        else:
            await self._app(scope, receive, bare)


class Harmless(Framed):
    """The same without the policy that forbids scripts: what keeps them from running is then only what the page makes
    of its texts. The title ends up as the number of views that were drawn, or as what a script made of it."""

    SCRIPT = (
        "<script>onload=()=>{if(document.title!=='none')return;const drawn=[...document.querySelectorAll('iframe')]"
        ".filter(f=>f.contentDocument.querySelector('main h1'));for(const f of drawn)for(const e of "
        "f.contentDocument.querySelectorAll('*'))for(const on of ['mouseover','focus','error','load','toggle'])"
        "e.dispatchEvent(new Event(on));if(document.title==='none')document.title='drawn '+drawn.length}</script>"
    )


def test_no_script_of_the_catalogue_runs_even_where_no_policy_forbids_it(tmp_path: Path) -> None:
    app = create_app(client_id="id", client_secret="secret", users=["ann@example.com"])
    with serving(app) as base, httpx.Client(base_url=f"{base}/v1", trust_env=False, verify=False) as client:
        token = client.post("/auth/access_token", json={"clientId": "id", "clientSecret": "secret"}).json()
        client.headers["authorization"] = f"Bearer {token['accessToken']}"
        plant(client, base)
    with serving(Harmless(app, HOSTILE_VIEWS)) as base:
        dom = browse(f"{base}/_all", tmp_path, "--dump-dom")

    assert _title(dom) == f"drawn {len(HOSTILE_VIEWS)}"


def test_a_script_that_did_run_would_be_noticed(tmp_path: Path) -> None:
    async def naive(scope: Scope, receive: Receive, send: Send) -> None:
        await HTMLResponse(f"<main><h1>{BREAKS}</h1></main>")(scope, receive, send)

    with serving(Harmless(naive, ["/"])) as base:
        assert _title(browse(f"{base}/_all", tmp_path, "--dump-dom")) == "harmed"


def _title(dom: str) -> str:
    return dom.partition("<title>")[2].partition("</title>")[0]


def test_no_view_is_wider_than_a_phone(port_app: ASGIApp, tmp_path: Path) -> None:
    with serving(Framed(port_app, VIEWS)) as base:
        widths = _title(browse(f"{base}/_all", tmp_path, "--dump-dom")).split(",")

    assert dict(zip(VIEWS, widths, strict=True)) == dict.fromkeys(VIEWS, "375 375")


def test_a_screenshot_has_colours_that_follow_the_system(url: str, tmp_path: Path) -> None:
    shots = []
    for name, flags in (("light", ()), ("dark", ("--blink-settings=preferredColorScheme=0",))):
        target = tmp_path / f"{name}.png"
        browse(url, tmp_path, f"--screenshot={target}", "--window-size=1200,800", *flags)
        shots.append(target.read_bytes())

    assert [struct.unpack(">II", shot[16:24]) for shot in shots] == [(1200, 800)] * 2
    assert shots[0] != shots[1]


def test_the_elements_of_the_browser_are_those_of_the_answer(url: str, dom_of: Callable[[str], str]) -> None:
    view = read(httpx.get(f"{url}/blueprints/thing", trust_env=False, verify=False).text)

    assert dom_of("/blueprints/thing").count("<td") == len(view.all("td"))
