"""One slice of a run, done by a worker: along the same line as everywhere, with what others do told apart."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec
import orjson

from portsync.chains.taken import TakenValues
from portsync.cluster.slices import SliceResult
from portsync.flow import Fate
from portsync.held import HeldEntities
from portsync.into_port import sink_into
from portsync.recheck import Recheck
from portsync.resource_run import ResourceRun, begun_report, run_along, sorter_of
from portsync.showing import Showing
from portsync.state.catalog import Catalog
from portsync.state.slice_page import ClaimedEntities, SlicePage
from portsync.tools import Destination
from portsync.upsert import upserting
from portsync.write import Giver, Writer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from portsync.chains.values import RecordValues
    from portsync.cluster.slices import Slice
    from portsync.cluster.workplace import Workplace
    from portsync.errors import Problem
    from portsync.flow import Entity, Json
    from portsync.jq.variables import Variables
    from portsync.report import ResourceReport
    from portsync.state.slice_page import Counts

HELD, TAKEN, LETTER, EXAMPLE = "held", "taken", "letter", "example"
"""What the pieces are about that a slice spools for its coordinator."""
_AT_ONCE = 500
_GRACE_S = 10.0


class _Letters:
    """Spools what did not make it."""

    def __init__(self, page: SlicePage) -> None:
        self._page = page
        self._kept: list[bytes] = []

    def add(self, problem: Problem, entity: Entity | None) -> None:
        self._kept.append(msgspec.msgpack.encode((problem, entity)))
        if len(self._kept) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        kept, self._kept = self._kept, []
        self._page.spool(LETTER, kept)


class _Examples:
    """Spools raw records."""

    def __init__(self, page: SlicePage) -> None:
        self._page = page

    async def example(self, kind: str, records: Sequence[Json]) -> None:
        self._page.spool(EXAMPLE, [orjson.dumps([kind, list(records)])])


async def work(slice_: Slice, at: Workplace) -> SliceResult:
    """Do a slice. Raises StateLostError where the database cannot be used, or somebody else has been given it."""
    brief, file, index = at.brief, at.mapping.file, slice_.resource
    began = perf_counter()
    page = SlicePage(at.connection, brief.catalog_id, brief.number, slice_.number)
    catalog = Catalog(at.connection, brief.catalog, brief.manner, joined=brief.number, noted=page.note)
    recheck = Recheck(catalog, at.holdings, now=brief.now, every_s=at.settings.compare_every, is_full=brief.is_full)
    for blueprint, known in slice_.known.items():
        recheck.begun(blueprint, known)
    sink = sink_into(at.port, at.holdings, recheck, at.left_alone, file)
    letters, report = _Letters(page), begun_report(index, file, None)
    report.letter = letters.add
    access = at.looked_up.access
    showing = Showing(_Examples(page) if slice_.shows else None, None, access)
    with HeldEntities() as held, TakenValues(file.resources, brief.wanted, access) as taken:
        async with upserting(sink, at.stop, _GRACE_S, at.port.give_up) as upserter, showing:
            writer = Writer(upserter, catalog, recheck, at.relations, held, told=lambda _: None)
            writer.begin(Giver(at.names[index], report))
            tools = at.tools(Destination(sink, None, catalog, recheck))
            among = at.producers, slice_.unread, slice_.awaited
            part = ResourceRun(at.mapping, at.looked_up, taken, showing, tools, writer, report, *among)
            sorter = ClaimedEntities(sorter_of(part), page, index, part.resource.selector.on_conflict)
            await run_along(part, _given(slice_.places), sorter)
        catalog.close()
        letters.flush()
        _spool(page, HELD, (msgspec.msgpack.encode(one) for one in held.waiting()))
        _spool(page, TAKEN, (orjson.dumps(_line(name, record)) for name, record in taken.given_by(index)))
    _count_earlier(page.accepted_before, report, writer.fates)
    took_s = perf_counter() - began
    return SliceResult(report.part(), writer.fates, upserter.down, not part.is_over, took_s, page.attempt)


async def _given(places: Sequence[Variables]) -> AsyncGenerator[Variables]:
    for place in places:
        yield place


def _line(name: str, record: RecordValues) -> Json:
    return [name, record.place, record.values, record.errors]


def _spool(page: SlicePage, about: str, contents: Iterator[bytes]) -> None:
    while some := list(islice(contents, _AT_ONCE)):
        page.spool(about, some)


def _count_earlier(accepted: Counts, report: ResourceReport, fates: dict[str, Counter[Fate]]) -> None:
    """Count what Port accepted of earlier attempts as what it was then: this one found it there, unchanged."""
    for blueprint, counts in accepted.items():
        found = fates.setdefault(blueprint, Counter())
        for fate in (Fate.CREATED, Fate.UPDATED):
            count = min(counts.get(fate, 0), found[Fate.UNCHANGED])
            for counter in (found, report.counts):
                counter[fate] += count
                counter[Fate.UNCHANGED] -= count
