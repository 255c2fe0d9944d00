"""The paginators of a manifest as `pagination` (Airbyte's reference, DefaultPaginator)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from portsync.importing.airbyte.jinja import is_only

if TYPE_CHECKING:
    from portsync.importing.airbyte.component import Component
    from portsync.importing.airbyte.scope import Scope
    from portsync.importing.tree import Tree

_LINK_HEADER = re.compile(
    r"\{\{-?\s*headers(?:\.link|\[['\"][Ll]ink['\"]\]|\.get\(['\"][Ll]ink['\"](?:,\s*\{\})?\))"
    r"(?:\.(?P<a>\w+)|\[['\"](?P<b>\w+)['\"]\]|\.get\(['\"](?P<c>\w+)['\"](?:,\s*\{\})?\))"
    r"(?:\.url|\[['\"]url['\"]\]|\.get\(['\"]url['\"](?:,[^)]*)?\))\s*-?\}\}"
)
_NOT = re.compile(r"\{\{-?\s*not\s+(?P<what>[\w.'\"\[\]]+)\s*-?\}\}")
Place = Literal["query", "body", "header"]
_PLACES: dict[str, Place] = {
    "request_parameter": "query",
    "header": "header",
    "body_json": "body",
    "body_data": "body",
}


@dataclass(frozen=True, slots=True)
class Paging:
    """How the pages of a stream follow each other, and what every request says besides."""

    section: Tree | None = None
    query: Tree = field(default_factory=dict)
    headers: Tree = field(default_factory=dict)
    body: Tree = field(default_factory=dict)
    """The size of a page, where it has another place than the paging."""


def paging_of(component: Component, data_path: str, requester: Component) -> Paging:
    """The paging that a paginator makes. `data_path` leads to the records of a page; a parameter of `requester` may
    carry what names the page."""
    if component.type in ("NoPagination", ""):
        component.close()
        return Paging()
    strategy = component.component("pagination_strategy")
    if component.type != "DefaultPaginator" or strategy is None:
        component.notes.lost(component.place, f"the paging `{component.type}` has no counterpart", _BY_HAND)
        return Paging()
    token, size = _option(component, "page_token_option"), _option(component, "page_size_option")
    component.skip("decoder", "url_base")
    component.close()
    if token is None:
        token = _by_hand(requester)
    count = strategy.integer("page_size") if _is_number(strategy) else strategy.fixed("page_size")
    match strategy.type:
        case "CursorPagination":
            section = _cursor(strategy, data_path, token)
        case "OffsetIncrement":
            section = _counted("offset", "offset_param", "limit_param", token, size, count)
        case "PageIncrement":
            section = _counted("page", "page_param", "size_param", token, size, count)
            section = section and {**section, "start_page": strategy.integer("start_from_page") or 0}
        case other:
            component.notes.lost(strategy.place, f"the paging `{other}` has no counterpart", _BY_HAND)
            return Paging()
    strategy.skip("inject_on_first_request", "decoder", "start_from_page")
    strategy.close()
    if section is None and token is not None and token.place != "url":
        return Paging()  # what of it cannot be said was listed
    if section is None:
        message = f"{strategy.type}: it is not said which parameter names the page"
        component.notes.lost(component.place, message, _BY_HAND)
        return Paging()
    return _sized(section, size, count)


_BY_HAND = "write `pagination` by hand: docs/reference/mapping.md lists the types"


@dataclass(frozen=True, slots=True)
class Option:
    """Where a value goes in a request. A `RequestPath` is a place of its own: the URL."""

    place: Place | Literal["url"]
    name: str = ""


def _option(component: Component, name: str) -> Option | None:
    found = component.component(name, "RequestOption")
    if found is None:
        return None
    if found.type == "RequestPath":
        found.skip("path")
        found.close()
        return Option("url")
    option = request_option(found)
    found.close()
    return option


def request_option(component: Component) -> Option | None:
    """The place that a RequestOption names; None where it names none, which was listed."""
    place = _PLACES.get(component.text("inject_into") or "")
    path = [piece.plain for piece in component.items("field_path")]
    name = ".".join(map(str, path)) if path else component.fixed("field_name")
    if place is None or not name:
        component.notes.lost(component.place, "this option names no place in a request")
        return None
    return Option(place, name)


def _by_hand(requester: Component) -> Option | None:
    """The parameter that a requester fills from `next_page_token` itself, without an option."""
    for key, place in (("request_parameters", "query"), ("request_headers", "header"), ("request_body_json", "body")):
        piece = requester.look(key)
        members = piece.value if piece is not None and isinstance(piece.value, dict) else {}
        for name, value in members.items():
            if is_only(value.value, "next_page_token"):
                return Option(place, name)  # type: ignore[arg-type] # the three are places
    return None


def _is_number(strategy: Component) -> bool:
    piece = strategy.look("page_size")
    return piece is None or not isinstance(piece.value, str) or piece.value.isdigit()


def _cursor(strategy: Component, data_path: str, token: Option | None) -> Tree | None:
    scope = _page_scope(strategy, data_path)
    text = strategy.text("cursor_value") or ""
    if token is not None and token.place == "url" and (link := _LINK_HEADER.fullmatch(text.strip())) is not None:
        strategy.skip("stop_condition")
        rel = link["a"] or link["b"] or link["c"]
        return {"type": "header_link"} if rel == "next" else {"type": "header_link", "rel": rel}
    cursor = strategy.jq("cursor_value", scope)
    if cursor is None or token is None:
        strategy.skip("stop_condition")
        return None
    stop = strategy.text("stop_condition")
    more: Tree = {}
    if stop is not None and (flag := _NOT.fullmatch(stop.strip())) is not None:
        condition = strategy.condition("stop_condition", scope)
        if condition is not None:
            # `not X` stops, so X goes on; a page that does not say counts as the last, as in Jinja.
            more = {"has_more_path": strategy.condition_of(f"{{{{ {flag['what']} }}}}", scope) or f"{condition} | not"}
    elif stop is not None and (condition := strategy.condition("stop_condition", scope)) not in (None, "false"):
        cursor = f"if {condition} then null else {cursor} end"
    if token.place == "url":
        return {"type": "next_link", "next_link_path": cursor if not more else _until(more, cursor)}
    into: Tree = {} if token.place == "query" else {"into": token.place}
    return {"type": "cursor", "cursor_path": cursor, "cursor_param": token.name, **more, **into}


def _until(more: Tree, link: str) -> str:
    return f"if {more['has_more_path']} then {link} else null end"


def _page_scope(strategy: Component, data_path: str) -> Scope:
    """What a strategy may name: the page, its last record, and how many it has."""
    records = f'[{data_path} | if type == "array" then .[] else . end]'
    return strategy.scope(response=".", last_record=f"({records} | last)", last_page_size=f"({records} | length)")


def _counted(
    kind: str, param: str, size_param: str, token: Option | None, size: Option | None, count: Any
) -> Tree | None:
    if token is None or token.place == "url":
        return None
    into: Tree = {} if token.place == "query" else {"into": token.place}
    has_size = size is not None and size.place == token.place
    found: Tree = {"type": kind, param: token.name, size_param: size.name if size is not None and has_size else None}
    if count is not None:
        found["page_size"] = count
        # A page that is not full is the last one there, if the server was told what is full.
        found |= {"until": "short"} if size is not None else {}
    return {**found, **into}


def _sized(section: Tree, size: Option | None, count: Any) -> Paging:
    """The paging, with the size of a page in its place: beside the paging, or in what every request says."""
    if size is None or count is None or size.place == "url":
        return Paging(section)
    is_beside = size.place == section.get("into", "query")
    if section["type"] in ("offset", "page") and is_beside:
        return Paging(section)
    if section["type"] == "cursor" and is_beside:
        return Paging({**section, "limit_param": size.name, "page_size": count})
    return Paging(
        section,
        {size.name: count} if size.place == "query" else {},
        {size.name: str(count)} if size.place == "header" else {},
        _nested(size.name, count) if size.place == "body" else {},
    )


def _nested(path: str, value: Any) -> Tree:
    for part in reversed(path.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value
