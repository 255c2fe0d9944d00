"""The whole way of a newcomer in a real browser, from nothing to entities in a local Port. Skipped without Chromium."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import JSONResponse

from tests.conftest import TOKEN
from tests.studio.browser import CHROMIUM
from tests.studio.walking import enter, map_value, put_cursor, text_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Asked, LocalPort, Run, Source
    from tests.studio.browser import Browser
    from tests.studio.conftest import Studio

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")
HARM = "<script>document.title='harmed'</script><img src=x onerror=\"document.title='harmed'\">{{7*7}}"
REPOS = [
    {"id": number, "name": HARM if number == 1 else f"repo {number}", "full name": f"acme/repo-{number}", HARM: HARM,
     "created_at": "2026-01-02T03:04:05Z", "private": False, "owner": {"login": "ada", "api_key": "key-of-record"}}
    for number in range(1, 8)
]  # fmt: skip


def repos(asked: Asked) -> Any:
    """Pages of five, for who has the token."""
    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return JSONResponse({"message": "who are you?"}, 401)
    page = int(dict(asked.query).get("page", "1"))
    return {"data": REPOS[5 * (page - 1) : 5 * page], "total": len(REPOS)}


def complaints(tab: Browser) -> list[Any]:
    """What the browser says of scripts that failed and of things that the policy forbade."""
    tab.js("1")
    named = ("Log.entryAdded", "Runtime.exceptionThrown")
    return [event["params"] for event in tab.events if event.get("method") in named]


def requested(tab: Browser) -> set[str]:
    """The origins that the page asked for something."""
    urls = [e["params"]["request"]["url"] for e in tab.events if e.get("method") == "Network.requestWillBeSent"]
    return {"/".join(url.split("/")[:3]) for url in urls if url.startswith("http")}


def connect(tab: Browser, source: Source) -> None:
    """Steps one to three: nothing is asked before the click, and the token stays in memory."""
    # Connect: the token stays in memory.
    tab.sees("Connect to the API")
    tab.fill("Base URL", source.url)
    tab.fill("Variable of the token", "REPO_TOKEN")
    tab.fill("The token itself", TOKEN)
    tab.click("form button", "Connect")

    # Endpoint, records: nothing is asked before the click.
    tab.sees("Choose an endpoint")
    tab.fill("Path", "/repos")
    tab.click("form button", "Use this endpoint")
    tab.sees("not sent yet")
    assert source.asked == []
    tab.click("button", "Ask the source")
    tab.sees("a list of 5 objects")
    tab.click(".places button", "Use it")
    tab.sees("5 records at .data")
    tab.click(".places button", "Read them too")
    tab.sees("not sent yet")
    tab.click("button", "Ask the source")
    tab.sees("7 records at .data in 3 pages")


def map_by_clicks(tab: Browser) -> None:
    """Step four; an error is made on the way, marked in its place, and repaired."""
    # Map, by clicks; a key with a space in it is quoted.
    tab.click(".tab", "Map")
    tab.sees("record 1 of 7")
    map_value(tab, "full name", "Property")
    tab.sees('full_name: ."full name"')
    tab.sees("full_name acme/repo-1")
    map_value(tab, "name", "Title")
    tab.sees("title: .name")
    map_value(tab, "created_at", "Property")
    tab.sees("created_at: .created_at")
    tab.click("button[aria-label='Next record']")
    tab.sees("acme/repo-2")

    # An error is made, marked in its place, and repaired.
    put_cursor(tab, "title: .name")
    tab.write(" |")
    tab.sees("1 problem")
    tab.sees("jq-syntax")
    tab.until(
        "document.querySelector('#editor .mark-error') && document.querySelector('.cm-lint-marker-error') && true"
    )
    tab.press("Backspace")
    tab.press("Backspace")
    tab.sees("no problems")
    assert tab.js("document.querySelector('#editor .mark-error')") is None


def provide_and_try(tab: Browser) -> None:
    """Steps five and six: the blueprint, and the whole run into the embedded local Port."""
    tab.click(".tab", "Blueprint")
    tab.click("button", "Propose")
    tab.sees("the mapping fits")
    tab.sees("string, date-time")
    tab.click(".tab", "Try")
    tab.click("button", "Sync into the local Port")
    tab.sees("See repo in the local Port")
    tab.sees("7 created")
    assert str(tab.js("document.querySelector('a.button').href")).endswith("/blueprints/repo")


def test_a_newcomer_gets_from_an_api_to_entities(
    tab: Browser,
    closed: Studio,
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    portsync: Callable[..., Run],
    tmp_path: Path,
) -> None:
    source.answer = repos
    tab.open(closed.entry)
    connect(tab, source)
    map_by_clicks(tab)
    provide_and_try(tab)

    # The files, to take along and on disk.
    tab.click(".tab", "Take")
    tab.sees("cassettes/mapping/001-get-repos")
    tab.click("button", "Download all")
    tab.click("button", "Write them to disk")
    tab.sees("Written:")
    archive = tab.download("mapping.zip")
    text = text_of(tab)

    assert complaints(tab) == []
    assert requested(tab) == {closed.url}
    assert tab.js("document.title") != "harmed"
    assert text.rstrip() == (tmp_path / "mapping.yaml").read_text().rstrip()
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
        assert {name: (tmp_path / name).read_bytes() for name in names} == {name: packed.read(name) for name in names}
    written = [path.read_text() for path in tmp_path.rglob("*.*") if path.is_file()]
    assert {"mapping.yaml", "mapping.test.yaml", "blueprints/mapping/repo.json"} < set(names)
    assert not any(secret in content for content in written for secret in (TOKEN, "key-of-record"))

    # They do what they did here.
    env = {**port_env, "REPO_TOKEN": TOKEN}
    (tmp_path / "m.yaml").unlink(missing_ok=True)
    assert portsync("check", None, "mapping.yaml", env=env).exit_code == 0
    assert portsync("test", None, "mapping.test.yaml", env={}).exit_code == 0
    assert portsync("provision", None, "blueprints/mapping", env=env).exit_code == 0
    assert portsync("sync", None, "mapping.yaml", env=env).exit_code == 0
    held = local_port.entities("repo")
    assert sorted(held) == [str(number) for number in range(1, 8)]
    assert held["2"]["title"] == "repo 2"
    assert held["2"]["properties"]["full_name"] == "acme/repo-2"


def test_what_a_source_answers_never_runs(
    tab: Browser, studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    source.answer = lambda _: {"data": REPOS, HARM: {HARM: HARM}}
    path = studio.folder / "m.yaml"
    path.write_text(things(properties='"<script>document.title=1</script>": .name'))
    studio.session.file.path = path
    studio.session.file.read()
    enter(tab, studio)
    tab.open(studio.url)
    tab.click("button", "Ask the source")
    tab.sees("7 records")
    tab.click(".answer .row-of-tree", "<script>")
    tab.click(".tab", "Map")
    tab.sees("record 1 of 7")
    tab.click(".tree .key", "<script>")
    tab.until("document.querySelector('.menu')?.textContent.includes('script') ?? false")
    tab.press("Escape")
    tab.click(".tab", "Blueprint")
    tab.click("button", "Propose")
    tab.sees("the mapping fits")
    tab.click(".tab", "Take")
    tab.sees("cassettes/m/001-get-things")

    assert "harmed" not in str(tab.js("document.title"))
    assert tab.js("document.querySelectorAll('main script, main img').length") == 0
    assert complaints(tab) == []
    assert requested(tab) == {studio.url}


def offered(tab: Browser, text: str) -> list[str]:
    """What is offered where the cursor is, once `text` was written there; then it is taken away again."""
    tab.write(text)
    shown = "[...document.querySelectorAll('.cm-tooltip-autocomplete .cm-completionLabel')].map((e) => e.textContent)"
    tab.press(" ", modifiers=2)
    found: list[str] = tab.until(f"(() => {{ const found = {shown}; return found.length ? found : null; }})()")
    tab.press("Escape")
    for _ in text:
        tab.press("Backspace")
    return found


def test_completion_knows_the_keys_the_values_and_the_fields_of_the_record(
    tab: Browser, studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    source.answer = lambda _: {"data": REPOS}
    path = studio.folder / "m.yaml"
    path.write_text(
        things().replace("      data_path", "      method: GET\n      pagination:\n        type: page\n      data_path")
    )
    studio.session.file.path = path
    studio.ask_source(things())
    enter(tab, studio)
    tab.open(studio.url)
    tab.click("button", "Ask the source")
    tab.sees("7 records")

    put_cursor(tab, "title: .name")
    assert {"icon", "team", "relations"} <= set(offered(tab, "\n          "))
    assert "identifier" not in offered(tab, "\n          ")
    put_cursor(tab, "type: page")
    of_pages = offered(tab, "\n        ")
    assert {"page_param", "size_param"} <= set(of_pages)
    assert "cursor_param" not in of_pages
    put_cursor(tab, "method: GET")
    assert offered(tab, "\n      body_type: ") == ["form", "json", "text"]
    put_cursor(tab, "size: .size")
    assert {".id", ".owner", '."full name"'} <= set(offered(tab, "\n            x: ."))
    assert ".login" in offered(tab, "\n            x: .owner.")
    assert "ascii_downcase" in offered(tab, "\n            x: .name | asc")
    put_cursor(tab, "base_url")
    assert offered(tab, "\n  headers: {x: ${") == ["SRC_TOKEN"]


def test_the_page_fits_a_phone_and_can_be_walked_with_keys(
    tab: Browser, studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    source.answer = lambda _: {"data": REPOS}
    path = studio.folder / "m.yaml"
    path.write_text(things())
    studio.session.file.path = path
    studio.session.file.read()
    studio.ask_source(things())
    enter(tab, studio)
    tab.size(375, 800)
    tab.open(studio.url)
    tab.sees("7 records")
    wide = []
    for name in ("Connect", "Endpoint", "Records", "Map", "Blueprint", "Try", "Take"):
        tab.click(".tab", name)
        tab.until(f"document.querySelector('.tab[aria-selected=true]').textContent.includes('{name}')")
        wide.append(tab.js("document.documentElement.scrollWidth"))
    tab.click(".tab", "Map")
    tab.js("document.querySelector('.tree [role=treeitem][tabindex=\"0\"]').focus()")
    tab.press("ArrowDown")
    tab.press("ArrowDown")
    tab.press("Enter")
    focused = tab.until("document.activeElement.closest('.menu')?.textContent")
    tab.press("Escape")

    assert wide == [375] * 7
    assert "Property.name" in focused
    assert tab.until("document.activeElement.getAttribute('role')") == "treeitem"
