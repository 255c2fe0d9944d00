"""What a sync is doing right now, on terminals only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from portsync.cli.render import console

if TYPE_CHECKING:
    from types import TracebackType

    from portsync.report import ResourceReport


class SyncProgress:
    """One line for each resource on standard error, gone when the report comes. Silent where that is no terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[counts]}", markup=False),
            TimeElapsedColumn(),
            console=console(sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._tasks: dict[int, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, report: ResourceReport) -> None:
        """Bring the resource's line up to date."""
        sent = sum(report.counts[fate] for fate in ("created", "updated", "unchanged"))
        counts = f"{report.counts['pages']:,} pages  {report.counts['records']:,} records  {sent:,} in Port"
        if report.index not in self._tasks:
            self._tasks[report.index] = self._progress.add_task(report.kind, total=None, counts=counts)
        self._progress.update(self._tasks[report.index], counts=counts)
