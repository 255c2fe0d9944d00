"""Views of the local Port as a test reads them: text, links, tables and elements, not strings to search in."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

ORIGIN = "http://127.0.0.1:8710"
_VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})


@dataclass
class Element:
    """An element with all the text within it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Every element within by this name, with these attributes (`cls` for class, of which one has to match)."""
        found = []
        for child in self.children:
            if (not tag or child.tag == tag) and child.has(attributes):
                found.append(child)
            found.extend(child.all(tag, **attributes))
        return found

    def one(self, tag: str, **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found

    def has(self, attributes: dict[str, str]) -> bool:
        return all(
            value in self.attributes.get("class", "").split()
            if name == "cls"
            else self.attributes.get(name.replace("_", "-")) == value
            for name, value in attributes.items()
        )

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


class Reader(HTMLParser):
    """Builds the elements, and fails where tags are not closed as they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("root", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


def read(text: str) -> Element:
    """The elements of a page."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader.root


@pytest.fixture
def look() -> Callable[..., Element]:
    """Look at a view of a local Port: `look(port, "/", status=200)`."""

    def see(port: httpx.Client, path: str, *, status: int = 200) -> Element:
        answer = port.get(f"{ORIGIN}{path}")
        assert answer.status_code == status, answer.text[:500]
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return read(answer.text)

    return see


def rows(view: Element) -> list[list[str]]:
    """The texts of the cells of the first table, row by row, without its head."""
    body = view.all("tbody")[0]
    return [[cell.words for cell in row.children] for row in body.all("tr")]


def column(view: Element, number: int = 0) -> list[str]:
    """One column of the first table."""
    return [row[number] for row in rows(view)]
