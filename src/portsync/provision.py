"""Blueprints and pages -> Port, in an order that Port takes: bare blueprints first, then relations, then what is
calculated from them, then the pages that show it.

What is already as the files say is left alone; what they do not name is, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.declared import merged, says
from portsync.errors import ConfigError, PortError, PortUnreachableError, Problem, SendError
from portsync.foreseen import forbidden_changes, missing_targets, page_problems, targets_of
from portsync.line_charts import forms_of
from portsync.port.blueprints import change_blueprint, create_blueprint, fetch_blueprint
from portsync.port.client import accepted, message_of, unreachable
from portsync.port.pages import CHANGEABLE, SUBJECT, change_page, create_page, fetch_page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from portsync.catalog_files import CatalogFiles
    from portsync.line_charts import LineCharts
    from portsync.port.client import PortClient

_STAGES = (
    ("relations", "ownership"),
    ("mirrorProperties", "calculationProperties", "aggregationProperties"),
)
"""Sections that speak of other blueprints, or of other sections, which have to be there by then."""
_LATER = frozenset(section for stage in _STAGES for section in stage)


class Change(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    NONE = "unchanged"


@dataclass(frozen=True, slots=True)
class Step:
    """What has to happen to one blueprint."""

    blueprint: dict[str, Any]
    change: Change
    sections: dict[str, Any] = field(default_factory=dict)
    """For an update: the top-level sections that differ, as they are to be. What Port has beyond the file is kept."""

    @property
    def identifier(self) -> str:
        return str(self.blueprint["identifier"])


@dataclass(frozen=True, slots=True)
class PageStep:
    """What has to happen to one page."""

    identifier: str
    change: Change
    forms: tuple[dict[str, Any], ...] = ()
    """What is sent: the page, or the keys that differ. The second one is sent where Port answers 422 to the first."""

    @property
    def sections(self) -> dict[str, Any]:
        """For an update: the keys that differ."""
        return self.forms[0] if self.change is Change.UPDATE else {}


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to happen to all that the files describe."""

    blueprints: tuple[Step, ...]
    pages: tuple[PageStep, ...]


async def plan_blueprints(port: PortClient, blueprints: Sequence[dict[str, Any]]) -> list[Step]:
    """Compare with Port. Raises PortError and SendError; writes nothing."""
    return [_step(blueprint, await fetch_blueprint(port, blueprint["identifier"])) for blueprint in blueprints]


async def plan_all(port: PortClient, files: CatalogFiles, line_charts: LineCharts) -> Plan:
    """Compare with Port. Writes nothing.

    Raises ConfigError with everything that Port would refuse, as far as it can be told, PortError and SendError.
    """
    names = [blueprint.identifier for blueprint in files.blueprints]
    outside = {target for blueprint in files.blueprints for target, _ in targets_of(blueprint.value)} - set(names)
    held = {name: await fetch_blueprint(port, name) for name in [*names, *sorted(outside)]}
    pages = [await fetch_page(port, page.identifier) for page in files.pages]
    known = {*names, *(name for name, blueprint in held.items() if blueprint is not None)}
    problems = [
        *(problem for b in files.blueprints for problem in forbidden_changes(b, held[b.identifier] or {})),
        *missing_targets(files.blueprints, known),
        *(
            problem
            for page, existing in zip(files.pages, pages, strict=True)
            for problem in page_problems(page, existing, line_charts)
        ),
    ]
    if problems:
        raise ConfigError(*problems)
    return Plan(
        tuple(_step(blueprint.value, held[blueprint.identifier]) for blueprint in files.blueprints),
        tuple(
            _page_step(page.identifier, forms_of(page.value, line_charts), existing)
            for page, existing in zip(files.pages, pages, strict=True)
        ),
    )


async def apply_steps(port: PortClient, steps: Sequence[Step]) -> None:
    """Do what the steps say. Raises PortError at the first that Port does not take, with what has been done."""
    await _carry_out(_blueprint_actions(port, steps))


async def apply_plan(port: PortClient, plan: Plan) -> frozenset[str]:
    """Do what the plan says. Gives the pages of which Port took the second form.

    Raises PortError at the first step that Port does not take, with what has been done.
    """
    second: set[str] = set()

    async def bring(step: PageStep) -> None:
        if await _bring_page(port, step) > 0:
            second.add(step.identifier)

    pages = [
        _Action(f"{step.change} page {step.identifier}", partial(bring, step))
        for step in plan.pages
        if step.change is not Change.NONE
    ]
    await _carry_out([*_blueprint_actions(port, plan.blueprints), *pages])
    return frozenset(second)


