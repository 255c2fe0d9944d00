"""How a resource depends on another one: `{resources.posts.id}`, and parameters of the type `resolve`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync.importing.dlt.placeholders import names_in
from portsync.importing.jsonpath import jq_of
from portsync.importing.names import parameter_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.keys import Keys
    from portsync.importing.notes import Notes

_PARTS = 3
"""`resources`, the parent's name and the field."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a resource takes from the records of its parent."""

    parent: str
    name: str
    """The parameter that it is read once for each value of."""
    path: str
    """JQ from a record of the parent to that value."""
    carried: Mapping[str, str] = field(default_factory=dict)
    """More values of the same record, each with its JQ."""
    spans: Mapping[str, str] = field(default_factory=dict)
    """What placeholders stand for in a request."""
    spans_in_path: Mapping[str, str] = field(default_factory=dict)
    """The same in a path, where the value has to stay one segment."""
    included: Mapping[str, str] = field(default_factory=dict)
    """Properties that come from the parent, each with its JQ."""


def links_of(asked: Keys, resource: Keys, name: str, notes: Notes) -> Link | str | None:
    """The link of a resource; None where it has no parent, and a text where it cannot be said, which is why."""
    taken = _taken(asked, name, notes)
    included = [piece.plain for piece in resource.items("include_from_parent")]
    if not taken:
        if included:
            notes.lost(resource.place_of("include_from_parent"), f"`{name}` has no parent to include fields of")
        return None
    parents = {parent for parent, _ in taken.values()}
    if len(parents) > 1:
        return "it has several parents"
    parent = parents.pop()
    paths: dict[str, str] = {}
    """The fields that are taken, each with its JQ."""
    for _, text in taken.values():
        path = jq_of(text)
        if path is None:
            return f"the JSONPath `{text}` has no counterpart"
        paths.setdefault(text, path)
    for text in included:
        if isinstance(text, str) and (path := jq_of(text)) is not None:
            paths.setdefault(text, path)
        else:
            notes.lost(resource.place_of("include_from_parent"), f"`{name}`: a field of the parent has no counterpart")
    names = _names(parent, paths)
    main = _main(asked, taken)
    spans = {placeholder: f"$params.{names[text]}" for placeholder, (_, text) in taken.items()}
    return Link(
        parent,
        names[main],
        paths[main],
        {names[text]: path for text, path in paths.items() if text != main},
        spans,
        {p: code if code == f"$params.{names[main]}" else f"{code} | tostring | @uri" for p, code in spans.items()},
        {f"_{parent}_{text}": f"$params.{names[text]}" for text in included if isinstance(text, str) and text in paths},
    )


def _taken(asked: Keys, name: str, notes: Notes) -> dict[str, tuple[str, str]]:
    """The parent and field behind each placeholder."""
    found: dict[str, tuple[str, str]] = {}
    for key, piece in asked.members("params").items():
        members = piece.value if isinstance(piece.value, dict) else {}
        if "type" in members and members["type"].value == "resolve":
            given = [members[part].plain for part in ("resource", "field") if part in members]
            if len(given) == 2 and all(isinstance(part, str) for part in given):  # noqa: PLR2004 - the two
                found[key] = (given[0], given[1])
            else:
                notes.lost(piece.place, f"`{name}`: `{key}` needs `resource` and `field`")
    for part in ("path", "params", "json", "data", "headers"):
        piece_of_part = asked.look(part)
        for placeholder in names_in(None if piece_of_part is None else piece_of_part.plain):
            parts = placeholder.split(".", maxsplit=2)
            if parts[0] == "resources" and len(parts) == _PARTS:
                found[placeholder] = (parts[1], parts[2])
    return found


def _names(parent: str, paths: Mapping[str, str]) -> dict[str, str]:
    """A name for each field, different ones for different fields."""
    found: dict[str, str] = {}
    for text in paths:
        name = base = parameter_name(f"{parent}_{text}")
        number = 2
        while name in found.values():
            name, number = f"{base}_{number}", number + 1
        found[text] = name
    return found


def _main(asked: Keys, taken: Mapping[str, tuple[str, str]]) -> str:
    """The field of the parameter: one that stands in the path, if any does."""
    path = asked.text("path") or ""
    in_path = [text for placeholder, (_, text) in taken.items() if f"{{{placeholder}}}" in path]
    return [*in_path, *(text for _, text in taken.values())][0]
