"""What an import comes to, and the way there from what an importer made of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.errors import ConfigError, Problem
from portsync.importing.fitting import fitted
from portsync.importing.notes import LOST
from portsync.importing.secrets import without_secrets
from portsync.importing.tree import Tree, plain
from portsync.importing.writing import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.importing.notes import Notes

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^}:]+)(?P<default>:[^}]*)?\}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A mapping as an importer made it, before anybody looked whether it holds secrets, and is one."""

    document: Tree
    blueprints: tuple[dict[str, Any], ...] = ()
    """Proposals for blueprints, as Port takes them."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Another system's configuration as a mapping that has no problems."""

    document: dict[str, Any]
    """The mapping's values."""
    text: str
    """The mapping as a YAML file, with comments."""
    notes: tuple[Problem, ...]
    """What could not be brought over (`import-lost`), and what is to be known (`import-note`)."""
    variables: Mapping[str, str]
    """The environment variables that have to be set, each with the place in the mapping that takes it."""
    blueprints: tuple[dict[str, Any], ...] = ()
    """Proposals for the blueprints of its entities."""

    @property
    def is_whole(self) -> bool:
        """Whether all of the file is in the mapping."""
        return all(note.code != LOST for note in self.notes)


def finished(draft: Draft, notes: Notes, file: str, system: str) -> Imported:
    """The mapping of `draft`: without secrets, and without what `check` refuses, which is added to `notes`.

    Raises ConfigError where no resource is left.
    """
    document = fitted(without_secrets(draft.document, notes), notes)
    if document is None:
        problem = Problem("not-importable", "nothing in it can be said in a mapping", file)
        raise ConfigError(*notes.in_order(), problem)
    variables = dict(_variables(plain(document)))
    found = notes.in_order()
    text = written(document, [*_head(file, system, found), *_settings(variables)])
    return Imported(plain(document), text, found, variables, _used(draft.blueprints, plain(document)))


def _used(blueprints: tuple[dict[str, Any], ...], document: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The blueprints that a mapping names: resources may have been left out, and others may share one."""
    mappings = [resource["port"]["entity"]["mappings"] for resource in document["resources"]]
    named = {mapping["blueprint"] for mapping in mappings if isinstance(mapping, dict)}
    return tuple(blueprint for blueprint in blueprints if f'"{blueprint["identifier"]}"' in named)


def _head(file: str, system: str, notes: tuple[Problem, ...]) -> Iterator[str]:
    yield f"Imported from {file}, a configuration of {system}."
    lost = [note for note in notes if note.code == LOST]
    if lost:
        yield "What this mapping does not say:"
        for note in lost:
            yield f"- {note.place or file}: {' '.join(note.message.split())}"


def _settings(variables: Mapping[str, str]) -> Iterator[str]:
    if variables:
        yield "Set these environment variables:"
        for name, place in variables.items():
            yield f"- {name} ({place})"


def _variables(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The variables without a default that a document names, each with the first place that does."""
    seen: set[str] = set()
    for at, text in _texts(value, path):
        for found in _REFERENCE.finditer(text):
            name = (found["name"] or "").strip()
            if name and found["default"] is None and name != "file" and name not in seen:
                seen.add(name)
                yield name, at


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            # Nothing is put into `kind`, and into what stands below `port`.
            for key, item in value.items():
                if key not in ("kind", "port"):
                    yield from _texts(item, f"{path}.{key}".removeprefix("."))
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, f"{path}[{index}]")
        case _:
            pass
