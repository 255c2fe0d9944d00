"""The requests of a stream (Airbyte's reference, HttpRequester)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from portsync.importing.airbyte.jinja import as_text, is_only
from portsync.importing.airbyte.scope import UnsayableError
from portsync.importing.names import quoted
from portsync.importing.piece import Piece

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.airbyte.component import Component
    from portsync.importing.airbyte.scope import Scope
    from portsync.importing.tree import Tree

_PART = re.compile(r"(?:\{\{.*?\}\}|[^&{]|\{(?!\{))+")
"""A pair of a query; an expression may hold the sign between two of them."""
_BODIES = ("request_body_json", "request_body_data", "request_body")


@dataclass(frozen=True, slots=True)
class Asking:
    """What a stream asks."""

    base: str | None
    """The URL before the path; may hold `${NAME}`."""
    path: str
    request: Tree = field(default_factory=dict)
    """The keys of a selector: method, parameters, headers, body, on_status."""
    attempts: int | None = None


def asking_of(component: Component, scope: Scope) -> Asking | None:
    """What a requester asks; None where it cannot be said, which was listed."""
    if component.type != "HttpRequester":
        component.notes.lost(component.place, f"requests of the type `{component.type}` have no counterpart")
        return None
    base = component.fixed("url_base")
    path = _path(component, scope)
    if "url" in component:
        base = component.fixed("url") or base
    if base is None and "url_base" in component:
        return None
    if path is None:
        return None
    request: Tree = {}
    method = (component.text("http_method") or "GET").upper()
    if method != "GET":
        request["method"] = method
    request["query_params"] = _parameters(component, scope)
    request["headers"] = _members(component, "request_headers", scope)
    request |= _body(component, scope)
    attempts = _errors(component, request)
    component.drop("fetch_properties_from_endpoint", "which fields there are has to be written out")
    component.drop("query_properties", "which fields there are has to be written out")
    component.skip("use_cache", "authenticator")
    component.close()
    return Asking(base, path, {key: value for key, value in request.items() if value not in (None, {}, "")}, attempts)


def _path(component: Component, scope: Scope) -> str | None:
    """The path with `{name}` for each field of a partition, and spans for the rest."""
    text = component.text("path")
    if text is None:
        return ""
    try:
        return as_text(text, scope, interpolated=False)
    except UnsayableError as error:
        piece = component.look("path")
        message = f"HttpRequester: `path` cannot be said in a mapping: {error}"
        component.notes.lost(component.place if piece is None else piece.place, message)
        return None


def _parameters(component: Component, scope: Scope) -> Tree | None:
    """The parameters, which may also be written as one query."""
    piece = component.look("request_parameters")
    if piece is None or not isinstance(piece.value, str):
        return _members(component, "request_parameters", scope)
    component.skip("request_parameters")
    pairs = [part.partition("=") for part in _PART.findall(piece.value)]
    members = {unquote_plus(name): Piece(unquote_plus(value), piece.place) for name, sign, value in pairs if sign}
    return _said(component, "request_parameters", members, scope)


def _members(component: Component, name: str, scope: Scope) -> Tree | None:
    """Names and values, each for itself: where one cannot be said, the others are."""
    piece = component.look(name)
    if piece is not None and isinstance(piece.value, str):
        component.drop(name, "they have to be names and values")
        return None
    return _said(component, name, component.members(name), scope)


def _said(component: Component, name: str, members: Mapping[str, Piece], scope: Scope) -> Tree:
    found: Tree = {}
    for key, value in members.items():
        if is_only(value.value, "next_page_token"):
            continue  # the paging says it
        said = _one(component, name, key, value, scope)
        if said is not None and said != {}:
            found[key] = said
    return found


def _one(component: Component, name: str, key: str, value: Piece, scope: Scope) -> Any:
    if isinstance(value.value, dict):
        component.notes.lost(value.place, f"HttpRequester: `{name}.{key}` is a mapping, which no parameter can be")
        return None
    return component.made_of(Piece({key: value}, value.place)).value(key, scope)


def _body(component: Component, scope: Scope) -> Tree:
    given = [name for name in _BODIES if name in component]
    if not given:
        return {}
    name = given[0]
    piece = component.look(name)
    assert piece is not None, "it was just seen"
    if name == "request_body":
        inner = component.component(name)
        assert inner is not None, "it was just seen"
        found = _typed_body(inner, scope)
        inner.close()
        return found
    if isinstance(piece.value, str):
        return _text_body(component, name, piece.value, scope)
    return {"body": component.value(name, scope), **({"body_type": "form"} if name.endswith("data") else {})}


def _typed_body(component: Component, scope: Scope) -> Tree:
    match component.type:
        case "RequestBodyPlainText":
            return {"body": component.jq("value", scope), "body_type": "text"}
        case "RequestBodyUrlEncodedForm":
            return {"body": component.value("value", scope), "body_type": "form"}
        case _:
            value = component.value("value", scope)
            if isinstance(value, dict) and component.type == "RequestBodyGraphQL":
                value.pop("type", None)
            return {"body": value}


def _text_body(component: Component, name: str, text: str, scope: Scope) -> Tree:
    """A body that is one text: JSON that says its value, or text as it is."""
    if name == "request_body_data":
        return {"body": component.jq(name, scope), "body_type": "text"}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        component.drop(name, "a body that is made as a text is no JSON before it is made", "write `body` as a mapping")
        return {}
    component.skip(name)
    return {"body": quoted(value) if isinstance(value, str) else value}


_ACTIONS = {"IGNORE": "empty", "FAIL": "fail", "RETRY": "retry", "RATE_LIMITED": "retry", "SUCCESS": "empty"}


def _errors(component: Component, request: Tree) -> int | None:
    """Put what statuses mean into `request`, and give how often a request is tried in all, where that is said."""
    attempts: int | None = None
    meanings: Tree = {}
    handler = component.component("error_handler", "DefaultErrorHandler")
    handlers = [] if handler is None else [handler]
    while handlers:
        one = handlers.pop(0)
        if one.type == "CompositeErrorHandler":
            handlers = [*one.components("error_handlers", "DefaultErrorHandler"), *handlers]
        elif one.type == "DefaultErrorHandler":
            if _is_number_or_none(one):
                retries = one.integer("max_retries")
                attempts = attempts if retries is None else max(attempts or 1, retries + 1)
            for rule in one.components("response_filters", "HttpResponseFilter"):
                _rule(rule, meanings)
            if (waits := one.piece("backoff_strategies")) is not None:
                message = "how long is waited between attempts is portsync's own: what the server asks for, or random"
                one.notes.said(waits.place, message, "`source.retry.max_wait` is the longest wait")
        else:
            one.notes.lost(one.place, f"the error handler `{one.type}` has no counterpart")
            continue
        one.close()
    if meanings:
        request["on_status"] = meanings
    return attempts


def _is_number_or_none(handler: Component) -> bool:
    piece = handler.look("max_retries")
    if piece is not None and isinstance(piece.value, str) and not piece.value.isdigit():
        handler.drop("max_retries", "`source.retry.attempts` is a number")
        return False
    return True


def _rule(rule: Component, meanings: Tree) -> None:
    codes = [piece.plain for piece in rule.items("http_codes")]
    action = rule.text("action")
    rule.skip("failure_type", "error_message")
    for name in ("predicate", "error_message_contains"):
        if name in rule:
            rule.drop(name, "what an answer says besides its status decides nothing")
            rule.close()
            return
    rule.close()
    meaning = _ACTIONS.get(action or "FAIL")
    if meaning is None:
        rule.notes.lost(rule.place, f"the action `{action}` has no counterpart")
        return
    for code in codes:
        if isinstance(code, int) and not isinstance(code, bool) and 300 <= code <= 599:  # noqa: PLR2004 - HTTP
            meanings.setdefault(str(code), meaning)
        else:
            rule.notes.lost(rule.place, f"`http_codes`: an answer with `{code}` always has its usual meaning")
