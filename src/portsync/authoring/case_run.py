"""One test case through the whole line, with kept answers in place of the source and nothing in place of Port."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from portsync.auth import TokenStore
from portsync.authoring.keeper import Keeper
from portsync.authoring.look import SeenPage, looking
from portsync.authoring.standstill import Standstill
from portsync.flow import BatchResult, Fate, Outcome
from portsync.logs import Redactor
from portsync.running import MappingRun, Order
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.stop import Stop
from portsync.surroundings import SourceWire, Surroundings
from portsync.wiring import offline, source_tools

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from datetime import datetime

    from portsync.authoring.asked import Seen
    from portsync.authoring.keeper import Kept
    from portsync.errors import Problem
    from portsync.flow import Batch, Json
    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan
    from portsync.report import ResourceReport


@dataclass
class CollectingSink:
    """Keeps the entities as Port would hold them afterwards, and sends nothing."""

    is_merge: bool
    """Whether what an entity had before, and is not sent again, stays."""
    writes = False
    held: dict[tuple[str, str], dict[str, Json]] = field(default_factory=dict)
    """Each entity with its blueprint, in the order in which they came first."""

    def at_once(self, _blueprint: str) -> int:
        """As many as there are in a case."""
        return 1_000

    async def upsert(self, batch: Batch) -> BatchResult:
        """Keep a batch."""
        for entity in batch.entities:
            key, body = (entity.blueprint, entity.identifier), orjson.loads(entity.body)
            before = self.held.get(key, {}) if self.is_merge else {}
            sections = {name: {**before.get(name, {}), **body.get(name, {})} for name in ("properties", "relations")}
            self.held[key] = {"blueprint": entity.blueprint, **before, **body, **sections}
        return BatchResult(tuple(Outcome(entity, Fate.CREATED) for entity in batch.entities))


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case came to."""

    requests: tuple[Seen, ...]
    missed: tuple[Seen, ...]
    """Requests that no answer was given for."""
    unused: tuple[int, ...]
    """The indexes of answers that no request got."""
    verdict: str
    """`complete`, or the worst of what the resources came to: `incomplete (loop)`."""
    entities: tuple[dict[str, Json], ...]
    failures: tuple[str, ...]
    field_errors: int
    problems: tuple[Problem, ...]
    """Everything that the report says is wrong."""


async def run_case(
    mapping: LoadedMapping,
    source: SourcePlan,
    answers: Sequence[Kept],
    now: datetime,
    kinds: Sequence[str] = (),
) -> CaseResult:
    """What `mapping` makes of the answers."""
    keeper, sink = Keeper(answers, source.base_url), CollectingSink(mapping.file.enable_merge_entity)
    around, one_by_one = _kept_side(source, keeper, now)
    order = Order(frozenset(kinds), sink=sink, keeps_state=False)
    run = MappingRun(mapping, one_by_one, around, order, Stop(), TokenStore(None))
    report = await run.run()
    return CaseResult(
        tuple(keeper.requests),
        tuple(keeper.missed),
        tuple(keeper.unused),
        _verdict(report.resources),
        tuple(sink.held.values()),
        tuple(message for resource in report.resources for message in _failures(resource)),
        sum(resource.counts["field_errors"] for resource in report.resources),
        (*report.problems, *(problem for resource in report.resources for problem in resource.problems)),
    )


async def pages_of(
    mapping: LoadedMapping, source: SourcePlan, answers: Sequence[Kept], now: datetime, kinds: Sequence[str] = ()
) -> AsyncGenerator[tuple[int, SeenPage]]:
    """The pages that the answers make, each with the index of its resource."""
    around, one_by_one = _kept_side(source, Keeper(answers, source.base_url), now)
    async with (
        source_tools(mapping, one_by_one, around, TokenStore(None)) as tools,
        looking(mapping, one_by_one, tools, around.runtime.clock) as look,
    ):
        for index, resource in enumerate(mapping.file.resources):
            if kinds and resource.kind not in kinds:
                continue
            async with aclosing(look.pages(index)) as pages:
                async for page in pages:
                    if isinstance(page, SeenPage):
                        yield index, page


def _kept_side(source: SourcePlan, keeper: Keeper, now: datetime) -> tuple[Surroundings, SourcePlan]:
    """What a run needs that reads kept answers, and takes them in their order."""
    clock = Standstill(now.timestamp())
    environment = {"PORTSYNC_STATE": "none", "PORTSYNC_JQ_WORKERS": "1"}
    runtime = Runtime(environment, clock.now, clock.sleep, lambda: 0.5)
    around = Surroundings(read_settings(environment), runtime, Redactor(), SourceWire(keeper.wire()))
    return around, replace(offline(source), concurrency=1)


def _verdict(resources: Sequence[ResourceReport]) -> str:
    whole = next((r for r in resources if r.reason is not None), None)
    if whole is None:
        return "complete"
    return f"{whole.verdict} ({whole.reason})"


def _failures(resource: ResourceReport) -> list[str]:
    """What the report says of single records."""
    ends: list[Any] = [] if resource.worst is None or resource.worst.problem is None else [resource.worst.problem]
    of_ends = {(problem.code, problem.message, problem.place) for problem in ends}
    return [
        problem.message
        for problem in resource.problems
        if problem.code != "field-error" and (problem.code, problem.message, problem.place) not in of_ends
    ]
