"""What is no mistake, but is probably not meant: warnings of `check`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portsync.errors import Problem
from portsync.jq.likeness import looks_like_jq
from portsync.mapping.doubts import doubts_of
from portsync.mapping.explain import dotted
from portsync.mapping.wrap import find_wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.mapping.models import MappingFile, Resource
    from portsync.mapping.places import Document, Path
    from portsync.mapping.requests import Request

_PARAMETER = re.compile(r"""\$params\b (?: \.([A-Za-z_]\w*) | \[\\?["']([^"'\\]+) )?""", re.ASCII | re.VERBOSE)
"""In a text that was written down as JSON."""


def warnings_of(file: MappingFile, document: Document) -> Iterator[Problem]:
    """The warnings about a mapping that has no problems. They hold keys of the file, and none of its values."""
    for path in texts_like_jq(file):
        message = f"{dotted(path)} looks like JQ, but is sent as the text that it is"
        hint = "put {{ }} around it; `portsync check --fix` does it"
        if find_wrap(document, path) is None:
            hint = "put {{ }} around it by hand; inside of it no }} may stand"
        yield _placed(Problem("looks-like-jq", message, hint=hint), document, path)
    yield from doubts_of(file, document)
    for index, resource in enumerate(file.resources):
        path = ("resources", index, "selector")
        yield from _about_window(resource, file, document, path)
        yield from _about_parameters(resource, document, path)


def texts_like_jq(file: MappingFile) -> Iterator[Path]:
    """The places of the texts without a span that look like expressions, and are sent as they stand."""
    return (path for path, text in _request_texts(file) if "{{" not in text and looks_like_jq(text))


def _request_texts(file: MappingFile) -> Iterator[tuple[Path, str]]:
    """Every path, header and query parameter of the file. Bodies are left out: some APIs take JQ in them."""
    yield from _texts(file.source.headers, ("source", "headers"))
    for name, lookup in file.context.items():
        yield ("context", name, "path"), lookup.path
        yield from _texts_of(lookup, ("context", name))
    for index, resource in enumerate(file.resources):
        yield ("resources", index, "kind"), resource.kind
        path: Path = ("resources", index, "selector")
        yield from _texts_of(resource.selector, path)
        for name, parameter in resource.selector.path_parameters.items():
            below: Path = (*path, "path_parameters", name)
            yield (*below, "endpoint"), parameter.endpoint or ""
            yield from _texts_of(parameter, below)


def _texts_of(request: Request, path: Path) -> Iterator[tuple[Path, str]]:
    yield from _texts(request.query_params, (*path, "query_params"))
    yield from _texts(request.headers, (*path, "headers"))


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for name, member in value.items():
                yield from _texts(member, (*path, name))
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, (*path, index))


def _about_window(resource: Resource, file: MappingFile, document: Document, path: Path) -> Iterator[Problem]:
    selector = resource.selector
    if selector.window is None:
        return
    path = (*path, "window")
    # `delete_stale: true` in the file says that it is meant.
    if "delete_stale" not in selector.model_fields_set:
        message = f"{dotted(path)}: entities from before the window are not returned any more, and would be deleted"
        hint = "add `delete_stale: false` to the selector, or `delete_stale: true` where that is meant"
        yield _placed(Problem("window-deletes", message, hint=hint), document, path, key=True)
    if "$window" not in _said(resource.kind, _of_request(selector), file.source.headers):
        message = f"{dotted(path)}: every piece of it makes the same request, because none names `$window`"
        hint = "write {{ $window.start }} and {{ $window.end }} into `query_params`, or $window.start into `body`"
        yield _placed(Problem("window-unused", message, hint=hint), document, path, key=True)


def _about_parameters(resource: Resource, document: Document, path: Path) -> Iterator[Problem]:
    parameters = resource.selector.path_parameters
    for name, parameter in parameters.items():
        others = [_said(p.endpoint, _of_request(p)) for other, p in parameters.items() if other != name]
        said = _said(resource.kind, _of_request(resource.selector), others)
        # `$params` without a name after it may stand for any of them.
        named = {found[1] or found[2] or name for found in _PARAMETER.finditer(said)}
        if f"{{{name}}}" not in said and named.isdisjoint({name, *parameter.with_}):
            where = (*path, "path_parameters", name)
            message = f"{dotted(where)}: no request of the resource names it, but each is made once for every value"
            hint = f"write {{{name}}} into `kind`, or remove the parameter"
            yield _placed(Problem("parameter-unused", message, hint=hint), document, where, key=True)


def _of_request(request: Request) -> Any:
    """What of a request may hold expressions."""
    return [request.query_params, request.headers, request.body]


def _said(*values: Any) -> str:
    return json.dumps(values, ensure_ascii=False)


def _placed(problem: Problem, document: Document, path: Path, *, key: bool = False) -> Problem:
    place = document.place(path, key=key)
    return replace(problem, place=str(place), excerpt=document.excerpt(place))
