"""Whether runs may be killed: `./dev bench kills [--kills N] [--seed N]`.

Runs of `portsync sync` are killed at random moments while the source changes, most of them in the middle of writing
and deleting. After each nothing may be gone that the source has; after every few a run is left alone, and the catalog
has to equal the source then. A traceback and exit code 1 where that is not so.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from signal import SIGKILL

from tests.faults.storm import brewing


def main() -> None:
    """Kill, and print how it went."""
    parser = argparse.ArgumentParser(prog="./dev bench kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of chance; the time by default")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, brewing(Path(folder), wanted.seed) as storm:
        storm.heal()
        runs = sum(1 for _ in storm.rage(wanted.kills, (SIGKILL,)))
    when = ", ".join(f"{count} by `{kind}`" for kind, count in sorted(storm.strikes.items()))
    print(
        f"{storm.strikes.total()} of {runs} runs were killed ({when}) in {time.monotonic() - begun:.0f} s; nothing was "
        f"lost, and after each of {storm.healed} runs in between the catalog was equal to the source"
    )


if __name__ == "__main__":
    main()
