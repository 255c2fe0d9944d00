"""Put the environment and mounted secrets into the texts of a mapping: `${NAME}`, `${NAME:default}`, `${file:/path}`.

Never inside `port:`, because what stands there becomes catalog data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from portsync.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.mapping.places import Document

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^}:]*)(?::(?P<default>[^}]*))?\}")
_LOOKS_SECRET = re.compile(r"(?i)key|token|secret|passw|cred|auth")


@dataclass
class Interpolation:
    """What a walk over the document found out."""

    problems: list[Problem] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    """Values that must not appear in any output."""


def interpolate(document: Document, environment: Mapping[str, str]) -> Interpolation:
    """Replace the references in the document's nodes, in place. Gives the problems, and the secret values used."""
    found = Interpolation()
    for node, in_auth in _texts(document.root):
        if "${" in node.value:
            node.value = _replaced(node, document, environment, found, in_auth=in_auth)
    return found


def _texts(root: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, bool]]:
    """The text nodes in which references count, each with whether it belongs to authentication."""
    if not isinstance(root, yaml.MappingNode):
        return
    for key, value in root.value:
        if key.value in ("source", "context"):
            yield from _below(value, in_auth=False)
        elif key.value == "resources" and isinstance(value, yaml.SequenceNode):
            for resource in value.value:
                if isinstance(resource, yaml.MappingNode):
                    selectors = (v for k, v in resource.value if k.value == "selector")
                    for selector in selectors:
                        yield from _below(selector, in_auth=False)


def _below(node: yaml.Node, *, in_auth: bool) -> Iterator[tuple[yaml.ScalarNode, bool]]:
    match node:
        case yaml.ScalarNode():
            yield node, in_auth
        case yaml.SequenceNode():
            for item in node.value:
                yield from _below(item, in_auth=in_auth)
        case yaml.MappingNode():
            for key, value in node.value:
                yield from _below(value, in_auth=in_auth or key.value == "auth")


def _replaced(
    node: yaml.ScalarNode,
    document: Document,
    environment: Mapping[str, str],
    found: Interpolation,
    *,
    in_auth: bool,
) -> str:
    def value(match: re.Match[str]) -> str:
        if match.group() == "$${":
            return "${"
        name = match["name"].strip()
        default: str | None = match["default"]
        if name == "file":
            return _from_file(node, document, default or "", found)
        text = environment.get(name, default)
        if text is None:
            place = document.of(node, match.start() + 1)
            found.problems.append(
                Problem(
                    "unset-variable",
                    f"the environment variable `{name}` is not set",
                    place=str(place),
                    hint=f"set it, write ${{{name}:default}}, or write $${{ for a literal ${{",
                    excerpt=document.excerpt(place),
                )
            )
            return ""
        if name in environment and (in_auth or _LOOKS_SECRET.search(name)):
            found.secrets.add(text)
        return text

    return _REFERENCE.sub(value, node.value)


def _from_file(node: yaml.ScalarNode, document: Document, path: str, found: Interpolation) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        place = document.of(node)
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        found.problems.append(
            Problem(
                "unreadable-secret",
                f"the secret file `{path}` cannot be read: {reason}",
                place=str(place),
                hint="mount it, or correct the path",
                excerpt=document.excerpt(place),
            )
        )
        return ""
    found.secrets.add(text)
    return text
