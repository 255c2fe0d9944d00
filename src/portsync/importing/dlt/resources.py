"""From dlt's resources to those of one mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.importing.addresses import addresses
from portsync.importing.imported import Draft
from portsync.importing.proposal import proposed
from portsync.importing.sharing import shared
from portsync.importing.tree import Tree, placed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.importing.dlt.resource import Read
    from portsync.importing.notes import Notes
    from portsync.importing.piece import Piece

_ORDER = (
    "method", "query_params", "headers", "body", "body_type", "data_path", "pagination", "on_status", "path_parameters",
)  # fmt: skip
_OF_PARAMETER = ("method", "query_params", "headers", "body", "body_type", "data_path", "pagination", "on_status")


def resources_of(given: Sequence[Read], base_url: str | None, source: Tree, auth: Piece | None, notes: Notes) -> Draft:
    """The mapping of all resources."""
    where = addresses([(None if base_url is None else base_url.replace("${", "$${"), read.path) for read in given])
    kinds = {read.name: kind for read, kind in zip(given, where.kinds, strict=True)}
    reads = {read.name: read for read in given}
    if where.base_url is not None:
        source = {"base_url": where.base_url, **source}
    if where.elsewhere:
        source["allow_origins"] = list(where.elsewhere)
    resources: list[Tree] = []
    blueprints: list[dict[str, Any]] = []
    for read in given:
        _say(read, kinds[read.name], auth, notes)
        if not read.is_selected:
            continue
        parameters = _parameters(read, reads, kinds, notes)
        if parameters is None or kinds[read.name] is None:
            notes.lost(read.place, f"`{read.name}` is left out")
            continue
        mapping, blueprint = proposed(read.shape, notes)
        selector = {**read.selector, "path_parameters": parameters}
        ordered = {key: selector[key] for key in _ORDER if selector.get(key)}
        resource = {"kind": kinds[read.name], "selector": ordered, "port": {"entity": {"mappings": mapping}}}
        resources.append(placed({key: value for key, value in resource.items() if value}, read.place))
        blueprints.append(blueprint)
    if "pagination" not in source:
        source, resources = shared(source, resources)
    return Draft({"source": source, "resources": resources} if source else {"resources": resources}, tuple(blueprints))


def _say(read: Read, kind: str | None, auth: Piece | None, notes: Notes) -> None:
    if read.auth is not None and (auth is None or read.auth.plain != auth.plain):
        message = f"`{read.name}` signs in in another way than the client: a source has one"
        notes.lost(read.auth.place, message, "give it a mapping of its own")
    if kind is not None and "://" in kind.partition("?")[0]:
        message = f"`{read.name}` is read at another origin than the others, which gets no credentials"
        notes.lost(read.place, message, "give it a mapping of its own")


def _is_circle(read: Read, reads: Mapping[str, Read]) -> bool:
    """Whether a resource takes values from one that takes some, at whatever distance, from itself."""
    seen: set[str] = set()
    here: Read | None = read
    while here is not None and here.link is not None and here.name not in seen:
        seen.add(here.name)
        here = reads.get(here.link.parent)
    return here is not None and here.name in seen


def _parameters(read: Read, reads: Mapping[str, Read], kinds: Mapping[str, str | None], notes: Notes) -> Tree | None:
    """The path parameters of a resource; None where one has no values."""
    if read.link is None:
        return {}
    link, parent = read.link, reads.get(read.link.parent)
    is_circle = _is_circle(read, reads)
    if parent is None or kinds[parent.name] is None or is_circle:
        why = "leads back to itself" if is_circle else "is not there"
        notes.lost(read.place, f"`{read.name}` takes values from `{link.parent}`, which {why}")
        return None
    kind = kinds[parent.name]
    given = {"field": link.path, **({"with": dict(link.carried)} if link.carried else {})}
    resources = [kinds[name] for name, other in reads.items() if other.is_selected]
    if parent.is_selected and resources.count(kind) == 1:
        return {link.name: {"from": kind, **given}}
    inner = _parameters(parent, reads, kinds, notes)
    if inner is None:
        return None
    request = {key: parent.selector[key] for key in _OF_PARAMETER if parent.selector.get(key)}
    return {**inner, link.name: {"endpoint": kind, **given, **request}}
