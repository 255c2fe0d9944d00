"""One stream of a manifest: what it asks, how its pages follow, and what its records are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.importing.airbyte.authenticator import auth_of
from portsync.importing.airbyte.paging import Paging, paging_of
from portsync.importing.airbyte.partitions import Partition, partitions_of
from portsync.importing.airbyte.records import data_path_of, decoding_of, fields_of, key_of, transformed
from portsync.importing.airbyte.requester import Asking, asking_of
from portsync.importing.airbyte.window import Interval, interval_of
from portsync.importing.proposal import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portsync.importing.airbyte.component import Component
    from portsync.importing.airbyte.paging import Option
    from portsync.importing.tree import Tree
    from portsync.mapping.places import Place

_PARAMETER = re.compile(r"\{\{ \$params\.(\w+) \}\}")


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as the parts of a resource."""

    name: str
    place: Place
    asking: Asking
    selector: Tree
    """All but what needs to know the other streams: the path, and parameters that take their values from there."""
    partitions: tuple[Partition, ...]
    auth: Tree | None
    shape: Shape


def stream_of(component: Component) -> Stream | None:
    """The stream; None where it cannot be said, which was listed."""
    if component.type == "StateDelegatingStream":
        full = component.component("full_refresh_stream", "DeclarativeStream")
        component.skip("incremental_stream", "api_retention_period")
        component.close()
        return None if full is None else stream_of(full)
    retriever = component.component("retriever", "SimpleRetriever")
    name = name_of(component)
    if retriever is None or component.type != "DeclarativeStream" or retriever.type != "SimpleRetriever":
        kind = component.type if retriever is None or retriever.type == "SimpleRetriever" else retriever.type
        component.notes.lost(component.place, f"the stream `{name}` of the type `{kind}` has no counterpart")
        return None
    interval = _interval(component)
    partitions = partitions_of(component, retriever)
    found = None if partitions is None else _read(component, retriever, name, interval, partitions)
    if found is None:
        component.notes.lost(component.place, f"the stream `{name}` is left out")
    return found


def name_of(component: Component) -> str:
    """What a stream is called; `stream` where nobody said."""
    return component.fixed("name") or "stream"


def _interval(component: Component) -> Interval:
    cursor = component.component("incremental_sync", "DatetimeBasedCursor")
    return Interval() if cursor is None else interval_of(cursor)


def _read(
    component: Component, retriever: Component, name: str, interval: Interval, partitions: list[Partition]
) -> Stream | None:
    slices = {**interval.slices}
    for partition in partitions:
        slices |= partition.fields
    requester = retriever.component("requester", "HttpRequester")
    selection = retriever.component("record_selector", "RecordSelector")
    if requester is None or selection is None:
        component.notes.lost(retriever.place, "SimpleRetriever: `requester` and `record_selector` are needed")
        return None
    extractor = selection.component("extractor", "DpathExtractor")
    data_path = "." if extractor is None else data_path_of(extractor)
    decoding = decoding_of(retriever)
    asking = asking_of(requester, requester.scope(slices))
    if data_path is None or decoding is None or asking is None:
        return None
    paginator = retriever.component("paginator", "NoPagination")
    paging = Paging() if paginator is None else paging_of(paginator, data_path, requester)
    authenticator = requester.component("authenticator")
    added, removed = transformed(component, slices)
    query = _query(selection, slices)
    retriever.skip("ignore_stream_slicer_parameters_on_paginated_requests")
    retriever.drop("pagination_reset", "a page that is refused ends the resource")
    retriever.close()
    selector = {
        **({} if query is None else {"query": query}),
        **asking.request,
        **({} if data_path == "." else {"data_path": data_path}),
        **({} if paging.section is None else {"pagination": paging.section}),
        **decoding,
    }
    selector = _with_options(selector, component, paging, interval, partitions)
    selector |= _window(component, selector, asking.path, interval)
    key, fields = key_of(component), fields_of(component)
    component.skip("state_migrations", "availability_strategy")
    component.drop("file_uploader", "files are no records")
    component.close()
    return Stream(
        name,
        component.place,
        asking,
        selector,
        tuple(partitions),
        None if authenticator is None else auth_of(authenticator),
        Shape(name, component.place, key, fields, added, removed),
    )


def _query(selection: Component, slices: Any) -> str | None:
    selection.skip("schema_normalization", "transform_before_filtering")
    chosen = selection.component("record_filter", "RecordFilter")
    selection.close()
    if chosen is None:
        return None
    if chosen.type != "RecordFilter":
        chosen.notes.lost(chosen.place, f"`{chosen.type}` is code: all records count", "write `query` in JQ")
        return None
    query = chosen.condition("condition", chosen.scope(slices, record="."))
    chosen.close()
    return query


def _with_options(
    selector: Tree, component: Component, paging: Paging, interval: Interval, partitions: Iterable[Partition]
) -> Tree:
    """The selector with what options put into its requests."""
    options: list[tuple[Option, Any]] = [(option, f"{{{{ {code} }}}}") for option, code in interval.options]
    options += [(p.option, f"{{{{ $params.{p.name} }}}}") for p in partitions if p.option is not None]
    found = dict(selector)
    queries, headers = dict(paging.query), dict(paging.headers)
    for option, text in options:
        if option.place == "query":
            queries[option.name] = text
        elif option.place == "header":
            headers[option.name] = text
        else:
            found = _with_body(found, component, option.name.split("."), text)
    if paging.body:
        found["body"] = _merged(found.get("body"), paging.body)
    for name, more in (("query_params", queries), ("headers", headers)):
        if more:
            found[name] = {**found.get(name, {}), **more}
    return found


def _with_body(selector: Tree, component: Component, path: list[str], value: Any) -> Tree:
    body = selector.get("body")
    if body is not None and not isinstance(body, dict):
        component.notes.lost(component.place, f"`{'.'.join(path)}` cannot be put into a body that is a text")
        return selector
    for part in reversed(path):
        value = {part: value}
    return {**selector, "body": _merged(body, value)}


def _merged(body: Any, more: Any) -> Any:
    if not isinstance(body, dict) or not isinstance(more, dict):
        return more
    return {**body, **{key: _merged(body.get(key), value) for key, value in more.items()}}


def _window(component: Component, selector: Tree, path: str, interval: Interval) -> Tree:
    if interval.section is None:
        return {}
    if "$window" not in str([selector, path]):
        message = "no request names the interval of `incremental_sync`: all records are read in each run"
        component.notes.said(component.place, message)
        return {}
    return {"window": interval.section, "delete_stale": False}


def with_placeholders(path: str, partitions: Iterable[Partition]) -> str:
    """The path with `{name}` where it has a span that is a parameter, and nothing else."""
    names = {partition.name for partition in partitions}
    return _PARAMETER.sub(lambda found: f"{{{found[1]}}}" if found[1] in names else found[0], path)
