"""Read YAML as users mean it: positions kept, no dates and no yes/no guessing, nothing twice, nothing endless."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from portsync.errors import MappingError, Problem
from portsync.mapping.places import Document, Place
from portsync.mapping.yaml_mistakes import character_problem, syntax_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN_TAGS = tuple(
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq", "merge")
)
_MOST_NODES = 200_000
_DEEPEST = 100
_SIZE_HINT = "look for `*name` that repeats what repeats something else; 200,000 values and 100 levels are possible"


_RESOLVERS = {
    first: [pair for pair in resolvers if not pair[0].endswith((":timestamp", ":bool", ":value"))]
    for first, resolvers in Resolver.yaml_implicit_resolvers.items()
}
"""Those of YAML 1.2's core schema, with which `2023-06-01` and `yes` stay texts."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers = _RESOLVERS


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _fast_loader() -> type[Any]:
    """The same on libyaml, which is ten times as fast, where PyYAML was built with it."""
    if not yaml.__with_libyaml__:
        return _Loader

    class FastLoader(yaml.CSafeLoader):
        yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

    return FastLoader


_FastLoader = _fast_loader()


def compose(file: str, text: str) -> Document | Problem:
    """The nodes of `text`, or the one problem that keeps it from being YAML."""
    try:
        root = _root(text)
    except yaml.MarkedYAMLError as error:
        return syntax_problem(file, text, error)
    except yaml.reader.ReaderError as error:
        return character_problem(file, text, error)
    except yaml.YAMLError as error:
        return Problem("yaml-syntax", f"not YAML: {error}", place=file)
    except RecursionError:
        return Problem("yaml-size", "the file nests too deeply", place=file, hint="close brackets that are open")
    if not isinstance(root, yaml.MappingNode):
        return Problem("yaml-syntax", _no_mapping(root), place=f"{file}:1:1", hint="begin with `resources:`")
    return Document(file, text, root)


def _root(text: str) -> yaml.Node | None:
    """The outermost node of `text`. What libyaml does not take is read once more: the other loader has the last word,
    and its errors know more."""
    try:
        return yaml.compose(text, Loader=_FastLoader)
    except (yaml.YAMLError, RecursionError):
        return yaml.compose(text, Loader=_Loader)


def _no_mapping(root: yaml.Node | None) -> str:
    match root:
        case None:
            return "the file is empty"
        case yaml.SequenceNode():
            return "the file is a list, not keys with values"
        case _:
            return "the file is a text, not keys with values"


def values(document: Document) -> Any:
    """The document as Python values. Call `structure_problems` first. Raises MappingError where a value is not what
    its tag says, such as `!!int abc` and `<<: 5`."""
    try:
        return SafeConstructor().construct_document(document.root)
    except yaml.MarkedYAMLError as error:
        raise MappingError(syntax_problem(document.file, document.text, error)) from error
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
                Problem("yaml-size", "the file unfolds into too many or too deep values", str(place), _SIZE_HINT),
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
            hint = "a text that begins with a bracket stands between single quotes: '{{ ... }}'"
            yield Problem("yaml-syntax", "a key has to be a text", str(place), hint, excerpt=document.excerpt(place))
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
