"""The hooks of a mapping: which resources listen to which, and what is wrong with them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.errors import Problem
from portsync.mapping.explain import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.mapping.live import Live
    from portsync.mapping.models import MappingFile
    from portsync.mapping.places import Document, Path

_SHORTEST_SECRET = 8


def hooks_of(file: MappingFile) -> dict[str, Live]:
    """For each hook by its name, the section that says how it is signed; all of its resources say the same."""
    found: dict[str, Live] = {}
    for resource in file.resources:
        if resource.live is not None:
            found.setdefault(resource.live.hook, resource.live)
    return found


def hook_secrets(file: MappingFile) -> set[str]:
    """The secrets with which webhooks are signed."""
    signatures = [live.signature for live in hooks_of(file).values()]
    return {signature.secret.get_secret_value() for signature in signatures if signature is not None}


def hook_problems(file: MappingFile, document: Document) -> Iterator[Problem]:
    """What is wrong with the `live` sections, beyond what the section itself knows."""
    hooks = hooks_of(file)
    for index, resource in enumerate(file.resources):
        live, path = resource.live, ("resources", index)
        if live is None:
            continue
        first = hooks[live.hook]
        if (live.signature, live.id_header) != (first.signature, first.id_header):
            message = f"the hook `{live.hook}` has another `signature` or `id_header` in a resource before"
            hint = "a webhook is let in once: write the same into both, or give the hook another name"
            yield _placed((*path, "live", "signature"), message, hint, document)
        if live.signature is not None and len(live.signature.secret.get_secret_value()) < _SHORTEST_SECRET:
            message = f"the secret is shorter than {_SHORTEST_SECRET} characters, which anybody can guess"
            yield _placed((*path, "live", "signature", "secret"), message, "take a long random text", document)
        for number, mapping in enumerate(resource.port.entity.mappings):
            if not isinstance(mapping.identifier, str):
                at = (*path, "port", "entity", "mappings", number, "identifier")
                message = "live events need an identifier that the mapping itself gives, and this is a search"
                yield _placed(at, message, "write an expression, or take `live` out", document)


def _placed(path: Path, message: str, hint: str, document: Document) -> Problem:
    place = document.place(path)
    return Problem("hook", f"{dotted(path)}: {message}", str(place), hint, excerpt=document.excerpt(place))
