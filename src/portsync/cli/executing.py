"""Who does the work of a command: `--executor` and `--scheduler`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from portsync.errors import Problem, SettingsError
from portsync.state.place import state_place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from portsync.cluster.cluster import Cluster
    from portsync.runtime import Runtime
    from portsync.settings import Settings


def executor_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add both options to a command."""
    executor = click.option(
        "--executor", type=click.Choice(["local", "dask"]), help="Who reads and writes: this process, or a cluster."
    )
    scheduler = click.option(
        "--scheduler", metavar="ADDRESS", help="Of Dask's scheduler, such as tcp://scheduler:8786."
    )
    return executor(scheduler(command))


def opened_cluster(
    settings: Settings, runtime: Runtime, executor: str | None, scheduler: str | None
) -> AbstractAsyncContextManager[Cluster] | None:
    """What opens the cluster that is to do the work; None where this process does it. Raises SettingsError."""
    chosen, address = executor or settings.executor, scheduler or settings.scheduler
    if chosen == "local":
        if scheduler is not None:
            raise click.UsageError("--scheduler goes with --executor dask")
        return None
    if address is None:
        raise click.UsageError("--executor dask needs --scheduler ADDRESS, or PORTSYNC_SCHEDULER")
    if state_place(settings, "any").url is None:
        message = "workers of a cluster need a state that all of them can reach"
        hint = "set PORTSYNC_STATE to a PostgreSQL database: postgresql://user:password@host/database"
        raise SettingsError(Problem("cluster-state", message, "PORTSYNC_STATE", hint))
    if runtime.cluster is not None:
        return runtime.cluster(address)
    try:
        from portsync.cluster.dask import dask_cluster  # noqa: PLC0415 - an extra that only this needs
    except ModuleNotFoundError as error:
        hint = "install it: pip install 'portsync[dask,postgres]'"
        raise SettingsError(Problem("no-cluster", f"{error.name} is not installed", "--executor", hint)) from error
    return dask_cluster(address)


def mapping_files(paths: Sequence[Path]) -> list[Path]:
    """The mapping files that are named, and those in folders that are named. Raises click's error where a folder has
    none."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(one for one in path.iterdir() if _is_mapping(one))
        if not inside:
            raise click.UsageError(f"the folder {path} has no mapping files (*.yaml, *.yml)")
        found += inside
    return found


def _is_mapping(path: Path) -> bool:
    return path.suffix in (".yaml", ".yml") and not path.stem.endswith(".test") and path.is_file()
