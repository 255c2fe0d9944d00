"""dlt: the configuration of its REST API source, as JSON or YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.errors import ConfigError, Problem
from portsync.importing.dlt.client import auth_of, pagination_of
from portsync.importing.dlt.resource import Read, read_resource
from portsync.importing.dlt.resources import resources_of
from portsync.importing.keys import Keys
from portsync.importing.names import literal
from portsync.importing.piece import Piece, places_of
from portsync.importing.tree import Mark, placed

if TYPE_CHECKING:
    from portsync.importing.imported import Draft
    from portsync.importing.notes import Notes
    from portsync.importing.tree import Tree

__all__ = ["from_dlt"]


def from_dlt(file: Piece, notes: Notes) -> Draft:
    """The mapping of a `RESTAPIConfig`. Raises ConfigError where `file` is none."""
    members = file.value if isinstance(file.value, dict) else {}
    if "client" not in members or "resources" not in members:
        message = "is no configuration of dlt's REST API source: it has no `client` and `resources`"
        hint = "write the dict that rest_api_source is given as JSON or YAML"
        raise ConfigError(Problem("not-importable", message, str(file.place), hint))
    top = Keys(file, notes, "the configuration")
    client = Keys(members["client"], notes, "client")
    top.skip("client")
    source = _source(client, notes)
    base = client.text("base_url")
    if base is None:
        notes.said(
            client.place, "`base_url` is not in this file", "add it to `source`, or set PORTSYNC_SOURCE_BASE_URL"
        )
    auth = client.piece("auth")
    if auth is not None and (section := auth_of(auth, notes)) is not None:
        source = {"auth": placed(section, auth.place), **source}
    client.close()
    defaults = top.piece("resource_defaults")
    pages = client.look("paginator") is not None
    read = [_read(piece, defaults, notes, client_pages=pages) for piece in top.items("resources")]
    top.close()
    return resources_of([each for each in read if each is not None], base, source, auth, notes)


def _source(client: Keys, notes: Notes) -> Tree:
    found: Tree = {}
    headers = client.members("headers")
    if headers:
        texts = {name: literal(str(piece.plain)) for name, piece in headers.items()}
        found["headers"] = {**texts, Mark.PLACES: places_of(headers, client.place_of("headers"))}
    paginator = client.piece("paginator")
    if paginator is not None and (section := pagination_of(paginator, notes, None)) is not None:
        found["pagination"] = section
    if "session" in client:
        notes.lost(
            client.place_of("session"), "client: `session` is code", "`source` has time-outs, retries and certificates"
        )
        client.skip("session")
    return found


def _read(piece: Piece, defaults: Piece | None, notes: Notes, *, client_pages: bool) -> Read | None:
    return read_resource(_merged(_spelt_out(piece), defaults), notes, client_pages=client_pages)


def _spelt_out(piece: Piece) -> Piece:
    """A resource with its name and its endpoint's path, where the file has it shorter."""
    if isinstance(piece.value, str):
        name = piece
        return Piece({"name": name, "endpoint": Piece({"path": name}, piece.place)}, piece.place)
    if not isinstance(piece.value, dict):
        return piece
    endpoint = piece.value.get("endpoint") or Piece({}, piece.place)
    if isinstance(endpoint.value, str):
        endpoint = Piece({"path": endpoint}, endpoint.place)
    if isinstance(endpoint.value, dict) and "path" not in endpoint.value and "name" in piece.value:
        endpoint = Piece({**endpoint.value, "path": piece.value["name"]}, endpoint.place)
    return Piece({**piece.value, "endpoint": endpoint}, piece.place)


def _merged(piece: Piece, defaults: Piece | None) -> Piece:
    """The resource with the defaults of all: of an endpoint the parameters and the JSON are joined, all else is
    replaced."""
    if defaults is None or not isinstance(defaults.value, dict) or not isinstance(piece.value, dict):
        return piece
    own, general = piece.value["endpoint"], defaults.value.get("endpoint")
    endpoint = own
    if general is not None and isinstance(general.value, dict) and isinstance(own.value, dict):
        joined = {name: _joined(own.value, general.value, name) for name in ("params", "json")}
        both: dict[str, Any] = {**general.value, **own.value}
        endpoint = Piece({**both, **{name: value for name, value in joined.items() if value is not None}}, own.place)
    return Piece({**defaults.value, **piece.value, "endpoint": endpoint}, piece.place)


def _joined(own: dict[str, Piece], general: dict[str, Piece], name: str) -> Piece | None:
    given = [part[name] for part in (general, own) if name in part and isinstance(part[name].value, dict)]
    if len(given) < 2:  # noqa: PLR2004 - of one there is nothing to join
        return None
    return Piece({**given[0].value, **given[1].value}, given[1].place)
