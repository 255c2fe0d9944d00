"""The documentation as a site: every page has its place, and nothing is loaded from elsewhere."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from tests.docs.site import DOCS, foreign_loads, staged

if TYPE_CHECKING:
    from pathlib import Path


def pages_in(nav: object) -> list[str]:
    match nav:
        case list():
            return [page for item in nav for page in pages_in(item)]
        case dict():
            return [page for item in nav.values() for page in pages_in(item)]
        case _:
            return [str(nav)]


def test_every_page_stands_once_in_the_list_of_pages(tmp_path: Path) -> None:
    staged(tmp_path)
    listed = pages_in(tomllib.loads((tmp_path / "zensical.toml").read_text())["project"]["nav"])
    pages = [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")]
    assert sorted(listed) == sorted([*pages, "CONTRIBUTING.md", "CHANGELOG.md"])


def test_files_around_the_documentation_come_along(tmp_path: Path) -> None:
    staged(tmp_path)
    assert (tmp_path / "docs" / "deploy" / "prometheus" / "alerts.yaml").is_file()
    assert "](../deploy/prometheus/alerts.yaml)" in (tmp_path / "docs" / "reference" / "service.md").read_text()


@pytest.mark.parametrize(
    ("html", "is_foreign"),
    [
        ('<script src="https://cdn.example/x.js"></script>', True),
        ('<img alt="a" src=//cdn.example/x.png>', True),
        ('<link rel="stylesheet" href="https://fonts.example/css">', True),
        ('<link rel="stylesheet" href="assets/x.css"><script src="x.js"></script>', False),
        ('<a href="https://docs.port.io">Port</a>', False),
    ],
)
def test_what_a_browser_would_load_from_elsewhere_is_found(tmp_path: Path, html: str, is_foreign: bool) -> None:
    (tmp_path / "index.html").write_text(html)
    assert bool(foreign_loads(tmp_path)) is is_foreign
