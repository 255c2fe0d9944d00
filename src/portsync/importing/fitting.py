"""Leave out of a mapping what `check` refuses, and say so."""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import yaml

from portsync.errors import MappingError
from portsync.importing.tree import Tree, place_in, plain, without
from portsync.importing.writing import written
from portsync.mapping.explain import dotted
from portsync.mapping.loader import parse
from portsync.mapping.yaml_text import compose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.errors import Problem
    from portsync.importing.notes import Notes
    from portsync.mapping.places import Document, Path

_REFERENCE = re.compile(r"\$\{([^}:]+)")
_BASE = re.compile(r"(?m)^  base_url: ['\"]?\$\{([^}:]+)")
_STAND_IN, _URL = "1", "https://stand-in.example"
"""The values of variables, which can be a number and a text: what `check` says must not depend on the machine."""
_NEEDED = frozenset({"kind", "port", "entity", "mappings", "identifier", "blueprint"})
"""Without these there is no resource."""
_FILE = "mapping.yaml"


def fitted(document: Tree, notes: Notes) -> Tree | None:
    """`document` without the parts that a mapping cannot have; None where no resource is left.

    Every round takes at least one part away, so there is an end.
    """
    left: Any = document
    while left and left.get("resources"):
        problems = _problems(left)
        if not problems:
            assert isinstance(left, dict)
            return left
        gone: set[Path] = set()
        for path, problem in _at_fault(left, problems):
            _say(left, path, problem, notes)
            is_needed = problem.code == "missing-key" or path[-1] in _NEEDED
            gone.add(_whole(path) if is_needed else path)
        # From the end, so that the indexes before do not move; what lies within another is gone with it.
        for path in sorted(gone, key=_from_the_end, reverse=True):
            if not any(path[: len(other)] == other for other in gone if other != path):
                left = without(left, path)
    return None


def _from_the_end(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in path)


def _say(document: Tree, path: Path, problem: Problem, notes: Notes) -> None:
    message = problem.message.removeprefix("not YAML: ")
    named = dotted(path) in message
    text = message if named else f"{dotted(path)}: {message}"
    notes.lost(place_in(document, path), f"left out, because `check` refuses it: {text}", problem.hint)


def _problems(document: Tree) -> tuple[Problem, ...]:
    text = written(_checkable(plain(document)))
    environment = dict.fromkeys(_REFERENCE.findall(text), _STAND_IN) | dict.fromkeys(_BASE.findall(text), _URL)
    try:
        parse(text, FilePath(_FILE), environment)
    except MappingError as error:
        return error.problems
    return ()


def _checkable(document: dict[str, Any]) -> dict[str, Any]:
    """`document` without keys that sign: a stand-in signs nothing."""
    source = document.get("source")
    if not isinstance(source, dict) or not isinstance(auth := source.get("auth"), dict):
        return document
    if auth.get("type") == "jwt":
        auth = {**auth, "algorithm": "HS256", "key": _STAND_IN * 64, "key_form": "text"}
    return {**document, "source": {**source, "auth": auth}}


def _at_fault(document: Tree, problems: tuple[Problem, ...]) -> Iterator[tuple[Path, Problem]]:
    """The path of what each problem is about, in the text that was checked."""
    checked = compose(_FILE, written(_checkable(plain(document))))
    assert not hasattr(checked, "code"), "what was parsed can be composed"
    for problem in problems:
        parts = (problem.place or "").rsplit(":", 2)
        at = (int(parts[1]), int(parts[2])) if len(parts) == 3 else (1, 1)  # noqa: PLR2004 - file, line, column
        yield _path_at(checked, at, is_key=problem.code == "unknown-key") or ("resources",), problem


def _whole(path: Path) -> Path:
    """What has to go where something that it needs is missing: of a resource all of it, or one of its mappings."""
    match path:
        case ("resources", int() as index, "port", "entity", "mappings", int() as number, *_):
            return ("resources", index, "port", "entity", "mappings", number)
        case ("resources", int() as index, *_):
            return ("resources", index)
        case _:
            return path


def _path_at(document: Document, at: tuple[int, int], *, is_key: bool) -> Path:
    """The path of what stands at a line and column: the last that begins at or before it.

    A mapping begins where its first key does; a problem that is not about a key is then about the mapping.
    """
    found: Path = ()
    exact: list[Path] = []
    for path, node in _nodes(document.root, ()):
        begin = (node.start_mark.line + 1, node.start_mark.column + 1)
        if begin <= at:
            found = path
        if begin == at:
            exact.append(path)
    return found if is_key or not exact else exact[0]


def _nodes(node: yaml.Node, path: Path) -> Iterator[tuple[Path, yaml.Node]]:
    """Every key and value below a node, in the order of the text."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), key
            yield (*path, key.value), value
            yield from _nodes(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item
            yield from _nodes(item, (*path, index))
