"""A Dask cluster of processes on this machine, for the benches: `workers.py N [--threads T]`. Prints its address."""

from __future__ import annotations

import argparse
import sys

import dask
from distributed import LocalCluster


def main() -> None:
    """Run the scheduler in this process, and each worker in one of its own, until nobody listens any more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workers", type=int)
    parser.add_argument("--threads", type=int, default=1, help="of each worker")
    given = parser.parse_args()
    # A worker that is killed is started anew; the benches kill some more often than anybody's machines fail.
    with (
        dask.config.set({"distributed.admin.tick.limit": "30s"}),
        LocalCluster(given.workers, given.threads, processes=True, dashboard_address=None) as cluster,
    ):
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
