"""A Dask cluster of processes on this machine, for the benches: `workers.py N [--threads T]`. Prints its address."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import dask
from distributed import LocalCluster


def main() -> None:
    """Run the scheduler in this process, and each worker in one of its own, until nobody listens any more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workers", type=int)
    parser.add_argument(
        "--threads", type=int, default=2, help="of each worker: while the slice of one ends, that of another goes on"
    )
    given = parser.parse_args()
    making: Any = LocalCluster
    # Dask looks a hundred times a second at what the threads of a worker do. Slices have none, so it finds out nothing.
    without_profile = dask.config.set({"distributed.worker.profile.enabled": False})
    workers = {"n_workers": given.workers, "threads_per_worker": given.threads}
    with without_profile, making(**workers, dashboard_address=":0") as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
