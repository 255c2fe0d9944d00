"""A large organisation's Claude usage, from the sample source into a local Port: `./dev bench claude [--days N] ...`.

The real command runs `mappings/claude-admin.yaml` and `mappings/claude-analytics.yaml`. What Port holds afterwards is
held against sums of the days as they were drawn, and the requests against what the documentation says of pages. Exit
code 1 where a number differs, a request is too many or too few, or a run is not whole.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from tests.demo.implied import Counted, numbers_of, requests_of

from bench.runs import BenchError, timed_sync
from portsync.blueprints import read_blueprints
from portsync.demo.admin.holdings import Generation, holdings
from portsync.demo.admin.source import create_admin_source
from portsync.demo.books import Books
from portsync.demo.models import sample_models
from portsync.demo.organization import sample_keys
from portsync.demo.users import sample_users
from portsync.emulator.app import create_app
from portsync.loopback import serving
from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from bench.runs import Taken

_KEY = "sk-ant-admin01-bench"


def main() -> None:
    """Run both mappings and print what came of them."""
    parser = argparse.ArgumentParser(prog="./dev bench claude", description=__doc__.partition("\n")[0])
    for name, default in (("days", 90), ("users", 200), ("models", 12), ("keys", 40)):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"default {default}")
    parser.add_argument("--only", type=Generation, choices=list(Generation), help="one of the two mappings")
    asked = parser.parse_args()
    books = Books(
        today=datetime.now(UTC).date(),
        days=asked.days,
        users=sample_users(asked.users),
        models=sample_models(asked.models),
        keys=sample_keys(asked.keys),
    )
    print(f"{asked.days} days, {asked.users} users, {asked.models} models, {asked.keys} keys")
    faults = [fault for each in ([asked.only] if asked.only else Generation) for fault in _bring(books, each)]
    for fault in faults:
        print(f"claude: {fault}", file=sys.stderr)
    sys.exit(bool(faults))


def _bring(books: Books, generation: Generation) -> list[str]:
    """Bring `books` into an empty Port, and say what is wrong with what came."""
    counted = Counted(create_admin_source(key=_KEY, books=books))
    port = create_app(client_id="bench", client_secret="bench-secret", users=[user.email for user in books.users])
    shipped = shipped_folder()
    with tempfile.TemporaryDirectory() as name, serving(counted) as source_url, serving(port) as port_url:
        mapping = Path(name) / f"claude-{generation}.yaml"
        mapping.write_bytes((shipped / "mappings" / mapping.name).read_bytes())
        with httpx.Client(base_url=f"{port_url}/v1", trust_env=False, timeout=120) as client:
            keys = {"clientId": "bench", "clientSecret": "bench-secret"}
            token = client.post("/auth/access_token", json=keys).json()["accessToken"]
            client.headers["authorization"] = f"Bearer {token}"
            for blueprint in read_blueprints(shipped / "blueprints" / "claude"):
                client.post("/blueprints", json=blueprint).raise_for_status()
            own = {"ANTHROPIC_BASE_URL": source_url, "ANTHROPIC_ADMIN_KEY": _KEY, "PORTSYNC_STATE": "none"}
            days = {"CLAUDE_DAYS": str(len(books.held_days())), "PORTSYNC_INITIALIZE_RESOURCES": "false"}
            try:
                taken = timed_sync(mapping, port_url, **own, **days)
            except BenchError as error:
                return [str(error)]
            expected = holdings(books, generation)
            held = {
                blueprint: numbers_of(_entities(client, blueprint), entities)
                for blueprint, entities in expected.items()
            }
    implied = requests_of(books, generation)
    faults = [f"{b}: Port holds other numbers than were drawn" for b in held if held[b] != expected[b]]
    if counted.asked != implied:
        faults.append("the pages that the documentation implies are asked for in another number of requests")
    _print(generation, taken, counted, implied)
    print("  every number is that of the drawn days" if held == expected else "  NOT every number is that of the days")
    return [f"claude-{generation}.yaml: {fault}" for fault in faults]


def _entities(client: httpx.Client, blueprint: str) -> dict[str, Any]:
    query = {"exclude_calculated_properties": "true"}
    found = client.get(f"/blueprints/{blueprint}/entities", params=query).raise_for_status().json()["entities"]
    return {entity["identifier"]: entity for entity in found}


def _print(generation: Generation, taken: Taken, counted: Counted, implied: dict[str, int]) -> None:
    totals = taken.report["totals"]
    verdicts = sorted({resource["verdict"] for resource in taken.report["resources"]})
    print(f"\nclaude-{generation}.yaml: {', '.join(verdicts)}")
    print(
        f"  {totals['created']:,} entities from {totals['records']:,} records; every number is that of the drawn days"
    )
    for path, count in implied.items():
        print(f"  {counted.asked[path]:>5} of {count:>5} requests  {path}")
    print(f"  {sum(counted.asked.values()):>5} of {sum(implied.values()):>5} requests in all")
    print(
        f"  {taken.cpu_s:.1f} s of CPU, {taken.wall_s:.1f} s; {taken.main_mb:.0f} MB, and {taken.worker_mb:.0f} of JQ"
    )


if __name__ == "__main__":
    main()
