"""What a sync is doing right now, on terminals only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from portsync.cli.render import console

if TYPE_CHECKING:
    from types import TracebackType

    from portsync.mapping.source import RateLimit
    from portsync.report import ResourceReport


def forecast(to_come: int, rate_limit: RateLimit | None) -> str:
    """What is still to be asked for, and how long the rate limit makes that take at least."""
    text = f"about {to_come:,} more requests"
    if rate_limit is None:
        return text
    minutes, seconds = divmod(round(to_come * rate_limit.per / rate_limit.requests), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{hours} h" if hours else "",
        f"{minutes} min" if hours or minutes else "",
        "" if hours else f"{seconds} s",
    ]
    return f"{text}, at least {' '.join(filter(None, parts))} at {rate_limit.requests:,} in {rate_limit.per:g} s"


class SyncProgress:
    """One line for each resource on standard error, gone when the report comes. Silent where that is no terminal."""

    def __init__(self, rate_limit: RateLimit | None = None) -> None:
        """`rate_limit` is the source's."""
        self._rate_limit = rate_limit
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
        if report.to_come:
            counts += f"  {forecast(report.to_come, self._rate_limit)}"
        if report.index not in self._tasks:
            self._tasks[report.index] = self._progress.add_task(report.kind, total=None, counts=counts)
        self._progress.update(self._tasks[report.index], counts=counts)
