"""What the JQ engine costs: beside the bare program, beside one JQ run for each field, and with one and two workers.

    ./dev bench jq [--pages N]

All ratios are of one run. CPU is that of this process, user and system; the workers are timed by the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jq
import yaml

from portsync.jq.compile import normalised
from portsync.jq.pool import JqPool
from portsync.jq.process import Limits
from portsync.jq.program import EntityExpressions, PageProgram
from portsync.jq.records import encoded_variables
from portsync.jq.worker import run

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS = 500
"""Of a page."""
MAPPING = Path(__file__).parent.parent / "mappings" / "claude.yaml"
VIEW = 1
"""The mapping of a user's day: 14 properties, a title, a relation."""


def record(number: int) -> dict[str, Any]:
    """One user's day, as the source document's API gives it."""
    return {
        "organization_id": "org_01",
        "organization_name": "Acme",
        "date": f"2026-10-{1 + number % 28:02d}",
        "user_id": f"user_{number:06d}",
        "user_email": f"user{number}@acme.example",
        "total_requests": 100 + number % 90,
        "successful_requests": 90 + number % 90,
        "input_tokens": 120_000 + number,
        "output_tokens": 40_000 + number,
        "cache_read_input_tokens": 9_000,
        "cache_creation_input_tokens": 800,
        "cost_usd": 1.25,
        "model_breakdown": {"claude-opus-4": 60, "claude-haiku-4": 40},
    }


def expressions() -> EntityExpressions:
    """The shipped mapping's own expressions."""
    resource = yaml.safe_load(MAPPING.read_text(encoding="utf-8"))["resources"][VIEW]
    mapping = resource["port"]["entity"]["mappings"]
    return EntityExpressions(**mapping)


def cpu_per_record(acts: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Microseconds of CPU for one record, of each act: the least of several rounds in which all take turns."""
    least = dict.fromkeys(acts, float("inf"))
    for _ in range(rounds):
        for name, act in acts.items():
            started = time.process_time()
            act()
            least[name] = min(least[name], (time.process_time() - started) / RECORDS * 1e6)
    return least


def one_run_for_each_field(mapping: EntityExpressions, records: list[dict[str, Any]]) -> Callable[[], object]:
    """What Ocean does: each expression compiled once, and run by itself on every record."""
    texts = [
        mapping.identifier,
        mapping.blueprint,
        mapping.title,
        *mapping.properties.values(),
        *mapping.relations.values(),
    ]
    programs = [jq.compile(normalised(text)) for text in texts if isinstance(text, str)]
    return lambda: [[program.input_value(item).first() for program in programs] for item in records]


def bare_program(mapping: EntityExpressions) -> str:
    """The least that JQ can do: the entity of every record, and nothing about it."""
    fields = ", ".join(f"{json.dumps(name)}: ({normalised(text)})" for name, text in mapping.properties.items())
    return (
        f".data[] | {{identifier: ({mapping.identifier}), title: ({mapping.title}), blueprint: ({mapping.blueprint}), "
        f"properties: {{{fields}}}, relations: {{user: .user_email}}}} | tojson"
    )


async def pages_per_second(programs: tuple[str, str], body: bytes, workers: int, pages: int) -> float:
    """How many pages a second that many workers map."""
    async with JqPool(Limits(timeout_s=60), workers) as pool:
        variables = encoded_variables()
        await asyncio.gather(*(pool.run(programs, variables, body) for _ in range(2 * workers)))
        started = time.perf_counter()
        await asyncio.gather(*(pool.run(programs, variables, body) for _ in range(pages)))
        return pages / (time.perf_counter() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=40, help=f"pages of {RECORDS} records for each measurement")
    pages = parser.parse_args().pages
    records = [record(number) for number in range(RECORDS)]
    body = json.dumps({"data": records}).encode()
    mapping = expressions()
    program = PageProgram(".data", "true", (mapping,))
    programs = program.fast(0.0), program.guarded(0.0)
    compiled = [[jq.compile(text, args={"context": {}})] for text in programs]
    framed = encoded_variables() + b"\n" + body
    bare = jq.compile(bare_program(mapping))
    costs = cpu_per_record(
        {
            "bare page program": lambda: "\n".join(bare.input_text(body.decode())).encode(),
            "portsync's program": lambda: run(compiled[0], framed),
            "portsync's guarded program": lambda: run(compiled[1], framed),
            "one run for each field": one_run_for_each_field(mapping, records),
        },
        pages,
    )
    print(
        f"the mapping of a user's day in {MAPPING.name}, pages of {RECORDS} records; "
        f"Python {platform.python_version()}, {os.cpu_count()} cores\n"
    )
    for name, cost in costs.items():
        print(f"{name:<28} {cost:7.1f} us of CPU a record")
    ours = costs["portsync's program"]
    print(f"\nto the bare program: {ours / costs['bare page program']:.2f} times its cost")
    print(f"to one run for each field: {costs['one run for each field'] / ours:.1f} times cheaper")
    one, two = (asyncio.run(pages_per_second(programs, body, workers, 4 * pages)) for workers in (1, 2))
    print(f"two workers to one: {two / one:.2f} times the pages a second ({two:.0f} and {one:.0f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
