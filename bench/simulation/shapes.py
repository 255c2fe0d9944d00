"""What is to be synced, from where, to where, and by how many."""

from __future__ import annotations

from dataclasses import dataclass

from bench.workload import USUAL_FIELDS
from portsync.gathered import TOGETHER

BATCH = 20


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    requests: int
    per: float

    @property
    def each_s(self) -> float:
        """Requests in a second."""
        return self.requests / self.per


@dataclass(frozen=True, slots=True)
class Work:
    """The records of one resource."""

    chains: int
    """Values of its path parameter: so many chains of requests."""
    records: int
    """Of each chain."""
    page: int
    """Records of a page."""
    fields: int = USUAL_FIELDS
    """Of a record, and properties of its entity."""
    changed: float = 1.0
    """The share of the entities that are sent: 1 in the first run, 0 in one in which nothing changed."""
    is_again: bool = False
    """Whether a run before has sent them all."""
    parents: int = 0
    """How many of the parameter's values come in one answer; 0: all of them."""

    @property
    def entities(self) -> int:
        return self.chains * self.records

    @property
    def chain_pages(self) -> int:
        """A chain takes a request even where it has nothing."""
        return max(1, -(-self.records // self.page))

    @property
    def written_together(self) -> int:
        """How often entities are looked up in the state: those of a large page, or of so many small ones."""
        page = max(1, min(self.page, self.records))
        return -(-self.entities // (-(-TOGETHER // page) * page))

    @property
    def parent_pages(self) -> int:
        """Requests by which the parameter's values are read."""
        return -(-self.chains // self.parents) if self.parents else 1

    @property
    def requests(self) -> int:
        """To the source: the parents, and all pages."""
        return self.parent_pages + self.chains * self.chain_pages

    @property
    def sent(self) -> int:
        """Entities."""
        return int(self.entities * self.changed)


@dataclass(frozen=True, slots=True)
class Source:
    """How the source answers, and what it allows."""

    latency_s: float = 0.0
    concurrency: int = 10
    budget: Rate | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """How Port answers, and what it allows in a window."""

    latency_s: float = 0.0
    limit: Rate | None = None


@dataclass(frozen=True, slots=True)
class Local:
    """The command on a machine that also runs the loopback source and the loopback Port."""

    cores: int = 2
    has_servers: bool = True
    """Whether the source and Port compute on the same cores."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Workers, each with two cores, one for Python and one for JQ; or all of them on the cores of one machine."""

    workers: int
    cores: int | None = None
    """Of the one machine that everything is on, source, Port and database too; None: each part has its own."""
    slices: int = 1
    """Which a worker does at once."""
    grant_s: float = 0.0015
    """From asking the scheduler for a request to its word, beyond its work."""
    slice_s: float = 5.0
    """What a slice is to take at most."""
    slice_cpu_s: float = 0.002
    """What the coordinator and the scheduler have to do for a slice."""
    database_cores: int = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """A whole sync."""

    work: Work
    source: Source = Source()
    port: Port = Port()
    site: Local | Cluster = Local()
    state: str = "sqlite"
    """Or `postgres`; a cluster always has the latter."""
    name: str = ""
