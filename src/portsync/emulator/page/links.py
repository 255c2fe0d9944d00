"""The addresses of the views. Identifiers may hold slashes and dots, so they are encoded whole."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

_WEB = frozenset({"http", "https"})


def blueprint_href(blueprint: str) -> str:
    return f"/blueprints/{quote(blueprint, safe='')}"


def entity_href(blueprint: str, identifier: str) -> str:
    return "/entity?" + urlencode({"blueprint": blueprint, "identifier": identifier})


def dashboard_href(page: str) -> str:
    return f"/dashboards/{quote(page, safe='')}"


def source_href(integration: str) -> str:
    return f"/sources/{quote(integration, safe='')}"


def run_href(number: int) -> str:
    return f"/runs/{number}"


def with_query(path: str, query: Sequence[tuple[str, str]]) -> str:
    """The path with these parameters."""
    return f"{path}?{urlencode(query)}" if query else path


def web_address(text: str) -> str | None:
    """The text where it is an absolute http or https URL, which alone may become a link; None for all else."""
    try:
        parts = urlsplit(text)
    except ValueError:  # a broken IPv6 address
        return None
    return text if parts.scheme.lower() in _WEB and parts.netloc and text.isprintable() else None
