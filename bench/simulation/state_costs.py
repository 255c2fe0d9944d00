"""What a state in PostgreSQL costs, alone: pages of two sizes, given, accepted, and given again, by one command or by
the worker of a cluster."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from tests.postgres import postgres_server

from portsync.flow import Entity
from portsync.held import HeldEntities
from portsync.state.catalog import Accepted, Catalog
from portsync.state.place import StatePlace
from portsync.state.seen import SeenEntities
from portsync.state.slice_book import SliceBook
from portsync.state.slice_page import SlicePage
from portsync.state.store import joined_state, opened_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SMALL, _LARGE, _ROWS = 100, 500, 40_000
_SLICES = 50
_RESOURCE = "/records#1"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Seconds for entities that are written together: of CPU here, and of waiting for the database."""

    first_wait_s: float
    again_cpu_s: float
    again_wait_s: float


def state_costs() -> dict[str, float]:
    """Those of `Costs` that have to do with it, by their names."""
    with postgres_server() as url:
        place = StatePlace(url=url.replace("postgresql:", "postgresql+psycopg:"), integration="bench")
        small, large = _asked(place, "small", _SMALL), _asked(place, "large", _LARGE)
        few, many = _asked(place, "few", _SMALL, has_claims=True), _asked(place, "many", _LARGE, has_claims=True)
        slice_s = _slice_s(place)
        with opened_state(place) as connection:
            catalog = Catalog(connection, "large", "")
            begun = time.perf_counter()
            assert catalog.unseen_count("bench") == _ROWS  # nothing was given in this run
            assert catalog.seen_count("bench") == 0
            stale_s = (time.perf_counter() - begun) / _ROWS
    with tempfile.TemporaryDirectory() as folder:
        lite_place = StatePlace(Path(folder, "state.db"))
        lite_small, lite = _asked(lite_place, "small", _SMALL), _asked(lite_place, "lite", _LARGE)
    write_s, entity_s = _line(small.again_wait_s, large.again_wait_s)
    more_s, more_entity_s = _line(small.again_cpu_s - lite_small.again_cpu_s, large.again_cpu_s - lite.again_cpu_s)
    python_s, python_entity_s = _line(few.again_cpu_s - small.again_cpu_s, many.again_cpu_s - large.again_cpu_s)
    claim_s, claim_entity_s = _line(few.again_wait_s - small.again_wait_s, many.again_wait_s - large.again_wait_s)
    return {
        # The entries of the entities themselves are among what is fitted for each of them.
        "write_s": _line(lite_small.again_cpu_s, lite.again_cpu_s)[0],
        "state_write_s": write_s,
        "state_entity_s": entity_s,
        "state_sent_s": max(0.0, large.first_wait_s / _LARGE - large.again_wait_s / _LARGE),
        "state_python_s": more_s,
        "state_python_entity_s": more_entity_s,
        "stale_s": stale_s,
        "claim_s": claim_s,
        "claim_entity_s": claim_entity_s,
        "slice_s": slice_s,
        "claim_python_s": python_s,
        "claim_python_entity_s": python_entity_s,
    }


def _line(small_s: float, large_s: float) -> tuple[float, float]:
    """What a page of both sizes takes, and what each of its entities does beyond that."""
    entity_s = max(0.0, (large_s - small_s) / (_LARGE - _SMALL))
    return max(0.0, small_s - entity_s * _SMALL), entity_s


def _asked(place: StatePlace, name: str, page: int, *, has_claims: bool = False) -> _Asked:
    taken = []
    for _ in range(2):
        with ExitStack() as stack:
            connection = stack.enter_context(opened_state(place))
            catalog = Catalog(connection, name, "")
            claim: Callable[[Sequence[Entity]], object] = len
            if has_claims:
                book = SliceBook(connection, catalog.id, catalog.run)
                joined = stack.enter_context(joined_state(place))
                slice_page = SlicePage(joined, catalog.id, catalog.run, book.new())
                catalog = Catalog(joined, name, "", joined=catalog.run, noted=slice_page.note)
                claim = partial(slice_page.claim, 0)
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            for first in range(0, _ROWS, page):
                entities = [_entity(number) for number in range(first, first + page)]
                claim(entities)
                changed = catalog.changed(_RESOURCE, "bench", entities)
                catalog.accept(Accepted(_RESOURCE, "bench", one.identifier, one.digest) for one in changed)
            catalog.close()
            cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
            taken.append((cpu_s * page / _ROWS, (wall_s - cpu_s) * page / _ROWS))
    (_, first_wait_s), (again_cpu_s, again_wait_s) = taken
    return _Asked(first_wait_s, again_cpu_s, again_wait_s)


def _slice_s(place: StatePlace) -> float:
    """What a slice takes by which nothing is written."""
    with opened_state(place) as connection, joined_state(place) as joined:
        catalog = Catalog(connection, "slices", "")
        book = SliceBook(connection, catalog.id, catalog.run)
        begun = time.perf_counter()
        for _ in range(_SLICES):
            number = book.new()
            page = SlicePage(joined, catalog.id, catalog.run, number)
            with HeldEntities(), SeenEntities("report"):
                Catalog(joined, "slices", "", joined=catalog.run, noted=page.note).close()
            assert not list(book.spooled(number))
            book.close(number)
        return (time.perf_counter() - begun) / _SLICES


def _entity(number: int) -> Entity:
    name = f"record-{number:012d}"
    return Entity("bench", name, b"", blake2b(name.encode(), digest_size=16).digest(), 1, number)
