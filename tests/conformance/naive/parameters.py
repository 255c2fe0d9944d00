"""The naive reader's path parameters: every combination of their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.conformance.case import COMPLETE
from tests.conformance.naive.asking import PLACEHOLDER
from tests.conformance.naive.ending import Gone, Skipped
from tests.conformance.naive.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conformance.naive.chain import Chains
    from tests.conformance.naive.outcome import Resource
    from tests.conformance.naive.tools import Kit


class Parameters:
    """What `$params` is, for each chain of one resource. What fails on the way is told to `resource`."""

    def __init__(self, kit: Kit, chains: Chains, done: Mapping[str, Resource], resource: Resource) -> None:
        self._kit = kit
        self._chains = chains
        self._done = done
        self._resource = resource

    def sets(self, section: Mapping[str, Any], context: dict[str, Any]) -> list[dict[str, Any]]:
        """The values of all parameters, chain by chain; one empty set where there are no parameters."""
        parameters = section["selector"].get("path_parameters", {})
        names = _in_order(section["kind"], parameters)
        if self._kit.errs(Fault.FIRST_PLACEHOLDER_ONLY):
            names = names[:1]
        sets: list[dict[str, Any]] = [{}]
        known: dict[str, list[dict[str, Any]]] = {}
        for name in names:
            grown = []
            for params in sets:
                used = {other: params.get(other) for other in PLACEHOLDER.findall(parameters[name].get("endpoint", ""))}
                key = json.dumps([name, used])
                if key not in known:
                    known[key] = self._values(name, parameters[name], {"params": params, "context": context})
                grown += [{**params, **value} for value in known[key]]
            sets = grown
        if not sets and self._kit.errs(Fault.NO_VALUES_IS_AN_ERROR):
            raise Gone("parameter", "parameter")
        return sets

    def _values(self, name: str, parameter: Mapping[str, Any], variables: dict[str, Any]) -> list[dict[str, Any]]:
        """The values of one parameter, with what `with` adds to each."""
        first = self._kit.expressions.first
        found: list[dict[str, Any]] = []
        for record in self._origin(name, parameter, variables):
            wanted = first(parameter.get("filter", "true"), record) is True
            if not wanted and not self._kit.errs(Fault.IGNORES_PARAMETER_FILTER):
                continue
            value = first(parameter.get("field", "."), record)
            if not self._is_value(name, value):
                continue
            extra = {key: first(text, record) for key, text in parameter.get("with", {}).items()}
            if self._kit.errs(Fault.FORGETS_THE_PARENT):
                extra = dict.fromkeys(extra)
            if value not in [other[name] for other in found] or self._kit.errs(Fault.KEEPS_DUPLICATES):
                found.append({name: value, **extra})
        return found

    def _is_value(self, name: str, value: Any) -> bool:
        is_missing = value in (None, "") and not self._kit.errs(Fault.NONE_IS_A_VALUE)
        leads_away = value in (".", "..") and not self._kit.errs(Fault.DOTS_ARE_VALUES)
        if (is_missing or leads_away) and not self._kit.errs(Fault.SKIPS_MISSING_VALUES):
            self._resource.end(Gone("parameter", "parameter", f"a record has no value for `{name}`"))
        return not (is_missing or leads_away)

    def _origin(self, name: str, parameter: Mapping[str, Any], variables: dict[str, Any]) -> Iterator[Any]:
        """The records, or values, that a parameter's values are taken from."""
        if "values" in parameter:
            yield from parameter["values"]
            return
        if "from" in parameter and not self._kit.errs(Fault.FETCHES_PARENTS_AGAIN):
            parent = self._done[parameter["from"]]
            yield from parent.records
            if parent.verdict != COMPLETE and not self._kit.errs(Fault.FAILED_DISCOVERY_IS_EMPTY):
                self._resource.end(Gone("parameter", "parameter", f"`{parameter['from']}` was not read to its end"))
            return
        path, section = parameter.get("endpoint"), parameter
        if path is None:
            path = parameter["from"]
            section = next(other["selector"] for other in self._kit.mapping["resources"] if other["kind"] == path)
        try:
            for page in self._chains.pages(path, section, f"selector.path_parameters.{name}", variables):
                yield from page
        except (Gone, Skipped) as gone:
            if not self._kit.errs(Fault.FAILED_DISCOVERY_IS_EMPTY):
                self._resource.end(Gone("parameter", "parameter", str(gone)))


def _in_order(kind: str, parameters: Mapping[str, Any]) -> list[str]:
    """The parameters of `kind`, each after those that its own endpoint needs."""
    names: list[str] = []

    def visit(text: str) -> None:
        for name in PLACEHOLDER.findall(text):
            if name in parameters and name not in names:
                visit(parameters[name].get("endpoint", ""))
                names.append(name)

    visit(kind)
    return names
