"""What somebody types and presses while the studio still answers what came before stays. Skipped without Chromium."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.studio.browser import CHROMIUM
from tests.studio.walking import enter, map_value, put_cursor, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from tests.conftest import Source
    from tests.studio.browser import Browser
    from tests.studio.conftest import Served, Studio

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")
RECORDS = [{"id": number, "name": f"thing {number}", "size": number, "colour": "red"} for number in (1, 2, 3)]

ANSWERS = "performance.getEntriesByType('resource').map((each) => each.name)"
"""The addresses that the page has asked, each from when its answer is there."""


@dataclass
class Held:
    """A studio that takes its time for what is asked at `path`."""

    app: ASGIApp
    path: str
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    released: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == self.path:
            self.came.release()
            await asyncio.to_thread(self.released.wait)
        await self.app(scope, receive, send)

    def wait(self) -> None:
        """Until it is asked once more."""
        assert self.came.acquire(timeout=60)


@contextmanager
def held(served: Served, path: str) -> Iterator[Held]:
    before = served.stage.app
    served.stage.app = holding = Held(before, path)
    try:
        yield holding
    finally:
        holding.released.set()
        served.stage.app = before


def answers(tab: Browser) -> list[str]:
    found: list[str] = tab.js(ANSWERS)
    return found


@pytest.fixture
def mapped(tab: Browser, studio: Studio, source: Source, things: Callable[..., str]) -> Browser:
    """A tab in which a mapping and its records are in view."""
    source.answer = lambda _: {"data": RECORDS}
    studio.session.file.path = path = studio.folder / "m.yaml"
    path.write_text(things())
    studio.session.file.read()
    studio.ask_source(things())
    enter(tab, studio)
    tab.open(studio.url)
    tab.sees("3 records at .data")
    tab.click(".tab", "Map")
    tab.sees("record 1 of 3")
    return tab


def test_what_is_typed_while_a_click_is_written_stays_and_so_does_the_cursor(mapped: Browser, served: Served) -> None:
    with held(served, "/api/place") as place:
        map_value(mapped, "colour", "Property")
        place.wait()
        put_cursor(mapped, "size: .size")
        mapped.write(" | . +")
    mapped.sees("colour: .colour")
    mapped.write(" 1")
    mapped.sees("no problems")

    assert "            size: .size | . + 1\n            colour: .colour" in text_of(mapped)


def test_a_cursor_that_was_put_somewhere_while_a_click_is_written_stays_there(mapped: Browser, served: Served) -> None:
    with held(served, "/api/place") as place:
        map_value(mapped, "colour", "Property")
        place.wait()
        put_cursor(mapped, "title: .name")
    mapped.sees("colour: .colour")
    mapped.write(" # here")

    assert "title: .name # here" in text_of(mapped)


def test_a_click_puts_the_cursor_to_what_it_writes(mapped: Browser) -> None:
    map_value(mapped, "colour", "Property")
    mapped.sees("colour: .colour")

    active = mapped.js("document.querySelector('#editor .cm-activeLine').textContent")
    assert active.strip() == "colour: .colour"


def test_of_two_clicks_one_right_after_the_other_both_are_written(mapped: Browser, served: Served) -> None:
    with held(served, "/api/place") as place:
        map_value(mapped, "colour", "Property")
        place.wait()
        map_value(mapped, "name", "Property")
        place.wait()
    mapped.sees("colour: .colour")
    mapped.sees("name: .name")
    mapped.sees("no problems")

    properties = text_of(mapped).partition("properties:\n")[2].split("\n")
    assert sorted(line.strip() for line in properties if line) == ["colour: .colour", "name: .name", "size: .size"]


def test_a_blueprint_that_is_typed_while_a_draft_of_it_is_made_stays(mapped: Browser, served: Served) -> None:
    mapped.click(".tab", "Blueprint")
    mapped.click("button", "Propose it")
    mapped.sees("the mapping fits")
    with held(served, "/api/drafts") as drafts:
        mapped.click("button", "Add what is missing")
        drafts.wait()
        mapped.click(".json-editor .cm-line", '"title": "Thing"')
        mapped.until("document.activeElement.closest('.json-editor') && true")
        mapped.press("End")
        mapped.write('\n"description": "mine",')
        mapped.sees('"description": "mine"')
        count = len(answers(mapped))
        drafts.released.set()
        drafts.wait()
        mapped.until(f"{ANSWERS}.slice({count}).filter((each) => each.endsWith('/api/look')).length")

    assert '"description": "mine"' in mapped.text()


def test_what_is_typed_while_the_source_is_asked_is_what_is_in_view(
    mapped: Browser, served: Served, source: Source
) -> None:
    source.answer = lambda _: {"data": [*RECORDS, {**RECORDS[0], "id": 4}]}
    mapped.click(".tab", "Records")
    with held(served, "/api/ask") as ask:
        mapped.click("button", "Ask again")
        ask.wait()
        put_cursor(mapped, "size: .size")
        mapped.write(" |")
        mapped.sees("1 problem")
    mapped.sees("Ask again")

    mapped.sees("1 problem")
    mapped.press("Backspace")
    mapped.press("Backspace")
    mapped.sees("4 records at .data")


def test_a_button_that_is_pressed_while_an_answer_comes_is_still_clicked(mapped: Browser, served: Served) -> None:
    with held(served, "/api/look") as look:
        put_cursor(mapped, "size: .size")
        mapped.write(" | . + 1")
        look.wait()
        place = mapped.hold("button[aria-label='Next record']")
        count = len(answers(mapped))
    mapped.until(f"{ANSWERS}.length > {count}")
    # What the page does with an answer comes before what is put off from now.
    mapped.js("new Promise((done) => setTimeout(done, 0))")
    mapped.let_go(*place)

    mapped.sees("record 2 of 3")
    mapped.sees("no problems")


def test_who_walks_the_page_with_keys_keeps_the_place_when_an_answer_comes(mapped: Browser, served: Served) -> None:
    with held(served, "/api/look") as look:
        put_cursor(mapped, "size: .size")
        mapped.write(" | . + 1")
        look.wait()
        mapped.js("document.querySelector('.tree [role=treeitem]').focus()")
        mapped.press("ArrowDown")
        mapped.press("Enter")
        mapped.sees("Property .id")
        mapped.js("window.before = document.querySelector('.tree')")
    mapped.until("!window.before.isConnected")
    mapped.press("Escape")
    assert mapped.js("document.activeElement.dataset.path") == ".id"

    mapped.js("document.querySelector(`button[aria-label='Next record']`).focus()")
    mapped.press("Enter")
    mapped.sees("record 2 of 3")
    assert mapped.js("document.activeElement.getAttribute('aria-label')") == "Next record"
