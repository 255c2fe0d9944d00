"""One resource of a dlt configuration (dlt's reference, rest_api, endpoint configuration)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.importing.dlt.client import pagination_of
from portsync.importing.dlt.links import Link, links_of
from portsync.importing.dlt.placeholders import Meanings, UnknownPlaceholderError, said
from portsync.importing.dlt.shape import shape_of
from portsync.importing.jsonpath import records_of
from portsync.importing.keys import Keys
from portsync.importing.names import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.notes import Notes
    from portsync.importing.piece import Piece
    from portsync.importing.proposal import Shape
    from portsync.importing.tree import Tree
    from portsync.mapping.places import Place

_OF_DESTINATION = (
    "table_name", "write_disposition", "merge_key", "max_table_nesting", "schema_contract", "table_format",
    "file_format", "nested_hints", "references", "parallelized", "section", "spec", "parse_data",
)  # fmt: skip
_ENDS_IN_PLACEHOLDER = re.compile(r"\{[A-Za-z0-9._-]+\}[^/]*/?\Z")


@dataclass(frozen=True, slots=True)
class Read:
    """A resource as the parts of one of a mapping."""

    name: str
    place: Place
    path: str
    """With `{name}` for the parameter that takes its values from the parent."""
    selector: Tree
    link: Link | None
    shape: Shape
    auth: Piece | None = None
    is_selected: bool = True
    """Whether it has entities, and does not only give values to others."""


def read_resource(piece: Piece, notes: Notes, *, client_pages: bool) -> Read | None:
    """The resource; None where it cannot be said, which was listed. `client_pages` says whether the client has a
    paginator, which holds for all that have none."""
    keys = Keys(piece, notes, "resource")
    name = keys.text("name") or keys.text("table_name")
    endpoint = keys.piece("endpoint")
    if name is None or endpoint is None:
        notes.lost(piece.place, "a resource needs a `name`: it is left out")
        return None
    asked = Keys(endpoint, notes, f"`{name}`")
    path = asked.text("path")
    link = links_of(asked, keys, name, notes)
    if path is None or isinstance(link, str):
        notes.lost(piece.place, f"`{name}` is left out{'' if path is None else f': {link}'}")
        return None
    try:
        found, sent = _request(asked, link, path, notes)
    except UnknownPlaceholderError as error:
        notes.lost(endpoint.place, f"`{name}` is left out: {error}")
        return None
    found |= _records(asked, notes, is_single=_ENDS_IN_PLACEHOLDER.search(path) is not None, client_pages=client_pages)
    auth = asked.piece("auth") or keys.piece("auth")
    asked.close()
    shape = shape_of(keys, name, piece.place, notes, {} if link is None else link.included)
    selected = keys.boolean("selected")
    keys.skip(*_OF_DESTINATION)
    for name_of_steps in ("processing_steps", "columns_transformer"):
        if name_of_steps in keys:
            notes.lost(
                keys.place_of(name_of_steps),
                f"`{name}`: `{name_of_steps}` is code",
                "write `query`, or JQ in the properties",
            )
            keys.skip(name_of_steps)
    keys.close()
    return Read(name, piece.place, sent, found, link, shape, auth, selected is not False)


def _request(asked: Keys, link: Link | None, path: str, notes: Notes) -> tuple[Tree, str]:
    """What is sent, and its path. Raises UnknownPlaceholderError."""
    constants, parameters = _incremental(asked, notes)
    params = _parameters(asked, parameters, notes)
    in_path = {
        name: str(value) for name, value in params.items() if f"{{{name}}}" in path and not isinstance(value, list)
    }
    for name in in_path:
        params.pop(name)
    spans = {} if link is None else dict(link.spans)
    meanings = Meanings({**constants, **in_path}, spans)
    found: Tree = {}
    method = (asked.text("method") or "GET").upper()
    if method != "GET":
        found["method"] = method
    found["query_params"] = said(params, meanings)
    found["headers"] = {
        key: said(value.plain, meanings) for key, value in asked.members("headers").items() if value.value is not None
    }
    body = asked.piece("json")
    if body is not None:
        found["body"] = quoted(body.value) if isinstance(body.value, str) else said(body.plain, meanings)
    data = asked.piece("data")
    if data is not None:
        is_text = isinstance(data.value, str)
        found["body"] = quoted(data.value) if is_text else said(data.plain, meanings)
        found["body_type"] = "text" if is_text else "form"
    statuses = _statuses(asked, notes)
    if statuses:
        found["on_status"] = statuses
    in_kind = Meanings(meanings.constants, {} if link is None else link.spans_in_path)
    sent = said(path, in_kind, interpolated=False)
    placeholder = None if link is None else f"{{{{ $params.{link.name} }}}}"
    sent = sent if link is None or placeholder is None else sent.replace(placeholder, f"{{{link.name}}}")
    return {key: value for key, value in found.items() if value not in (None, {})}, sent


def _incremental(asked: Keys, notes: Notes) -> tuple[dict[str, str], dict[str, Any]]:
    """What `{incremental...}` stands for, and the parameters that are named there: always the first value, because a
    run knows nothing of those before it."""
    constants: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    piece = asked.piece("incremental")
    if piece is None:
        return constants, parameters
    keys = Keys(piece, notes, "incremental")
    first, last = keys.text("initial_value"), keys.text("end_value")
    if first is not None:
        constants |= dict.fromkeys(
            ("incremental.start_value", "incremental.initial_value", "incremental.last_value"), first
        )
    if last is not None:
        constants["incremental.end_value"] = last
    ends = ((keys.text("start_param"), first), (keys.text("end_param"), last))
    parameters |= {name: value for name, value in ends if name is not None and value is not None}
    if "convert" in keys or "transform" in keys:
        notes.lost(piece.place, "incremental: `convert` is code", "write the value as the API wants it")
    keys.skip("cursor_path", "convert", "transform", "row_order", "lag", "range_start", "range_end")
    keys.skip("last_value_func", "primary_key", "allow_external_schedulers", "on_cursor_value_missing")
    keys.close()
    _say_incremental(piece, notes)
    return constants, parameters


def _say_incremental(piece: Piece, notes: Notes) -> None:
    message = "each run reads everything since the initial value: which records are new is found out by comparing"
    notes.said(piece.place, message, "write JQ for a later value, such as {{ now - 86400 * 30 | todate }}")


def _parameters(asked: Keys, more: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, piece in asked.members("params").items():
        match piece.value:
            case None:
                continue
            case dict():
                kind = piece.value.get("type")
                if kind is not None and kind.value == "incremental":
                    initial = piece.value.get("initial_value")
                    if initial is not None and initial.value is not None:
                        found[name] = str(initial.plain)
                    if "convert" in piece.value or "transform" in piece.value:
                        notes.lost(piece.place, "incremental: `convert` is code", "write the value as the API wants it")
                    _say_incremental(piece, notes)
                elif kind is None or kind.value != "resolve":
                    notes.lost(piece.place, f"{asked.name}: the parameter `{name}` is a mapping, which none can be")
            case list() if any(isinstance(item.value, dict | list) for item in piece.value):
                notes.lost(piece.place, f"{asked.name}: the parameter `{name}` is a list of lists or mappings")
            case _:
                found[name] = piece.plain
    return {**more, **found}


def _records(asked: Keys, notes: Notes, *, is_single: bool, client_pages: bool) -> Tree:
    """Where the records are, and how their pages follow."""
    found: Tree = {}
    selector, paginator = asked.text("data_selector"), asked.piece("paginator")
    data_path = None if selector is None else records_of(selector)
    if selector is not None and data_path is None:
        notes.lost(
            asked.place_of("data_selector"),
            f"{asked.name}: this JSONPath has no counterpart",
            "write `data_path` in JQ",
        )
    elif data_path is not None:
        found["data_path"] = data_path
    elif not is_single:
        message = f"{asked.name}: where the records are is left to dlt to find out: the whole answer is taken for them"
        notes.lost(asked.place, message, "write `data_path`, such as .data")
    if paginator is not None:
        section = pagination_of(paginator, notes, data_path if data_path is not None or not is_single else ".")
        if section is not None or client_pages:
            # The client's paginator is not that of a resource which has its own, whatever that is.
            found["pagination"] = section or {"type": "none"}
    elif is_single and client_pages:
        found["pagination"] = {"type": "none"}
    elif not is_single and not client_pages:
        message = f"{asked.name}: how pages follow each other is left to dlt to find out: one page is read"
        notes.lost(asked.place, message, "write `pagination`: docs/reference/mapping.md lists the types")
    return {key: value for key, value in found.items() if value != "."}


def _statuses(asked: Keys, notes: Notes) -> Tree:
    found: Tree = {}
    for piece in asked.items("response_actions"):
        keys = Keys(piece, notes, f"{asked.name}: `response_actions`")
        status, action = keys.integer("status_code"), keys.text("action")
        if "content" in keys:
            notes.lost(piece.place, f"{asked.name}: what an answer says besides its status decides nothing")
            keys.skip("content")
        elif action != "ignore" or status is None or not 300 <= status <= 599:  # noqa: PLR2004 - HTTP
            notes.lost(piece.place, f"{asked.name}: this action on answers has no counterpart")
        else:
            found[str(status)] = "empty"
        keys.close()
    return found
