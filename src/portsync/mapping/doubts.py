"""Expressions and identifiers that work, and that nobody can have meant: warnings of `check`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portsync.errors import Problem
from portsync.jq.reads import members, reads_environment, selecting_assignment
from portsync.jq.results import NOTHING, constant_value
from portsync.mapping.explain import did_you_mean, dotted
from portsync.mapping.expressions import expressions_of
from portsync.mapping.sense import placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portsync.mapping.expressions import Written
    from portsync.mapping.models import MappingFile, Resource
    from portsync.mapping.places import Document, Path

_NULL = "null"


def doubts_of(file: MappingFile, document: Document) -> Iterator[Problem]:
    """The warnings about single expressions, and about identifiers that cannot tell records apart."""
    known = _members_of(file)
    for written in expressions_of(file):
        yield from _about_expression(written, known, document)
    for index, resource in enumerate(file.resources):
        yield from _about_identifiers(index, resource, file, document)


def _members_of(file: MappingFile) -> Mapping[str, Sequence[str]]:
    """What `$params` and `$window` have in any resource: what one does not have may be written for another one that
    shares the text, by an anchor."""
    parameters = {
        name: None
        for resource in file.resources
        for own, parameter in resource.selector.path_parameters.items()
        for name in (own, *parameter.with_)
    }
    has_window = any(resource.selector.window is not None for resource in file.resources)
    return {"params": list(parameters), "window": ["start", "end"] if has_window else []}


def _about_expression(written: Written, known: Mapping[str, Sequence[str]], document: Document) -> Iterator[Problem]:
    text = written.text
    if "env" in text.lower() and (at := reads_environment(text)) is not None:
        hint = "in `source`, `context` and `selector` ${NAME} reads it; catalog data never does"
        problem = Problem("always-null", "expressions see no environment: `env` and `$ENV` are empty", hint=hint)
        yield placed(problem, written, at, document)
    if "=" in text and (at := selecting_assignment(text)) is not None:
        message = "`=` sets a field in JQ, so this `select` lets everything pass"
        yield placed(Problem("jq-assignment", message, hint="write `==` to compare"), written, at, document)
    if "$" in text:
        for member in members(text):
            names = known.get(member.variable)
            if names is not None and member.name not in names:
                message = f"`${member.variable}.{member.name}` is null, because no resource has it"
                hint = did_you_mean(member.name, list(names)) or _where_from(member.variable, names)
                yield placed(Problem("always-null", message, hint=hint), written, member.offset, document)
    if text.strip() == _NULL and set(written.path) & {"properties", "relations"}:
        hint = "map a value, or remove it; a property that is not mapped keeps its value in Port"
        yield placed(Problem("always-null", "this is null for every entity", hint=hint), written, 0, document)


def _where_from(variable: str, names: Sequence[str]) -> str:
    if names:
        return f"there are {', '.join(names)}"
    if variable == "window":
        return "it comes from `selector.window`"
    return "it comes from `selector.path_parameters`, where `with` gives more names"


def _about_identifiers(index: int, resource: Resource, file: MappingFile, document: Document) -> Iterator[Problem]:
    path: Path = ("resources", index, "port", "entity", "mappings")
    seen: dict[tuple[str, str], int] = {}
    for number, entity in enumerate(resource.port.entity.mappings):
        if not isinstance(entity.identifier, str):
            continue
        at = (*path, number, "identifier")
        if constant_value(entity.identifier) is not NOTHING and _has_many_records(resource, file):
            message = "it is the same for every record, so that all of them are one entity"
            yield _placed(Problem("same-entity", message, hint="take it from the record, such as .id"), document, at)
        key = (entity.identifier.strip(), entity.blueprint.strip())
        if key in seen and resource.selector.on_conflict == "report":
            message = f"mapping {seen[key] + 1} of the list gives the same entity for every record"
            yield _placed(Problem("same-entity", message, hint="join the two, or let identifiers differ"), document, at)
        seen.setdefault(key, number)


def _has_many_records(resource: Resource, file: MappingFile) -> bool:
    """Whether the mapping itself says that there is more than one record."""
    selector = resource.selector
    pagination = selector.pagination or file.source.pagination
    is_paged = pagination is not None and pagination.type != "none"
    return (
        is_paged or bool(selector.path_parameters) or selector.window is not None or bool(resource.port.items_to_parse)
    )


def _placed(problem: Problem, document: Document, path: Path) -> Problem:
    place = document.place(path)
    where = dotted(document.existing(path))
    return replace(problem, message=f"{where}: {problem.message}", place=str(place), excerpt=document.excerpt(place))
