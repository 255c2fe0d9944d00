"""Live events -> changes of entities, and changes -> requests, in an order in which none overtakes another of the same
entity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from portsync.batch import MOST_ENTITIES
from portsync.errors import ExpressionError, Problem
from portsync.flow import Page, RequestSpec
from portsync.jq.outputs import first_output
from portsync.jq.variables import NO_VARIABLES
from portsync.plan import page_program
from portsync.state.seen import merged
from portsync.transform import Mapper, Programs, map_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from portsync.flow import Entity, Json, MappedPage
    from portsync.jq.pool import JqPool
    from portsync.jq.program import PageProgram
    from portsync.jq.variables import Context
    from portsync.mapping.models import MappingFile, Resource
    from portsync.plan import SourcePlan
    from portsync.state.hook_queue import Event

_FILTER, _DELETE = "filter", "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """What an event does to one entity."""

    event: Event
    resource: int
    """The index of the resource."""
    entity: Entity
    is_deletion: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an event, or a part of it, can never be applied."""

    event: Event
    resource: int | None
    problem: Problem
    entity: Entity | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """A resource that listens to a hook."""

    index: int
    hook: str
    mapper: Mapper
    programs: Programs


def listeners(
    file: MappingFile, source: SourcePlan, pool: JqPool, context: Context, now: float
) -> tuple[Listener, ...]:
    """Those of a mapping, in its order. `now`, in epoch seconds, is what expressions see."""
    found = []
    for index, resource in enumerate(file.resources):
        if resource.live is not None:
            program = _program(resource, source)
            mapper = Mapper(program, now, pool, context.of(program.texts()))
            found.append(Listener(index, resource.live.hook, mapper, mapper.programs()))
    return tuple(found)


def _program(resource: Resource, source: SourcePlan) -> PageProgram:
    """What maps a webhook as a page of the resource would be, with another way to the records."""
    live = resource.live
    assert live is not None, "only resources with hooks are asked"
    facts = {_FILTER: live.filter, _DELETE: live.delete}
    program = page_program(resource, source)
    # What is to be deleted may be what the query no longer takes.
    query = f"if ($__page | {first_output(live.delete)}) == true then true else {first_output(program.query)} end"
    return replace(program, data_path=live.record, query=query, facts=facts, is_enriched=False)


def texts_of_live(file: MappingFile, source: SourcePlan) -> list[str]:
    """All expressions that live events go through."""
    programs = (_program(resource, source) for resource in file.resources if resource.live is not None)
    return [text for program in programs for text in program.texts()]


async def changes_of(event: Event, listening: Iterable[Listener]) -> list[Change | Fault]:
    """What an event does, in the order of the resources."""
    concerned = [listener for listener in listening if listener.hook == event.hook]
    if not concerned:
        message = f"no resource of the mapping listens to the hook `{event.hook}` any more"
        return [Fault(event, None, Problem("hook", message, _chain(event)))]
    found: list[Change | Fault] = []
    for listener in concerned:
        page = Page(RequestSpec("POST", f"/hooks/{event.hook}"), 1, event.body, _chain(event))
        try:
            mapped = await map_page(page, listener.mapper, listener.programs, NO_VARIABLES)
        except ExpressionError as error:
            found.append(Fault(event, listener.index, replace(error.problems[0], place=_chain(event))))
        else:
            found += _of_page(event, listener.index, mapped)
    return found


def _chain(event: Event) -> str:
    return f"event {event.id} of hook `{event.hook}`"


def _of_page(event: Event, index: int, mapped: MappedPage) -> Iterable[Change | Fault]:
    values = mapped.facts.values
    for name in (_FILTER, _DELETE):
        if not isinstance(values[name], bool):
            yield Fault(event, index, _not_boolean(name, values, event))
            return
        if name == _FILTER and not values[name]:
            return
    if mapped.facts.missing or mapped.facts.data_path_error is not None:
        said = mapped.facts.data_path_error or "it gave null"
        message, hint = f"`live.record` finds no record: {said}", "let `filter` leave such events out"
        yield Fault(event, index, Problem("hook", message, _chain(event), hint))
        return
    for failure in mapped.failures:
        problem = Problem(failure.code, failure.message, failure.place, failure.hint, identifier=failure.identifier)
        yield Fault(event, index, problem)
    for entity in mapped.entities:
        yield Change(event, index, entity, is_deletion=values[_DELETE])


def _not_boolean(name: str, values: Mapping[str, Json], event: Event) -> Problem:
    given = "null, or failed" if values[name] is None else f"a value of type {type(values[name]).__name__}"
    hint = 'it has to give true or false for every webhook, such as `.action == "deleted"`'
    return Problem("hook", f"`live.{name}` gave {given}", _chain(event), hint)


@dataclass(frozen=True, slots=True)
class Portion:
    """Changes that go to Port in one request: of one blueprint, all of one kind, and no entity twice."""

    blueprint: str
    is_deletion: bool
    changes: tuple[Change, ...]


def portions_of(changes: Sequence[Change], *, is_merge: bool, keeps_order: bool) -> list[Portion]:
    """The requests, in their order. A newer change of an entity takes the place of the one before it in the same
    request, and never comes before it.

    Where `keeps_order`, the blueprints are not sorted either: without `createMissingRelatedEntities` Port refuses
    what points to an entity that comes later.
    """
    found: list[tuple[str, bool, dict[str, Change]]] = []
    newest: dict[str, int] = {}
    for change in changes:
        blueprint, name = change.entity.blueprint, change.entity.identifier
        at = len(found) - 1 if keeps_order else newest.get(blueprint, -1)
        if at >= 0 and found[at][:2] == (blueprint, change.is_deletion):
            together = found[at][2]
            if (earlier := together.get(name)) is not None:
                together[name] = change if change.is_deletion else _one_of(earlier, change, is_merge=is_merge)
                continue
            if len(together) < MOST_ENTITIES:
                together[name] = change
                continue
        newest[blueprint] = len(found)
        found.append((blueprint, change.is_deletion, {name: change}))
    return [Portion(blueprint, is_deletion, tuple(some.values())) for blueprint, is_deletion, some in found]


def _one_of(earlier: Change, later: Change, *, is_merge: bool) -> Change:
    """One change in place of two that would be sent one after the other."""
    if not is_merge:
        return later
    body = merged(earlier.entity.body, later.entity.body)
    return replace(later, entity=replace(later.entity, body=body, digest=blake2b(body, digest_size=16).digest()))
