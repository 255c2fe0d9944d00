"""Read YAML as users mean it: positions kept, no dates and no yes/no guessing, nothing twice, nothing endless."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from portsync.errors import MappingError, Problem
from portsync.mapping.places import Document, Place, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN_TAGS = tuple(
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq", "merge")
)
_MOST_NODES = 200_000
_DEEPEST = 100


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema: `2023-06-01` and `yes` stay texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way of saying it
        first: [pair for pair in resolvers if not pair[0].endswith((":timestamp", ":bool", ":value"))]
        for first, resolvers in Resolver.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def compose(file: str, text: str) -> Document | Problem:
    """The nodes of `text`, or the one problem that keeps it from being YAML."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        return _syntax_problem(file, text, error)
    except yaml.reader.ReaderError as error:
        return Problem("yaml-syntax", f"not YAML: the character {chr(error.character)!r} is not allowed", place=file)
    except yaml.YAMLError as error:
        return Problem("yaml-syntax", f"not YAML: {error}", place=file)
    except RecursionError:
        return Problem("yaml-size", "the file nests too deeply", place=file)
    if not isinstance(root, yaml.MappingNode):
        return Problem(
            "yaml-syntax",
            "the file is empty" if root is None else "the file is not a YAML mapping of keys",
            place=f"{file}:1:1",
            hint="begin with `resources:`",
        )
    return Document(file, text, root)


def values(document: Document) -> Any:
    """The document as Python values. Call `structure_problems` first. Raises MappingError where a value is not what
    its tag says, such as `!!int abc` and `<<: 5`."""
    try:
        return SafeConstructor().construct_document(document.root)
    except yaml.MarkedYAMLError as error:
        raise MappingError(_syntax_problem(document.file, document.text, error)) from error
    except (ValueError, RecursionError) as error:
        raise MappingError(
            Problem("yaml-syntax", f"a value is not what its tag says: {error}", document.file)
        ) from error


def structure_problems(document: Document) -> list[Problem]:
    """Keys that stand twice, keys that are no text, and documents that unfold without end."""
    problems: list[Problem] = []
    for count, (node, depth) in enumerate(_walk(document.root, 0)):
        if count > _MOST_NODES or depth > _DEEPEST:
            place = document.of(node)
            return [
                *problems,
                Problem("yaml-size", "the file unfolds into too many or too deep values", str(place)),
            ]
        if not node.tag.startswith(_PLAIN_TAGS):
            place = document.of(node)
            message = f"the tag `{node.tag.replace('tag:yaml.org,2002:', '!!')}` has no meaning here"
            problems.append(Problem("yaml-tag", message, str(place), "remove it", excerpt=document.excerpt(place)))
        if isinstance(node, yaml.MappingNode):
            problems += _key_problems(document, node)
    return problems


def _walk(node: yaml.Node, depth: int) -> Iterator[tuple[yaml.Node, int]]:
    yield node, depth
    if depth > _DEEPEST:
        return
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _walk(value, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _walk(item, depth + 1)


def _key_problems(document: Document, node: yaml.MappingNode) -> Iterator[Problem]:
    seen: dict[str, Place] = {}
    for key, _ in node.value:
        place = document.of(key)
        if not isinstance(key, yaml.ScalarNode):
            yield Problem("yaml-syntax", "a key must be a text", str(place), excerpt=document.excerpt(place))
            continue
        if key.value in seen:
            yield Problem(
                "duplicate-key",
                f"the key `{key.value}` stands here for the second time (first: line {seen[key.value].line})",
                place=str(place),
                hint="join the two, or remove one; YAML would silently keep the last one only",
                excerpt=document.excerpt(place),
            )
        seen.setdefault(key.value, place)


def _syntax_problem(file: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = error.problem or error.context or "syntax error"
    if mark is None:
        return Problem("yaml-syntax", f"not YAML: {message}", place=file)
    place = Place(file, mark.line + 1, mark.column + 1)
    return Problem(
        "yaml-syntax",
        f"not YAML: {message}",
        place=str(place),
        hint="indent with spaces, and put expressions that begin with a quote or a bracket between single quotes",
        excerpt=excerpt(text, place),
    )
