"""Which resources can give entities of which blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.mapping.literals import without_literals
from portsync.plan import constant_blueprints, has_computed_blueprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.mapping.models import Resource
    from portsync.port.holdings import Relation


class Producers:
    """The resources of a mapping, by what they give. One whose blueprint is computed can give any."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._constant = [constant_blueprints(resource) for resource in resources]
        self._is_open = [has_computed_blueprint(resource) for resource in resources]

    @property
    def blueprints(self) -> set[str]:
        """Those that are named by constants."""
        return set().union(*self._constant)

    def of(self, blueprint: str) -> list[int]:
        """The indexes of the resources that can give entities of this blueprint."""
        return [index for index, names in enumerate(self._constant) if blueprint in names or self._is_open[index]]

    def may_give(self, blueprint: str) -> bool:
        """Whether any resource can."""
        return bool(self.of(blueprint))

    def first(self, index: int, relations: Mapping[str, Mapping[str, Relation]]) -> list[int]:
        """The resources whose entities those of resource `index` point to, and which had better be read before."""
        targets = {
            relation.target for blueprint in self._constant[index] for relation in relations.get(blueprint, {}).values()
        }
        return [i for i, names in enumerate(self._constant) if i != index and names & targets]

    def alike(self, index: int) -> list[int]:
        """The other resources that may give entities of the same blueprints."""
        return [
            i
            for i, names in enumerate(self._constant)
            if i != index and (names & self._constant[index] or self._is_open[i] or self._is_open[index])
        ]


def resource_names(resources: Sequence[Resource]) -> list[str]:
    """A name for each resource, by which a later run knows it again though others were added to the file: its kind,
    without secrets that may stand in it, and which one of that kind it is."""
    counts: dict[str, int] = {}
    names = []
    for resource in resources:
        kind = without_literals(resource.kind)
        counts[kind] = number = counts.get(kind, 0) + 1
        names.append(f"{kind}#{number}")
    return names
