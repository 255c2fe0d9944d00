"""The request chains of one resource, one after the other, as somebody has use for them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portsync.chains.parameters import chain_name, parameter_sets
from portsync.chains.template import RequestTemplate
from portsync.chains.windows import windows
from portsync.errors import ExpressionError
from portsync.flow import End, RequestSpec, Spent, Verdict
from portsync.jq.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.chains.access import Access
    from portsync.chains.parameters import ParameterSet, Records
    from portsync.flow import Json
    from portsync.mapping.models import Resource
    from portsync.mapping.requests import PathParameter, Window


@dataclass(frozen=True, slots=True)
class Chain:
    """One way along the pages of a resource: its first request, and what its expressions see."""

    first: RequestSpec
    variables: Variables
    name: str
    """In words, such as `org=a`; empty where a resource has but one chain."""


def is_single(resource: Resource) -> bool:
    """Whether a resource has one chain and no more."""
    return not resource.selector.path_parameters and resource.selector.window is None


Places = AsyncGenerator[Variables | Spent | End]
"""What the chains of a resource differ in; an End stands for one that cannot be made, and Spent is what finding them
cost."""


async def places(resource: Resource, access: Access, taken_from: Callable[[str, PathParameter], Records]) -> Places:
    """The variables of each chain of `resource`."""
    windowed = _Windows(resource.selector.window, access)
    async with aclosing(parameter_sets(resource, access, taken_from)) as sets:
        async for item in sets:
            if not isinstance(item, Mapping):
                yield item
                continue
            try:
                found = await windowed.of(item)
            except ExpressionError as error:
                yield _unmade(error, "window", chain_name("", item))
                continue
            for window in found:
                yield Variables(item, window)


async def chains(resource: Resource, access: Access, found: Places) -> AsyncGenerator[Chain | Spent | End]:
    """The chains of `resource` at these places."""
    template = RequestTemplate(resource.kind, resource.selector, "selector", access)
    async with aclosing(found):
        async for variables in found:
            if not isinstance(variables, Variables):
                yield variables
                continue
            name = _name(resource, variables.params, variables.window)
            try:
                yield Chain(await template.render(variables), variables, name)
            except ExpressionError as error:
                yield _unmade(error, "jq", name)


class _Windows:
    """The windows of a resource, which are the same for all its parameters unless they depend on them."""

    def __init__(self, window: Window | None, access: Access) -> None:
        self._window = window
        self._access = access
        self._found: list[Mapping[str, Json]] | None = None

    async def of(self, params: ParameterSet) -> list[Mapping[str, Json]]:
        """The windows of the chains with these parameters; a single empty one where the resource has none."""
        if self._window is None:
            return [{}]
        depends = "$params" in self._window.start + self._window.end
        if self._found is None or depends:
            self._found = await windows(self._window, Variables(params), self._access)
        return self._found


def _name(resource: Resource, params: ParameterSet, window: Mapping[str, Json]) -> str:
    shown = {name: params[name] for name in resource.selector.path_parameters}
    if window:
        return chain_name("", {**shown, "window": f"{window['start']} to {window['end']}"})
    return chain_name("", shown)


def _unmade(error: ExpressionError, reason: str, name: str) -> End:
    problem = error.problems[0]
    reasons = {"foreign-origin": "origin", "path-parameter": "parameter"}
    return End(Verdict.INCOMPLETE, reasons.get(problem.code, reason), replace(problem, place=name or None), chain=name)
