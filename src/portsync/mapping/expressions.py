"""Every expression of a mapping, with its place and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.mapping.templates import spans_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.mapping.models import EntityMapping, MappingFile, Resource
    from portsync.mapping.places import Path
    from portsync.mapping.requests import Request


@dataclass(frozen=True, slots=True)
class Written:
    """An expression as it stands in the file."""

    path: Path
    text: str
    before: int = 0
    """Characters before it in the text at `path`: of a span, and what stands before that."""
    is_condition: bool = False
    """Whether it has to give true or false."""
    resource: int | None = None
    """The index of the resource that it belongs to."""


def expressions_of(file: MappingFile) -> Iterator[Written]:
    """All expressions of the file, those of spans included, but for `*_path` of paginators."""
    yield from _spans(file.source.headers, ("source", "headers"), None)
    for name, lookup in file.context.items():
        path: Path = ("context", name)
        yield from _spans(lookup.path, (*path, "path"), None)
        yield from _of_request(lookup, path, None)
        yield from _one(lookup.index_by, (*path, "index_by"), None)
    for index, resource in enumerate(file.resources):
        yield from _of_resource(resource, index)


def _of_resource(resource: Resource, index: int) -> Iterator[Written]:
    path: Path = ("resources", index)
    selector = (*path, "selector")
    yield from _spans(resource.kind, (*path, "kind"), index)
    yield from _of_request(resource.selector, selector, index)
    yield from _one(resource.selector.query, (*selector, "query"), index, is_condition=True)
    for name, parameter in resource.selector.path_parameters.items():
        below = (*selector, "path_parameters", name)
        yield from _spans(parameter.endpoint, (*below, "endpoint"), index)
        yield from _of_request(parameter, below, index)
        yield from _one(parameter.field, (*below, "field"), index)
        yield from _one(parameter.filter, (*below, "filter"), index, is_condition=True)
        for other, text in parameter.with_.items():
            yield from _one(text, (*below, "with", other), index)
    if (window := resource.selector.window) is not None:
        yield from _one(window.start, (*selector, "window", "start"), index)
        yield from _one(window.end, (*selector, "window", "end"), index)
    if (live := resource.live) is not None:
        yield from _one(live.filter, (*path, "live", "filter"), index, is_condition=True)
        yield from _one(live.record, (*path, "live", "record"), index)
        yield from _one(live.delete, (*path, "live", "delete"), index, is_condition=True)
    yield from _one(resource.port.items_to_parse, (*path, "port", "itemsToParse"), index)
    for number, entity in enumerate(resource.port.entity.mappings):
        yield from _of_entity(entity, (*path, "port", "entity", "mappings", number), index)


def _of_entity(entity: EntityMapping, path: Path, index: int) -> Iterator[Written]:
    for name in ("identifier", "blueprint", "title", "icon", "team"):
        yield from _template(getattr(entity, name), (*path, name), index)
    for section in ("properties", "relations"):
        for name, template in getattr(entity, section).items():
            yield from _template(template, (*path, section, name), index)


def _of_request(request: Request, path: Path, index: int | None) -> Iterator[Written]:
    yield from _spans(request.query_params, (*path, "query_params"), index)
    yield from _spans(request.headers, (*path, "headers"), index)
    if isinstance(request.body, str):
        yield from _one(request.body, (*path, "body"), index)
    else:
        yield from _spans(request.body, (*path, "body"), index)
    yield from _one(request.data_path, (*path, "data_path"), index)


def _one(text: str | None, path: Path, index: int | None, *, is_condition: bool = False) -> Iterator[Written]:
    if text is not None:
        yield Written(path, text, 0, is_condition, index)


def _spans(value: Any, path: Path, index: int | None) -> Iterator[Written]:
    for below, before, text in spans_in(value):
        yield Written((*path, *below), text, before, resource=index)


def _template(template: Any, path: Path, index: int) -> Iterator[Written]:
    """An expression, or those at the leaves of a search."""
    match template:
        case str():
            yield Written(path, template, resource=index)
        case dict():
            for key, item in template.items():
                yield from _template(item, (*path, key), index)
        case list():
            for number, item in enumerate(template):
                yield from _template(item, (*path, number), index)
        case _:
            pass
