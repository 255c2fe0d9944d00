"""The client of a dlt configuration: who asks, and how pages follow each other (dlt's reference, rest_api)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portsync.importing.jsonpath import jq_of
from portsync.importing.keys import Keys
from portsync.importing.names import literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.notes import Notes
    from portsync.importing.piece import Piece
    from portsync.importing.tree import Tree

_BY_HAND = "write `pagination` by hand: docs/reference/mapping.md lists the types"


_PAGES: Mapping[str, Any] = MappingProxyType({"size_param": None, "start_page": 0, "total_pages_path": ".total"})
"""What dlt takes where `page_number` is all that is said."""


def auth_of(piece: Piece, notes: Notes) -> Tree | None:
    """The section for an authentication. What is left out of it is in dlt's secrets, and becomes a variable."""
    if isinstance(piece.value, str):
        return _auth(piece.value, None)
    keys = Keys(piece, notes, "auth")
    kind = keys.text("type") or "bearer"
    found = _auth(kind, keys)
    if found is None:
        notes.lost(piece.place, f"the authentication `{kind}` has no counterpart", "write `source.auth` by hand")
        return None
    keys.skip("session", "access_token")
    keys.close()
    return found


def _auth(kind: str, keys: Keys | None) -> Tree | None:
    def given(name: str, variable: str) -> str:
        text = None if keys is None else keys.text(name)
        return f"${{{variable}}}" if text is None else text.replace("${", "$${")

    match kind:
        case "bearer":
            return {"type": "bearer", "token": given("token", "SOURCE_TOKEN")}
        case "http_basic":
            return {
                "type": "basic",
                "username": given("username", "SOURCE_USERNAME"),
                "password": given("password", "SOURCE_PASSWORD"),
            }
        case "api_key":
            return _api_key(given("api_key", "SOURCE_API_KEY"), keys)
        case "oauth2_client_credentials":
            return _oauth(given, keys)
        case _:
            return None


def _api_key(key: str, keys: Keys | None) -> Tree:
    name = (None if keys is None else keys.text("name")) or "Authorization"
    match None if keys is None else keys.text("location"):
        case "query" | "param":
            return {"type": "api_key", "query": name, "key": key}
        case "cookie":
            # The name is no secret; kept apart from the key, so that only the key becomes a variable.
            return {
                "type": "api_key",
                "header": "Cookie",
                "key": f"{name}={key if key.startswith('${') else '${SOURCE_API_KEY}'}",
            }
        case _:
            return {"type": "api_key", "header": name, "key": key}


def _oauth(given: Any, keys: Keys | None) -> Tree:
    found: Tree = {
        "type": "oauth2",
        "token_url": given("access_token_url", "SOURCE_TOKEN_URL"),
        "grant": "client_credentials",
        "client_id": given("client_id", "SOURCE_CLIENT_ID"),
        "client_secret": given("client_secret", "SOURCE_CLIENT_SECRET"),
        # dlt puts id and secret into the form.
        "client_auth": "body",
    }
    if keys is None:
        return found
    params = {name: str(piece.plain) for name, piece in keys.members("access_token_request_data").items()}
    life = keys.integer("default_token_expiration")
    return found | ({"params": params} if params else {}) | ({} if life is None else {"default_life": life})


def pagination_of(piece: Piece, notes: Notes, data_path: str | None) -> Tree | None:
    """The section for a paginator; None where dlt would find it out, or it has no counterpart, which was listed."""
    keys = Keys(piece, notes, "paginator") if isinstance(piece.value, dict) else None
    kind = str(piece.value) if keys is None else keys.text("type") or "auto"
    match kind:
        case "auto":
            found = None
            notes.lost(
                piece.place, "how pages follow each other is left to dlt to find out: one page is read", _BY_HAND
            )
        case "single_page":
            found = {"type": "none"}
        case "json_link" | "json_response":
            found = _of("next_link", next_link_path=_path(keys, "next_url_path", "next", notes))
        case "header_link":
            rel = None if keys is None else keys.text("links_next_key")
            found = {"type": "header_link"} | ({} if rel in (None, "next") else {"rel": rel})
        case "cursor":
            found = _cursor(keys, notes, data_path)
        case "offset" | "page_number" if keys is not None:
            found = _offset(keys, notes) if kind == "offset" else _pages(keys, notes)
        case "page_number":
            found = {"type": "page", **_PAGES}
        case other:
            found = None
            notes.lost(piece.place, f"the paging `{other}` has no counterpart", _BY_HAND)
    if keys is not None and found is not None:
        keys.close()
    return found


