"""From streams to the resources of one mapping, with what they have in common in `source`."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from portsync.importing.addresses import addresses
from portsync.importing.airbyte.stream import Stream, name_of, stream_of, with_placeholders
from portsync.importing.imported import Draft
from portsync.importing.proposal import proposed
from portsync.importing.sharing import shared
from portsync.importing.tree import Tree, placed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.importing.airbyte.partitions import Partition
    from portsync.importing.notes import Notes

_ORDER = (
    "query", "method", "query_params", "headers", "body", "body_type", "data_path", "pagination", "decode",
    "csv_delimiter", "on_status", "path_parameters", "window", "delete_stale",
)  # fmt: skip
_NOBODY = {"type": "none"}
_OF_PARAMETER = ("method", "query_params", "headers", "body", "data_path", "pagination", "decode", "on_status")


class _Streams:
    """All streams that are read: those that become resources, and others that only give values to them."""

    def __init__(self, given: Sequence[tuple[str, Stream | None]]) -> None:
        self.names = {name for name, _ in given}
        self.resources = {name: stream for name, stream in given if stream is not None}
        self.parents: dict[int, Stream | None] = {}
        """By the identity of the partition that takes values from it."""
        waiting = [*self.resources.values()]
        while waiting:
            for partition in waiting.pop().partitions:
                if partition.parent is not None and name_of(partition.parent) not in self.names:
                    found = stream_of(partition.parent)
                    self.parents[id(partition)] = found
                    waiting += [] if found is None else [found]

    def every(self) -> list[Stream]:
        return [*self.resources.values(), *(parent for parent in self.parents.values() if parent is not None)]

    def parent(self, partition: Partition) -> Stream | None:
        """The stream that gives the values; None where it was left out."""
        assert partition.parent is not None, "a partition without values has a parent"
        name = name_of(partition.parent)
        return self.resources.get(name) if name in self.names else self.parents.get(id(partition))


def resources_of(given: Sequence[tuple[str, Stream | None]], limits: Tree, notes: Notes) -> Draft:
    """The mapping of all streams."""
    streams = _Streams(given)
    every = streams.every()
    where = addresses(
        [(stream.asking.base, with_placeholders(stream.asking.path, stream.partitions)) for stream in every]
    )
    kinds = {id(stream): kind for stream, kind in zip(every, where.kinds, strict=True)}
    source: Tree = {"base_url": where.base_url} if where.base_url is not None else {}
    if where.elsewhere:
        source["allow_origins"] = list(where.elsewhere)
    _say_elsewhere(every, kinds, notes)
    source |= _auth(streams.resources.values(), notes)
    source |= limits
    attempts = [stream.asking.attempts for stream in every if stream.asking.attempts is not None]
    source |= {"retry": {"attempts": max(attempts)}} if attempts else {}
    resources: list[Tree] = []
    blueprints: list[dict[str, Any]] = []
    for stream in streams.resources.values():
        kind = kinds[id(stream)]
        parameters = _parameters(stream, streams, kinds, notes)
        if kind is None or parameters is None:
            notes.lost(stream.place, f"the stream `{stream.name}` is left out")
            continue
        mapping, blueprint = proposed(stream.shape, notes)
        selector = {**stream.selector, "path_parameters": parameters}
        ordered = {key: selector[key] for key in _ORDER if selector.get(key)} | _false(selector)
        resource: Tree = {"kind": kind, "selector": ordered, "port": {"entity": {"mappings": mapping}}}
        resources.append(placed({key: value for key, value in resource.items() if value}, stream.place))
        blueprints.append(blueprint)
    source, resources = shared(source, resources)
    return Draft({"source": source, "resources": resources} if source else {"resources": resources}, tuple(blueprints))


def _false(selector: Tree) -> Tree:
    return {"delete_stale": False} if selector.get("delete_stale") is False else {}


def _say_elsewhere(streams: Sequence[Stream], kinds: Mapping[int, str | None], notes: Notes) -> None:
    for stream in streams:
        kind = kinds[id(stream)]
        if kind is None:
            notes.lost(stream.place, f"the address of `{stream.name}` cannot be said beside those of the others")
        elif "://" in kind.partition("?")[0] and stream.auth not in (None, _NOBODY):
            message = f"`{stream.name}` is read at another origin than the others, which gets no credentials"
            notes.lost(stream.place, message, "give it a mapping of its own")


def _auth(streams: Any, notes: Notes) -> Tree:
    """The authentication that most streams have."""
    given = [stream for stream in streams if stream.auth not in (None, _NOBODY)]
    written = Counter(json.dumps(stream.auth) for stream in given)
    if not written:
        return {}
    chosen = written.most_common(1)[0][0]
    for stream in given:
        if json.dumps(stream.auth) != chosen:
            message = f"`{stream.name}` signs in in another way than the other streams: a source has one"
            notes.lost(stream.place, message, "give it a mapping of its own")
    return {"auth": json.loads(chosen)}


def _parameters(stream: Stream, streams: _Streams, kinds: Mapping[int, str | None], notes: Notes) -> Tree | None:
    """The path parameters of a stream; None where one has no values."""
    found: Tree = {}
    for partition in stream.partitions:
        if partition.values is not None:
            found[partition.name] = {"values": list(partition.values)}
            continue
        parent = streams.parent(partition)
        kind = None if parent is None else kinds[id(parent)]
        if parent is None or kind is None:
            notes.lost(stream.place, f"`{stream.name}` takes `{partition.name}` from a stream that is left out")
            return None
        more = _from(partition, parent, kind, streams, kinds, notes)
        if more is None:
            return None
        found = {**more, **found}
    return found


def _from(
    partition: Partition, parent: Stream, kind: str, streams: _Streams, kinds: Mapping[int, str | None], notes: Notes
) -> Tree | None:
    """The parameter that takes its values from `parent`, and those that this one needs."""
    given = {"field": partition.path, **({"with": dict(partition.carried)} if partition.carried else {})}
    resources = [kinds[id(stream)] for stream in streams.resources.values()]
    if parent is streams.resources.get(parent.name) and resources.count(kind) == 1:
        return {partition.name: {"from": kind, **given}}
    if "window" in parent.selector:
        notes.lost(parent.place, f"`{parent.name}` gives values to others, and is read in windows: these have no path")
        return None
    inner = _parameters(parent, streams, kinds, notes)
    if inner is None:
        return None
    request = {key: parent.selector[key] for key in _OF_PARAMETER if parent.selector.get(key)}
    chosen = {"filter": parent.selector["query"]} if "query" in parent.selector else {}
    return {**inner, partition.name: {"endpoint": kind, **given, **chosen, **request}}
