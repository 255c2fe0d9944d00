"""What a run came to for each blueprint: the facts that the deletion rule decides on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.flow import Fate, Verdict
from portsync.identifiers import blueprint_fault_of
from portsync.reconcile import BlueprintRun

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence

    from portsync.mapping.models import Resource
    from portsync.producers import Producers
    from portsync.report import ResourceReport
    from portsync.state.catalog import Catalog


def blueprint_runs(
    resources: Sequence[Resource],
    producers: Producers,
    reports: Mapping[int, ResourceReport],
    fates: Mapping[str, Counter[Fate]],
    catalog: Catalog,
    given_elsewhere: Callable[[str], bool],
) -> dict[str, BlueprintRun]:
    """The blueprints whose stale entities can be told in this run. Those that a resource gives which nobody asked for
    are not among them. Raises StateLostError."""
    found = {}
    for blueprint in producers.blueprints | fates.keys() | catalog.blueprints():
        givers = producers.of(blueprint)
        # A leading underscore is a blueprint of Port's own.
        is_ours = not blueprint.startswith("_") and blueprint_fault_of(blueprint) is None
        if not is_ours or not givers or not reports.keys() >= set(givers):
            continue
        fate = fates.get(blueprint)
        found[blueprint] = BlueprintRun(
            blueprint,
            is_complete=all(reports[index].verdict is Verdict.COMPLETE for index in givers)
            and not given_elsewhere(blueprint),
            faults=sum(reports[index].counts["failures"] for index in givers)
            + (0 if fate is None else fate[Fate.REJECTED]),
            given=catalog.seen_count(blueprint),
            created=0 if fate is None else fate[Fate.CREATED],
            keeps_history=any(not resources[index].selector.delete_stale for index in givers),
        )
    return found
