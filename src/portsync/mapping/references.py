"""Names in a mapping that have to lead somewhere: path parameters, and the resources that they take values from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.errors import Problem
from portsync.mapping.explain import did_you_mean, dotted
from portsync.mapping.templates import parameters_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portsync.mapping.models import MappingFile, Resource
    from portsync.mapping.places import Document

Path = tuple[str | int, ...]


def reference_problems(file: MappingFile, document: Document) -> list[Problem]:
    """What is wrong with the path parameters of a mapping."""
    problems: list[Problem] = []
    for index, resource in enumerate(file.resources):
        path: Path = ("resources", index)
        found = [*_unknown_names(resource, path), *_circles(resource, path), *_givers(index, file.resources, path)]
        problems += [_placed(at, message, hint, document) for at, message, hint in found]
    for name, lookup in file.context.items():
        for parameter in parameters_in(lookup.path):
            message = f"a lookup has no path parameters, so `{{{parameter}}}` has no value"
            problems.append(_placed(("context", name, "path"), message, "write the path out", document))
    return problems


def _unknown_names(resource: Resource, path: Path) -> Iterator[tuple[Path, str, str]]:
    """Every `{name}` in a path needs its entry; every name is something that a variable can be called."""
    known = resource.selector.path_parameters
    uses: list[tuple[Path, str]] = [((*path, "kind"), resource.kind)]
    for name, parameter in known.items():
        if parameter.endpoint is not None:
            uses.append(((*path, "selector", "path_parameters", name, "endpoint"), parameter.endpoint))
    for at, text in uses:
        for name in parameters_in(text):
            if name not in known:
                guess = did_you_mean(name, list(known))
                hint = f"say where its values come from, under `selector.path_parameters.{name}`"
                if f"${{{name}}}" in text:
                    hint = "the environment is not read here; put ${...} into `query_params`, `headers` or `source`"
                yield at, f"the path parameter `{{{name}}}` has no values", guess or hint
    for name, parameter in known.items():
        for other in parameter.with_:
            if other in known:
                at = (*path, "selector", "path_parameters", name, "with", other)
                yield at, f"`{other}` is a path parameter already", "give it another name"


def _circles(resource: Resource, path: Path) -> Iterator[tuple[Path, str, str]]:
    """A parameter whose endpoint needs, at whatever distance, the parameter itself."""
    known = resource.selector.path_parameters
    for name in known:
        seen: list[str] = []
        waiting = [name]
        while waiting:
            endpoint = known[waiting.pop()].endpoint
            for other in parameters_in(endpoint) if endpoint is not None else ():
                if other == name:
                    at = (*path, "selector", "path_parameters", name, "endpoint")
                    through = f", through {', '.join(f'`{n}`' for n in seen)}" if seen else ""
                    yield (
                        at,
                        f"the path parameter `{name}` needs itself{through}",
                        f"take `{{{other}}}` out of the endpoint",
                    )
                    waiting.clear()
                    break
                if other in known and other not in seen:
                    seen.append(other)
                    waiting.append(other)


def _givers(index: int, resources: Sequence[Resource], path: Path) -> Iterator[tuple[Path, str, str]]:
    """`from` names one other resource, and not, at whatever distance, its own."""
    kinds = [resource.kind for resource in resources]
    for name, parameter in resources[index].selector.path_parameters.items():
        if parameter.from_ is None:
            continue
        at = (*path, "selector", "path_parameters", name, "from")
        if kinds.count(parameter.from_) == 0:
            yield at, f"no resource has the kind `{parameter.from_}`", _listing(parameter.from_, kinds)
        elif kinds.count(parameter.from_) > 1:
            hint = "use `endpoint` in place of `from`"
            yield at, f"{kinds.count(parameter.from_)} resources have the kind `{parameter.from_}`", hint
        elif index in _all_givers(kinds.index(parameter.from_), resources, kinds):
            yield at, f"`{parameter.from_}` itself takes values from this resource", "use `endpoint` for one of the two"


def _all_givers(index: int, resources: Sequence[Resource], kinds: Sequence[str]) -> set[int]:
    """The resources that the one with this index takes values from, itself included."""
    found = {index}
    waiting = [index]
    while waiting:
        for parameter in resources[waiting.pop()].selector.path_parameters.values():
            if parameter.from_ in kinds and (giver := kinds.index(parameter.from_)) not in found:
                found.add(giver)
                waiting.append(giver)
    return found


def _listing(given: str, kinds: Sequence[str]) -> str:
    return did_you_mean(given, kinds) or f"the kinds are {', '.join(kinds)}"


def _placed(path: Path, message: str, hint: str, document: Document) -> Problem:
    place = document.place(path)
    return Problem("path-parameter", f"{dotted(path)}: {message}", str(place), hint, excerpt=document.excerpt(place))
