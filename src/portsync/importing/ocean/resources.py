"""The resources of an Ocean configuration, key by key, and what Ocean did with them without a word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from portsync.importing.keys import Keys
from portsync.importing.piece import Piece, places_of, tree_of
from portsync.importing.tree import Mark, Tree
from portsync.jq.likeness import looks_like_jq
from portsync.jq.scan import calls, scan
from portsync.mapping.explain import did_you_mean
from portsync.mapping.templates import parameters_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portsync.importing.notes import Notes

_REQUEST = ("method", "query_params", "headers", "data_path")
_SELECTOR = ("query", *_REQUEST, "body", "path_parameters")
_PARAMETER = ("endpoint", *_REQUEST, "field", "filter")
_PORT = ("itemsToParse", "itemsToParseName", "itemsToParseTopLevelTransform", "entity")
_MAPPING = ("identifier", "blueprint", "title", "icon", "team", "properties", "relations")
_WITHOUT_EFFECT = {
    "endpoint": "`kind` is the path",
    "exportEnvVariables": "raw data is not processed elsewhere",
    "includedFiles": "files are no records",
}
_ITERATES = re.compile(r"\[\]")


def resource_of(piece: Piece, notes: Notes, *, paginates: bool) -> Tree:
    """One resource in the form of a mapping; `paginates` says whether the source has pages."""
    keys = Keys(piece, notes, "the resource")
    kind, selector, port = keys.piece("kind"), keys.piece("selector"), keys.piece("port")
    found: Tree = {}
    if kind is not None:
        found["kind"] = kind.plain
        _say_about_kind(kind, notes)
    if selector is not None:
        found["selector"] = _selector(selector, kind, notes, paginates=paginates)
    if (enabled := keys.boolean("enableDelete")) is not None and not enabled:
        found.setdefault("selector", {})["delete_stale"] = False
        notes.said(
            piece.value["enableDelete"].place, "`enableDelete: false` counts from now on, as `delete_stale: false`"
        )
    if port is not None:
        found["port"] = _known(port, _PORT, notes, "port")
        if isinstance(entity := found["port"].get("entity"), dict):
            found["port"]["entity"] = _entity(port.value["entity"], notes) or entity
    _pass_over(keys)
    for expression in _expressions(piece):
        _say_about_environment(expression, notes)
    members = piece.value if isinstance(piece.value, dict) else {}
    return {**found, Mark.PLACES: places_of(members, piece.place)}


def _pass_over(keys: Keys) -> None:
    """Say of what nobody read that Ocean does not read it either."""
    for name, piece in keys.rest():
        why = _WITHOUT_EFFECT.get(name)
        message = f"{keys.name}: `{name}` is left out: Ocean accepts it, and it changes nothing"
        keys.notes.said(piece.place, f"{message}{f' ({why})' if why else ''}")


def _known(piece: Piece, names: Sequence[str], notes: Notes, what: str) -> Tree:
    """The members with these names, as they stand; of others it is said that Ocean does not read them either."""
    keys = Keys(piece, notes, f"`{what}`")
    found: Tree = {}
    for name in names:
        member = keys.piece(name)
        if member is not None:
            found[name] = tree_of(member)
    for name, member in keys.rest():
        why = _WITHOUT_EFFECT.get(name)
        message = f"`{what}`: `{name}` is left out: Ocean passes over it in silence{f' ({why})' if why else ''}"
        notes.said(member.place, message, None if why else did_you_mean(name, names))
    return {**found, Mark.PLACES: places_of(piece.value if isinstance(piece.value, dict) else {}, piece.place)}


def _entity(piece: Piece, notes: Notes) -> Tree:
    found = _known(piece, ("mappings",), notes, "entity")
    given = piece.value.get("mappings")
    if given is not None and isinstance(given.value, dict):
        found["mappings"] = _known(given, _MAPPING, notes, "mappings")
        _say_about_mapping(given, notes)
    elif given is not None and isinstance(given.value, list):
        found["mappings"] = [_known(each, _MAPPING, notes, "mappings") for each in given.value]
    return found


def _say_about_mapping(piece: Piece, notes: Notes) -> None:
    for name, expressions in piece.value.items():
        if name in ("properties", "relations") and isinstance(expressions.value, dict):
            for key, expression in expressions.value.items():
                if isinstance(expression.value, bool):
                    message = f"`{name}.{key}` is a constant here; Ocean takes it for JQ that does not compile"
                    notes.said(expression.place, message)


def _selector(piece: Piece, kind: Piece | None, notes: Notes, *, paginates: bool) -> Tree:
    found = _known(piece, _SELECTOR, notes, "selector")
    members: dict[str, Piece] = piece.value if isinstance(piece.value, dict) else {}
    if isinstance(found.get("query"), bool):
        notes.said(members["query"].place, "`query` has no quotes: Ocean reads `True`, which does not compile")
    _say_about_request(found, members, notes)
    if isinstance(found.get("body"), str):
        message = "Ocean sends this text itself, between quotes; here it is JQ, and what it gives is the body"
        notes.said(members["body"].place, message)
    elif "body" in found:
        _say_about_texts(members["body"], notes)
    if paginates and found.get("method") not in (None, "GET"):
        message = "the parameters of the paging go into the query, also for this method"
        notes.said(members["method"].place, message, "write a `pagination` with `into: body` where the API wants that")
    parameters = members.get("path_parameters")
    if parameters is not None and isinstance(parameters.value, dict):
        found["path_parameters"] = {name: _parameter(each, notes) for name, each in parameters.value.items()} | {
            Mark.PLACES: places_of(parameters.value, parameters.place)
        }
        in_path = parameters_in(kind.value) if kind is not None and isinstance(kind.value, str) else []
        for name in in_path[1:]:
            notes.said(parameters.place, f"`{{{name}}}` is put in here; Ocean puts in the first parameter alone")
    return found


def _parameter(piece: Piece, notes: Notes) -> Tree:
    found = _known(piece, _PARAMETER, notes, "path_parameters")
    members: dict[str, Piece] = piece.value if isinstance(piece.value, dict) else {}
    _say_about_request(found, members, notes)
    if members and "data_path" not in members:
        notes.said(piece.place, "without `data_path`, Ocean finds no values in an answer that is a list; here it does")
    return found


def _say_about_request(found: Tree, members: dict[str, Piece], notes: Notes) -> None:
    """Bring method and parameters into the form of a mapping, in place, and say what is different from now on."""
    if isinstance(found.get("method"), str):
        found["method"] = found["method"].upper()
    path = found.get("data_path")
    if isinstance(path, str) and _ITERATES.search(path):
        message = "every output of `data_path` is a record; Ocean takes the first one alone"
        notes.said(members["data_path"].place, message)
    for name in ("query_params", "headers"):
        if name in found and isinstance(found[name], dict):
            given: dict[str, Piece] = members[name].value
            found[name] = {
                **{key: _rendered(item, notes) for key, item in given.items()},
                Mark.PLACES: places_of(given, members[name].place),
            }


def _rendered(piece: Piece, notes: Notes) -> Any:
    """A parameter or header; what looks like JQ is made JQ."""
    match piece.value:
        case list():
            return [_rendered(item, notes) for item in piece.value]
        case None:
            notes.said(piece.place, "a parameter that is null is sent empty, as Ocean does")
            return ""
        case str() as text if "{{" not in text and looks_like_jq(text):
            message = "this looks like JQ, which Ocean sends as the text that it is; here it is evaluated"
            notes.said(piece.place, message, "take {{ }} away where the text itself is meant")
            return f"{{{{ {text.strip()} }}}}"
        case _:
            _say_about_texts(piece, notes)
            return piece.plain


def _say_about_texts(piece: Piece, notes: Notes) -> None:
    for text in _texts(piece):
        if "{{" in text.value:
            notes.said(text.place, "`{{ }}` marks JQ here; Ocean sends it as it stands")
        if "${" in text.value:
            notes.said(text.place, "`${NAME}` is put in here; Ocean sends it as it stands")


def _texts(piece: Piece) -> Iterator[Piece]:
    match piece.value:
        case dict():
            for item in piece.value.values():
                yield from _texts(item)
        case list():
            for item in piece.value:
                yield from _texts(item)
        case str():
            yield piece
        case _:
            pass


def _say_about_kind(kind: Piece, notes: Notes) -> None:
    if isinstance(kind.value, str) and "?" in kind.value:
        notes.said(kind.place, "the query in `kind` is sent; Ocean drops it")
    if isinstance(kind.value, str) and "{{" in kind.value:
        notes.said(kind.place, "`{{ }}` marks JQ here; Ocean sends it as it stands")


def _expressions(piece: Piece) -> Iterator[Piece]:
    """The texts of a resource that are JQ in Ocean, in whatever form they are given."""
    yield from _texts(_below(piece, "port"))
    selector = _below(piece, "selector")
    for name in ("query", "data_path"):
        yield from _texts(_below(selector, name))
    parameters = _below(selector, "path_parameters").value
    for parameter in parameters.values() if isinstance(parameters, dict) else ():
        for name in ("data_path", "field", "filter"):
            yield from _texts(_below(parameter, name))


def _below(piece: Piece, name: str) -> Piece:
    """The member of this name, or an empty one."""
    members = piece.value if isinstance(piece.value, dict) else {}
    return members.get(name) or Piece(None, piece.place)


def _say_about_environment(expression: Piece, notes: Notes) -> None:
    text = expression.value
    variables = (token for token in scan(text) if token.text == "ENV" and text[token.start - 1 : token.start] == "$")
    if any(calls(text, frozenset({"env"}))) or any(variables):
        message = "this expression reads the environment, which Ocean lets it do with every secret of the process"
        hint = "the mapping names a variable with ${NAME}, in `source` and `selector`"
        notes.lost(expression.place, f"{message}; here it gets nothing", hint)
