"""A reader of mappings that knows nothing of portsync, does one thing after the other, and errs as it is told to.

Without faults it shows that a case can be passed; with one, that the case notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.case import COMPLETE, SKIPPED, Observed
from tests.conformance.naive.chain import Chains
from tests.conformance.naive.ending import Gone, Skipped
from tests.conformance.naive.faults import Fault
from tests.conformance.naive.lookups import Lookups
from tests.conformance.naive.outcome import Resource, exit_code
from tests.conformance.naive.parameters import Parameters
from tests.conformance.naive.windows import windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.naive.tools import Kit


class NaiveReader:
    """Reads a whole mapping once."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._chains = Chains(kit)
        self._lookups = Lookups(kit, self._chains)
        self._done: dict[str, Resource] = {}

    def run(self) -> Observed:
        """Read every resource. What is given is without the requests: the server has them."""
        resources = []
        for section in self._kit.mapping["resources"]:
            resource = Resource()
            resources.append(resource)
            self._done[section["kind"]] = resource
            try:
                self._read(section, resource)
            except Gone as gone:
                resource.end(gone)
        return Observed(
            requests=(),
            batches=tuple(tuple(resource.entities) for resource in resources if resource.entities),
            properties={name: values for resource in resources for name, values in resource.entities.items()},
            verdicts=tuple(resource.verdict for resource in resources),
            read=tuple(resource.read for resource in resources),
            exit_code=exit_code(resources),
            problems=tuple(problem for resource in resources for problem in resource.problems),
        )

    def _read(self, section: Mapping[str, Any], resource: Resource) -> None:
        context = self._lookups.needed_by(section)
        for params in Parameters(self._kit, self._chains, self._done, resource).sets(section, context):
            for window in self._windows(section, context):
                if self._kit.errs(Fault.LAST_CHILD_COUNTS):
                    resource.verdict = COMPLETE
                try:
                    self._read_chain(section, resource, {"context": context, "params": params, "window": window})
                except Skipped:
                    resource.worsen(COMPLETE if self._kit.errs(Fault.SKIPPED_IS_COMPLETE) else SKIPPED)
                except Gone as gone:
                    if params and self._kit.errs(Fault.SWALLOWS_CHILDREN):
                        continue
                    resource.end(gone, section["kind"])
                    if self._kit.errs(Fault.FIRST_FAILURE_ENDS_ALL):
                        return

    def _windows(self, section: Mapping[str, Any], context: dict[str, Any]) -> list[dict[str, str]]:
        window = section["selector"].get("window")
        return [{}] if window is None else windows(window, self._kit.expressions, self._kit.faults, context=context)

    def _read_chain(self, section: Mapping[str, Any], resource: Resource, variables: dict[str, Any]) -> None:
        for records in self._chains.pages(section["kind"], section["selector"], "selector", variables):
            resource.pages += 1
            resource.records += records
            resource.read += len(records)
            for record in records:
                self._map(section, resource, record, variables)

    def _map(self, section: Mapping[str, Any], resource: Resource, record: Any, variables: dict[str, Any]) -> None:
        first = self._kit.expressions.first
        if isinstance(record, dict):
            record = record | {f"__{name}": value for name, value in variables["params"].items()}
        if first(section["selector"].get("query", "true"), record, **variables) is not True:
            return
        (mapping,) = section["port"]["entity"]["mappings"]
        properties = mapping.get("properties", {}).items()
        identifier = str(first(mapping["identifier"], record, **variables))
        resource.entities[identifier] = {name: first(text, record, **variables) for name, text in properties}
