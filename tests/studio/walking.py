"""What a test of the page does again and again: come in, put the cursor somewhere, map a value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.studio.browser import Browser
    from tests.studio.conftest import Studio


def enter(tab: Browser, studio: Studio) -> None:
    """Let the tab be one that has come in already, as the client of the studio has."""
    ((name, value),) = studio.client.cookies.items()
    tab.send("Network.setCookie", url=studio.url, name=name, value=value, httpOnly=True, sameSite="Strict")


def text_of(tab: Browser) -> str:
    """The text in the editor."""
    return "\n".join(tab.js("[...document.querySelectorAll('#editor .cm-line')].map((line) => line.textContent)"))


def map_value(tab: Browser, key: str, role: str) -> None:
    """Click a value of the record and choose what it becomes."""
    tab.click(".tree [role=treeitem] > .row-of-tree", key)
    tab.click(".menu [role=menuitem]", role)


def put_cursor(tab: Browser, line: str) -> None:
    """Put the cursor of the editor to the end of the line that says this."""
    tab.click("#editor .cm-line", line)
    # A line can be the active one before the click, while what is pressed still goes to a button.
    active = f"document.querySelector('#editor .cm-activeLine')?.textContent.includes({json.dumps(line)})"
    tab.until(f"document.querySelector('#editor .cm-content') === document.activeElement && {active}")
    tab.press("End")
