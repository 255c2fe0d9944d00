"""Put the environment and mounted secrets into the texts of a mapping: `${NAME}`, `${NAME:default}`, `${file:/path}`.

Never inside `port:`, because what stands there becomes catalog data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from errno import EINVAL
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from portsync.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.mapping.places import Document

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^}:]*)(?::(?P<default>[^}]*))?\}|(?P<open>\$\{)")
_LOOKS_SECRET = re.compile(r"(?i)key|token|secret|pass|pwd|cred|auth|pat$|bearer|session|cookie|private")
_LARGEST_SECRET = 2**20


@dataclass
class Interpolation:
    """What a walk over the document found out."""

    problems: list[Problem] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    """Values that must not appear in any output."""
    values: set[str] = field(default_factory=set)
    """All values that were put in: what an error about the mapping must not repeat, wherever they stand."""
    unresolved: set[str] = field(default_factory=set)
    """The places of the texts from which something is missing: what else is wrong with these is no news."""
    lines: set[int] = field(default_factory=set)
    """The lines, from 1, on which the texts begin into which something was put: it has no places within such a text."""


def interpolate(document: Document, environment: Mapping[str, str]) -> Interpolation:
    """Replace the references in the document's nodes, in place. Gives the problems, and the secret values used."""
    found = Interpolation()
    for node, is_sensitive in _texts(document.root):
        if "${" in node.value:
            node.value = _replaced(node, document, environment, found, is_sensitive=is_sensitive)
    return found


def _texts(root: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, bool]]:
    """The text nodes in which references count, each with whether it is of the kind that holds credentials."""
    if not isinstance(root, yaml.MappingNode):
        return
    for key, value in root.value:
        if key.value in ("source", "context"):
            yield from _below(value, is_sensitive=False)
        elif key.value == "resources" and isinstance(value, yaml.SequenceNode):
            for resource in value.value:
                if isinstance(resource, yaml.MappingNode):
                    sections = (v for k, v in resource.value if k.value in ("selector", "live"))
                    for section in sections:
                        yield from _below(section, is_sensitive=False)


def _below(node: yaml.Node, *, is_sensitive: bool) -> Iterator[tuple[yaml.ScalarNode, bool]]:
    match node:
        case yaml.ScalarNode():
            yield node, is_sensitive
        case yaml.SequenceNode():
            for item in node.value:
                yield from _below(item, is_sensitive=is_sensitive)
        case yaml.MappingNode():
            for key, value in node.value:
                yield from _below(value, is_sensitive=is_sensitive or key.value in ("auth", "headers", "signature"))


def _replaced(
    node: yaml.ScalarNode,
    document: Document,
    environment: Mapping[str, str],
    found: Interpolation,
    *,
    is_sensitive: bool,
) -> str:
    def value(match: re.Match[str]) -> str:
        if match.group() == "$${":
            return "${"
        if match["open"]:
            found.unresolved.add(str(document.of(node)))
            place = document.of(node, match.start())
            found.problems.append(
                Problem(
                    "unset-variable",
                    "a `${` without its `}`",
                    place=str(place),
                    hint="close it, or write $${ for a literal ${",
                    excerpt=document.excerpt(place),
                )
            )
            return ""
        name = match["name"].strip()
        if not name:
            found.unresolved.add(str(document.of(node)))
            place = document.of(node, match.start())
            hint = "write the name of a variable between the braces, or $${} for a literal ${}"
            found.problems.append(
                Problem("unset-variable", "`${}` names nothing", str(place), hint, excerpt=document.excerpt(place))
            )
            return ""
        default: str | None = match["default"]
        if name == "file":
            return _from_file(node, document, default or "", found)
        text = environment.get(name, default)
        if text is None:
            found.unresolved.add(str(document.of(node)))
            place = document.of(node, match.start())
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
        if name in environment:
            found.values.add(text)
            found.lines.add(node.start_mark.line + 1)
            if is_sensitive or _LOOKS_SECRET.search(name):
                # Also as it is after the white space around it went.
                found.secrets |= {text, text.strip()}
        return text

    return _REFERENCE.sub(value, node.value)


def _from_file(node: yaml.ScalarNode, document: Document, path: str, found: Interpolation) -> str:
    try:
        text = _read_secret(Path(path))
    except (OSError, UnicodeDecodeError) as error:
        place = document.of(node)
        found.unresolved.add(str(place))
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
    found.secrets |= {text, text.strip()}
    found.values.add(text)
    found.lines.add(node.start_mark.line + 1)
    return text


def _read_secret(path: Path) -> str:
    """The text of a mounted secret. Raises OSError and UnicodeDecodeError; a pipe or a device would never end."""
    if path.exists() and not path.is_file():
        raise OSError(EINVAL, "not a file")
    with path.open(encoding="utf-8") as file:
        return file.read(_LARGEST_SECRET).rstrip("\r\n")
