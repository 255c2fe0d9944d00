"""Another system's file as values that know where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from yaml.constructor import SafeConstructor

from portsync.errors import MappingError, Problem
from portsync.importing.tree import Mark
from portsync.mapping.yaml_text import compose, structure_problems, values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.mapping.places import Document, Place


@dataclass(frozen=True, slots=True)
class Piece:
    """A value of the file, and its place."""

    value: Any
    """A dict of pieces by name, a list of pieces, or a scalar."""
    place: Place

    @property
    def plain(self) -> Any:
        """The value alone, and all below it."""
        match self.value:
            case dict():
                return {name: piece.plain for name, piece in self.value.items()}
            case list():
                return [piece.plain for piece in self.value]
            case _:
                return self.value

    @property
    def type_name(self) -> str:
        """What it is, in words."""
        return type_name(self.value)


def type_name(value: Any) -> str:
    """What a value is, in the words of YAML."""
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return "a text"
        case bool():
            return "a boolean"
        case None:
            return "null"
        case _:
            return "a number"


def read(text: str, file: str) -> Piece:
    """The whole of a YAML or JSON text. Raises MappingError with what is wrong with it."""
    if text.lstrip().startswith(("{", "[")):
        # JSON may be indented with tabs, of which YAML knows nothing; within its texts there can be none.
        text = text.replace("\t", " ")
    document = compose(file, text)
    if isinstance(document, Problem):
        raise MappingError(_unreadable(document))
    problems = structure_problems(document)
    if problems:
        raise MappingError(*map(_unreadable, problems))
    values(document)  # this also puts in what `<<` refers to
    return _piece(document.root, document, SafeConstructor())


def _unreadable(problem: Problem) -> Problem:
    """The problem under the name of this command: the hints of `check` speak of mappings."""
    return Problem("not-importable", problem.message, problem.place)


def _piece(node: yaml.Node, document: Document, constructor: SafeConstructor) -> Piece:
    place = document.of(node)
    match node:
        case yaml.MappingNode():
            members = {_text(key.value): _piece(item, document, constructor) for key, item in node.value}
            return Piece(members, place)
        case yaml.SequenceNode():
            return Piece([_piece(item, document, constructor) for item in node.value], place)
        case _:
            value = constructor.construct_object(node, deep=True)
            return Piece(_text(value) if isinstance(value, str) else value, place)


def _text(text: str) -> str:
    """`text` with its surrogates joined, as JSON means them; half of a pair cannot be written."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def piece_of(value: Any, place: Place) -> Piece:
    """A value that we made up, as if it stood at `place`."""
    match value:
        case dict():
            return Piece({name: piece_of(item, place) for name, item in value.items()}, place)
        case list():
            return Piece([piece_of(item, place) for item in value], place)
        case _:
            return Piece(value, place)


def tree_of(piece: Piece) -> Any:
    """The value as a part of a mapping under construction, which knows the place of each of its own parts."""
    match piece.value:
        case dict():
            members = {name: tree_of(item) for name, item in piece.value.items()}
            return {**members, Mark.PLACES: places_of(piece.value, piece.place)}
        case list():
            return [tree_of(item) for item in piece.value]
        case _:
            return piece.value


def places_of(members: Mapping[str, Piece], place: Place) -> dict[str, Place]:
    """The places of a mapping's members by name, and its own under ""."""
    return {"": place, **{name: piece.place for name, piece in members.items()}}
