"""What a blueprint says of computed properties, held against the other blueprints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from portsync.emulator.computed.specs import aggregation, between, mirror_path
from portsync.emulator.errors import ApiError, invalid_request
from portsync.emulator.measures.named import check_number, check_time
from portsync.emulator.query import compile_query
from portsync.emulator.rules import Basis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.computed.specs import Aggregation
    from portsync.emulator.guesses import Guesses
    from portsync.emulator.relation_graph import RelationGraph


@dataclass(frozen=True, slots=True)
class ComputedChecks:
    """Checks a new or changed blueprint; `others` are all the others."""

    after: Blueprint
    others: Sequence[Blueprint]
    guesses: Guesses
    graph: RelationGraph

    def check(self, before: Blueprint | None) -> None:
        """ApiError for a path that leads nowhere, a target without a connection, or a number that is none.

        What a change leaves as it is goes unchecked: what it names in other blueprints may have gone since.
        """
        has_moved = before is None or before.body["relations"] != self.after.body["relations"]
        for section, check in (
            ("mirrorProperties", self._check_mirror),
            ("aggregationProperties", self._check_aggregation),
        ):
            for name, body in self.after.body[section].items():
                if has_moved or before is None or before.body[section].get(name) != body:
                    check(name, body)

    def _find(self, name: str) -> Blueprint | None:
        return next((each for each in (self.after, *self.others) if each.identifier == name), None)

    def _check_mirror(self, name: str, body: Mapping[str, Any]) -> None:
        if mirror_path(self.after, body["path"], self._find) is None:
            raise invalid_request(
                f'"body.mirrorProperties.{name}.path" must be a path of relations that ends with a property'
            )

    def _check_aggregation(self, name: str, body: Mapping[str, Any]) -> None:
        place = f"body.aggregationProperties.{name}"
        target = self._find(body["target"])
        if target is None:
            raise ApiError(
                self.guesses.missing_target_status,
                "not_found",
                f'The target blueprint "{body["target"]}" of the aggregation property "{name}" was not found',
            )
        spec = aggregation(self.after, name)
        if spec.property is not None:
            check_number(target, spec.property, f"{place}.calculationSpec.property")
        check_time(target, spec.time, f"{place}.calculationSpec.measureTimeBy")
        if spec.query is not None:
            # Whatever the time is, it is the form that is checked.
            basis = Basis(datetime.fromtimestamp(0, UTC), self.graph, self.guesses)
            compile_query(spec.query, basis, root=f"{place}.query")
        if not self._is_connected(spec, body):
            raise invalid_request(f'"{place}.{self._blamed(spec)}" must be connected with the blueprint by relations')

    def _blamed(self, spec: Aggregation) -> str:
        return "target" if spec.path is None else "pathFilter.0.path"

    def _is_connected(self, spec: Aggregation, body: Mapping[str, Any]) -> bool:
        start = self.after.identifier
        if spec.path is None:
            everything = (self.after, *self.others)
            return bool(between(start, spec.target, everything) or between(spec.target, start, everything))
        from_blueprint = body["pathFilter"][0].get("fromBlueprint", start)
        here = self._find(from_blueprint)
        for name in spec.path:
            relation = None if here is None else here.relations.get(name)
            here = None if relation is None else self._find(relation.target)
        goal = spec.target if spec.forwards else start
        return here is not None and here.identifier == goal and from_blueprint in (start, spec.target)
