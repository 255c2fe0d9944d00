"""The tables of docs/explanation/scale.md: `./dev bench simulate --scale` writes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.simulation.forecast import forecast
from bench.simulation.shapes import BATCH, Cluster, Local, Port, Rate, Shape, Source, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.simulation.costs import Costs
    from bench.simulation.forecast import Forecast

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "scale.md"
_BEGIN, _END = "<!-- the tables of scale: written by ./dev bench simulate --scale -->\n", "<!-- their end -->\n"

ENTITIES = (10_000, 1_000_000, 10_000_000, 100_000_000)
SITES: tuple[Local | Cluster, ...] = (Local(has_servers=False), *(Cluster(workers) for workers in (1, 10, 100, 1_000)))
RECORDS, RECORD_PAGE, PARENTS = 1_000, 100, 100
PORT = Port(latency_s=0.15, limit=Rate(35_000, 300))
SOURCES = {
    "A source that allows 10 requests at once and 50 in a second": Source(0.1, 10, Rate(50, 1)),
    "A source that allows 1,000 requests at once": Source(0.1, 1_000),
}
RUNS = {"first": (1.0, False), "1 % changed": (0.01, True), "nothing changed": (0.0, True)}
_PAGES = 2_000
"""With fewer than twice as many, each page is played for itself."""
_LITTLE = 0.02
_LIMITS = {
    "source (concurrency)": "source",
    "source (budget)": "budget",
    "CPU (Python)": "CPU",
    "CPU (JQ)": "CPU",
    "waiting": "waiting",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table."""

    source: str
    entities: int
    run: str

    def shape(self, site: Local | Cluster) -> Shape:
        """The sync in one of its columns."""
        changed, is_again = RUNS[self.run]
        work = Work(self.entities // RECORDS, RECORDS, RECORD_PAGE, changed=changed, is_again=is_again, parents=PARENTS)
        return Shape(work, SOURCES[self.source], PORT, site)

    def forecasts(self, costs: Costs) -> list[Forecast]:
        """What each column will take."""
        shapes = [self.shape(site) for site in SITES]
        return [forecast(shape, costs, grain=grain_of(shape, costs)) for shape in shapes]

    def text(self, costs: Costs) -> str:
        """The line."""
        found = self.forecasts(costs)
        cells = [f"{duration(one.wall_s)}, {_LIMITS.get(one.held_up_by, one.held_up_by)}" for one in found]
        requests, writes = {one.requests for one in found}, max(one.writes for one in found)
        return f"| {self.entities:,} | {self.run} | {max(requests):,} | {writes:,} | {' | '.join(cells)} |\n"


ROWS = tuple(Row(source, entities, run) for source in SOURCES for entities in ENTITIES for run in RUNS)


def grain_of(shape: Shape, costs: Costs) -> int:
    """For how many chains one is played: a divisor of their number, so that none is played in vain, and so few that one
    of them takes little of the whole."""
    work, source = shape.work, shape.source
    at_least_s = max(
        work.requests * source.latency_s / source.concurrency,
        0.0 if source.budget is None else work.requests / source.budget.each_s,
        # All of a window may be used up at once.
        0.0 if shape.port.limit is None else work.sent // BATCH // shape.port.limit.requests * shape.port.limit.per,
        0.0 if isinstance(shape.site, Local) else work.requests * costs.granting_s,
    )
    most = min(work.requests // _PAGES, int(at_least_s * _LITTLE / (work.chain_pages * source.latency_s)))
    return max((grain for grain in range(1, most + 1) if work.chains % grain == 0), default=1)


def duration(seconds: float) -> str:
    """In words, as exactly as a forecast deserves."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.2g} {unit}" if seconds < 10 * length else f"{seconds / length:.0f} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def with_tables(text: str, costs: Costs, told: Callable[[str], None] = lambda _: None) -> str:
    """The page's text with the tables as they have to be."""
    head, begin, rest = text.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    assert begin, f"{PAGE} has no place for the tables"
    assert end, f"{PAGE} has no place for the tables"
    lines: list[str] = []
    for source in SOURCES:
        columns = ["one machine", "1 worker", *(f"{site.workers:,}" for site in SITES[2:] if isinstance(site, Cluster))]
        lines += [
            f"### {source}\n\n",
            f"| entities | run | requests | writes | {' | '.join(columns)} |\n",
            f"|{'---|' * (4 + len(columns))}\n",
        ]
        for row in ROWS:
            if row.source == source:
                told(f"{row.entities:,}, {row.run}")
                lines.append(row.text(costs))
        lines.append("\n")
    return f"{head}{begin}\n{''.join(lines)}{end}{tail}"


def write(costs: Costs, told: Callable[[str], None]) -> None:
    """Write the tables anew, and print them."""
    text = with_tables(PAGE.read_text(encoding="utf-8"), costs, told)
    PAGE.write_text(text, encoding="utf-8")
    print(text.partition(_BEGIN)[2].partition(_END)[0])
