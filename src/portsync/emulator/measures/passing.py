"""One pass over a blueprint's entities, for all that is measured of it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.measures.measure import Measure
    from portsync.emulator.workspace import Workspace

_CHUNK = 1000


def measured(
    workspace: Workspace,
    blueprint: Blueprint,
    measures: Sequence[Measure],
    names: Collection[str],
    queried: Collection[str] = (),
) -> None:
    """Let each measure take in the entities that match it. `names` are the properties that one of them reads, `queried`
    those that the queries do, which both may be computed ones.

    Some entities at a time: nobody who writes waits for the whole pass, and nothing holds all of them.
    """
    after = ""
    while True:
        with workspace.snapshot() as session:
            some = list(islice(session.entities.scan(blueprint.identifier, after=after), _CHUNK))
            # A query that reads no computed property is asked of the entities as they are.
            whole = workspace.computing(session).whole(blueprint, some, queried)
            takers = [[measure for measure in measures if measure.matches(entity)] for entity in whole]
            taken = [(entity, each) for entity, each in zip(some, takers, strict=True) if each]
            reading = workspace.reading(session, blueprint, [entity for entity, _ in taken], shows=names.__contains__)
        for (entity, each), printed in zip(taken, reading.printed(), strict=True):
            for measure in each:
                measure.take(printed, entity)
        if len(some) < _CHUNK:
            return
        after = some[-1].identifier