def _step(wanted: dict[str, Any], existing: dict[str, Any] | None) -> Step:
    if existing is None:
        return Step(wanted, Change.CREATE)
    differing = {
        key: merged(existing.get(key), value) for key, value in wanted.items() if not says(existing.get(key), value)
    }
    return Step(wanted, Change.UPDATE if differing else Change.NONE, differing)


def _page_step(identifier: str, forms: tuple[dict[str, Any], ...], existing: dict[str, Any] | None) -> PageStep:
    if existing is None:
        return PageStep(identifier, Change.CREATE, forms)
    differing = [
        {key: form[key] for key in form if _counts(key, existing) and not says(existing.get(key), form[key])}
        for form in forms
    ]
    # Port may hold the widgets in the second form, from when it did not take the first.
    fitting = [sections for sections in differing if "widgets" not in sections]
    if {} in fitting:
        return PageStep(identifier, Change.NONE)
    return PageStep(identifier, Change.UPDATE, tuple(fitting[:1] or differing))


def _counts(key: str, existing: dict[str, Any]) -> bool:
    """Whether a key of a page can be changed, and Port says what it has there: of the place in the sidebar it may not,
    and a page would be moved back again and again."""
    return key in CHANGEABLE and (key in existing or key not in ("parent", "after"))


@dataclass(frozen=True, slots=True)
class _Action:
    """One request that writes, with what it does, in words."""

    label: str
    run: Callable[[], Awaitable[None]]


def _blueprint_actions(port: PortClient, steps: Iterable[Step]) -> list[_Action]:
    """What the steps come to, in an order in which everything is there when it is spoken of."""
    steps = [step for step in steps if step.change is not Change.NONE]
    bare = [action for step in steps for action in _bare(port, step)]
    return bare + [action for stage in _STAGES for step in steps for action in _staged(port, step, stage)]


def _bare(port: PortClient, step: Step) -> Iterator[_Action]:
    """The blueprint less what comes later."""
    if step.change is Change.CREATE:
        blueprint = {key: value for key, value in step.blueprint.items() if key not in _LATER}
        yield _Action(f"create blueprint {step.identifier}", partial(create_blueprint, port, blueprint))
    else:
        yield from _change(port, step, {key: step.sections[key] for key in step.sections if key not in _LATER})


def _staged(port: PortClient, step: Step, stage: Sequence[str]) -> Iterator[_Action]:
    if step.change is Change.CREATE:
        sections = {key: step.blueprint[key] for key in stage if step.blueprint.get(key)}
    else:
        sections = {key: step.sections[key] for key in stage if key in step.sections}
    yield from _change(port, step, sections)


def _change(port: PortClient, step: Step, sections: dict[str, Any]) -> Iterator[_Action]:
    if sections:
        label = f"change {', '.join(sections)} of blueprint {step.identifier}"
        yield _Action(label, partial(change_blueprint, port, step.identifier, sections))


async def _bring_page(port: PortClient, step: PageStep) -> int:
    """Send a page. Gives the index of the form that Port took; raises PortError where it took none, and SendError."""
    place = f"{step.change} page {step.identifier}"
    refused: list[str] = []
    for form in step.forms:
        if step.change is Change.CREATE:
            answer = await create_page(port, form)
        else:
            answer = await change_page(port, step.identifier, form)
        if answer.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            accepted(answer, place, SUBJECT)
            return len(refused)
        refused.append(message_of(answer))
    said = "; with its line charts in the legacy form: ".join(refused)
    hint = f"compare it with Port's documentation on {SUBJECT}"
    raise PortError(Problem("port-rejected", f"Port answered 422: {said}", place, hint))


async def _carry_out(actions: Sequence[_Action]) -> None:
    """Run the actions in their order. Raises PortError where one fails, with what was done and what was not."""
    for index, action in enumerate(actions):
        try:
            await action.run()
        except PortError as error:
            raise type(error)(*error.problems, _so_far(actions, index)) from error
        except SendError as error:
            raise PortUnreachableError(unreachable(error), _so_far(actions, index)) from error


def _so_far(actions: Sequence[_Action], failed: int) -> Problem:
    done, waiting = ("; ".join(a.label for a in part) for part in (actions[:failed], actions[failed + 1 :]))
    message = (
        f"`{actions[failed].label}` failed; done before it: {done or 'nothing'}; not begun: {waiting or 'nothing'}"
    )
    return Problem("partly-provisioned", message, hint="run it again when that is put right; nothing is done twice")