def _of(kind: str, **values: Any) -> Tree | None:
    """The section, unless one of its paths cannot be said."""
    return None if None in values.values() else {"type": kind, **values}


def _path(keys: Keys | None, name: str, default: str | None, notes: Notes) -> str | None:
    """A JSONPath as JQ. A null in the file says that there is none."""
    if keys is None:
        return None if default is None else jq_of(default)
    text = keys.text(name)
    if text is None:
        return None if default is None or keys.has_null(name) else jq_of(default)
    found = jq_of(text)
    if found is None:
        notes.lost(keys.place_of(name), f"paginator: the JSONPath `{name}` has no counterpart", "write it in JQ")
    return found


def _cursor(keys: Keys | None, notes: Notes, data_path: str | None) -> Tree | None:
    found = _of("cursor", cursor_path=_path(keys, "cursor_path", "cursors.next", notes))
    if found is None or keys is None:
        return found
    param, in_body = keys.text("cursor_param"), keys.text("cursor_body_path")
    if in_body is not None:
        found |= {"cursor_param": in_body.removeprefix("$."), "into": "body"}
    elif param not in (None, "cursor"):
        found["cursor_param"] = param
    if (more := _path(keys, "has_more_path", None, notes)) is not None:
        found["has_more_path"] = more
    if keys.boolean("stop_after_empty_page"):
        if data_path is None:
            notes.lost(
                keys.place,
                "`stop_after_empty_page`: an empty page with a cursor ends nothing",
                "write it into `cursor_path`",
            )
        else:
            records = f'[{data_path} | if type == "array" then .[] else . end]'
            found["cursor_path"] = f"if {records} == [] then null else {found['cursor_path']} end"
    return found


def _offset(keys: Keys, notes: Notes) -> Tree:
    limit = keys.integer("limit")
    offset_in, limit_in = keys.text("offset_body_path"), keys.text("limit_body_path")
    found: Tree = {"type": "offset"}
    names = {
        "offset_param": offset_in or keys.text("offset_param"),
        "limit_param": limit_in or keys.text("limit_param"),
    }
    found |= {name: value for name, value in names.items() if value is not None}
    found |= {} if limit is None else {"page_size": limit}
    if offset_in is not None or limit_in is not None:
        found["into"] = "body"
    if (total := _path(keys, "total_path", "total", notes)) is not None:
        found["total_path"] = total
    if (more := _path(keys, "has_more_path", None, notes)) is not None:
        found["has_more_path"] = more
        if keys.look("total_path") is None:
            found.pop("total_path", None)
    if keys.integer("offset") not in (None, 0):
        notes.lost(
            keys.place_of("offset"), "paginator: the first record has the number 0", "write it into `query_params`"
        )
    most = keys.integer("maximum_offset")
    if most is not None and limit:
        found["max_pages"] = max(1, -(-most // limit))
        _say_limit(keys, "maximum_offset", notes)
    _end(keys, notes)
    return found


def _pages(keys: Keys, notes: Notes) -> Tree:
    in_body, param = keys.text("page_body_path"), keys.text("page_param")
    base = keys.integer("base_page") or 0
    start = keys.integer("page")
    found: Tree = {"type": "page"}
    if in_body is not None:
        found |= {"page_param": in_body, "into": "body"}
    elif param not in (None, "page"):
        found["page_param"] = param
    found |= {"size_param": None, "start_page": base if start is None else start}
    if (total := _path(keys, "total_path", "total", notes)) is not None:
        found["total_pages_path"] = total
    if (more := _path(keys, "has_more_path", None, notes)) is not None:
        found["has_more_path"] = more
        if keys.look("total_path") is None:
            found.pop("total_pages_path", None)
    most = keys.integer("maximum_page")
    if most is not None:
        found["max_pages"] = max(1, most - found["start_page"])
        _say_limit(keys, "maximum_page", notes)
    _end(keys, notes)
    return found


def _say_limit(keys: Keys, name: str, notes: Notes) -> None:
    message = f"paginator: where there are pages after `{name}`, the resource is incomplete"
    notes.said(keys.place_of(name), message, "remove `max_pages` to read them")


def _end(keys: Keys, notes: Notes) -> None:
    if keys.boolean("stop_after_empty_page") is False:
        notes.said(keys.place_of("stop_after_empty_page"), "paginator: an empty page ends it where nothing else does")


def text_of(keys: Keys, name: str) -> str | None:
    """A text of the client as it is sent: nothing in it is a placeholder."""
    found = keys.text(name)
    return None if found is None else literal(found)
