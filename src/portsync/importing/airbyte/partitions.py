"""The partition routers of a stream as path parameters (Airbyte's reference, SubstreamPartitionRouter)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portsync.importing.airbyte.paging import request_option
from portsync.importing.names import parameter_name, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.airbyte.component import Component
    from portsync.importing.airbyte.paging import Option


@dataclass(frozen=True, slots=True)
class Partition:
    """One parameter by which a stream is read piece by piece."""

    name: str
    fields: Mapping[str, str]
    """The names that texts have for it and for what comes with it, each with its JQ."""
    values: tuple[Any, ...] | None = None
    parent: Component | None = None
    """The stream whose records give the values."""
    path: str = "."
    """JQ from such a record to its value."""
    carried: Mapping[str, str] = field(default_factory=dict)
    """More values of the record, each with its JQ."""
    option: Option | None = None
    """Where the value goes, if not into the path."""


def partitions_of(stream: Component, retriever: Component) -> list[Partition] | None:
    """The parameters of a stream; None where they cannot be said, which was listed."""
    found: list[Partition] = []
    for router in retriever.components("partition_router"):
        match router.type:
            case "ListPartitionRouter":
                partition = _listed(router)
            case "SubstreamPartitionRouter":
                partition = _of_parents(router)
            case other:
                message = f"the partitions of `{other}` have no counterpart: the stream is left out"
                stream.notes.lost(router.place, message)
                return None
        router.close()
        if partition is None:
            return None
        found.append(partition)
    return found


def _listed(router: Component) -> Partition | None:
    field_name = router.fixed("cursor_field") or "partition"
    piece = router.look("values")
    given = router.fixed_value("values")
    if piece is not None and isinstance(piece.value, str) and given is not None:
        hint = "write each value into `values`"
        router.notes.lost(
            piece.place,
            "ListPartitionRouter: `values` is one text of the user's settings: it is taken for one value",
            hint,
        )
    values = given if isinstance(given, list) else [given]
    if not values or not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
        router.notes.lost(
            router.place, "ListPartitionRouter: `values` are no texts and numbers: the stream is left out"
        )
        return None
    name = parameter_name(field_name)
    return Partition(name, {field_name: f"$params.{name}"}, values=tuple(values), option=_option(router))


def _of_parents(router: Component) -> Partition | None:
    parents = router.components("parent_stream_configs", "ParentStreamConfig")
    if not parents:
        router.notes.lost(router.place, "SubstreamPartitionRouter: there is no parent stream: the stream is left out")
        return None
    for other in parents[1:]:
        message = (
            "SubstreamPartitionRouter: a parameter takes its values from one resource; those of this parent are missing"
        )
        router.notes.lost(other.place, message)
    parent = parents[0]
    stream = parent.component("stream", "DeclarativeStream")
    key, field_name = parent.fixed("parent_key"), parent.fixed("partition_field")
    if stream is None or key is None or field_name is None:
        router.notes.lost(
            parent.place,
            "ParentStreamConfig: `stream`, `parent_key` and `partition_field` are needed: the stream is left out",
        )
        return None
    name = parameter_name(field_name)
    carried = {}
    fields = {field_name: f"$params.{name}"}
    for piece in parent.items("extra_fields"):
        path = piece.plain
        if isinstance(path, list) and path and all(isinstance(part, str) for part in path):
            own = parameter_name("_".join([field_name, *path]))
            carried[own] = path_of(path)
            fields[".".join(path)] = f"$params.{own}"
    parent.skip("incremental_dependency", "lazy_read_pointer")
    option = _option(parent)
    parent.close()
    return Partition(name, fields, parent=stream, path=path_of(key.split("/")), carried=carried, option=option)


def _option(component: Component) -> Option | None:
    inner = component.component("request_option", "RequestOption")
    if inner is None:
        return None
    option = request_option(inner)
    inner.close()
    return option
