"""What `portsync check` costs for a large mapping: of CPU in all and for each line, beside one that is nearly empty.

    ./dev bench check [--resources N] [--rounds N]

The mapping is made up: every resource has 25 lines and a dozen expressions of its own, no two the same. CPU is user and
system of the command's process, the least of all rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from portsync.jq.compile import find_fault
from portsync.mapping.loader import parse

HEAD = """\
source:
  base_url: https://api.example.com
  auth: {type: bearer, token: "${TOKEN:an-invented-token}"}
  pagination: {type: cursor, cursor_path: .next}
resources:
"""
RESOURCE = """\
  - kind: /v1/teams/N/services
    selector:
      query: .status == "active" and .size > N
      query_params:
        since: '{{ now - N * 86400 | todate }}'
        expand: [owner, tags]
      data_path: .data.servicesN
    port:
      entity:
        mappings:
          identifier: .orgN + "/" + .slug
          title: '"Service N: " + .name'
          blueprint: '"service_N"'
          properties:
            status: .status
            size: .sizes[N] | tonumber
            url: '"https://example.com/N/" + (.id | tostring)'
            labels: '[.labels[]? | select(.kind == "N") | .name]'
            created: .created_at | sub("T.*"; " N")
            summary: >-
              .descriptionN
              | split("\\n")
              | first
          relations:
            owner: .ownerN.email
            team: .teamN.slug
"""


def mapping_of(resources: int) -> str:
    """The text of a mapping with so many resources."""
    return HEAD + "".join(RESOURCE.replace("N", str(number)) for number in range(resources))


def cpu_of(arguments: list[str], rounds: int) -> float:
    """Seconds of CPU that `portsync` takes with these arguments, the least of all rounds."""
    least = float("inf")
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "portsync", *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        least = min(least, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return least


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    text = mapping_of(options.resources)
    lines = text.count("\n")
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder, "large.yaml"), Path(folder, "small.yaml")
        large.write_text(text, encoding="utf-8")
        small.write_text(mapping_of(1), encoding="utf-8")
        cpu = cpu_of(["check", str(large)], options.rounds)
        least = cpu_of(["check", str(small)], options.rounds)
        help_cpu = cpu_of(["--help"], options.rounds)
    print(
        f"{options.resources} resources, {lines:,} lines; Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"{'with' if yaml.__with_libyaml__ else 'without'} libyaml\n"
    )
    print(f"portsync --help              {help_cpu:7.3f} s of CPU")
    print(f"check of one resource        {least:7.3f} s")
    print(f"check of all of them         {cpu:7.3f} s")
    print(f"for each further line        {(cpu - least) / (lines - small_lines()) * 1e6:7.1f} us")
    times = lines / small_lines()
    print(f"\nto a mapping of one resource: {cpu / least:.2f} times its cost, for {times:.0f} times the lines")
    started = time.process_time()
    parse(text, Path("large.yaml"), {})
    together = time.process_time() - started
    some = [f".a{number} | tostring" for number in range(200)]
    started = time.process_time()
    for expression in some:
        find_fault(expression)
    alone = (time.process_time() - started) / len(some)
    expressions = 12 * options.resources
    print(f"to {expressions:,} expressions compiled one by one: {expressions * alone / together:.0f} times cheaper")
    return 0


def small_lines() -> int:
    """How many lines the mapping of one resource has."""
    return mapping_of(1).count("\n")


if __name__ == "__main__":
    sys.exit(main())
