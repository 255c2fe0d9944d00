"""The output of `sync --sink jsonl`: a file, or standard output."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from portsync.sinks.jsonl import JsonlSink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portsync.sinks.base import Sink


def check_output(to: str, output: Path | None, form: str) -> None:
    """Raises UsageError where the options about the output do not go together, or the file cannot be written."""
    if to == "port" and output is not None:
        raise click.UsageError("--output goes with --sink jsonl; the report is written with --report FILE")
    if to == "jsonl" and output is None and form == "json":
        raise click.UsageError(
            "the entities and the report cannot both go to standard output: name a file for the entities with "
            "--output, or leave --format json out and write the report with --report"
        )
    if output is not None:
        try:
            output.open("ab").close()
        except OSError as error:
            raise click.BadParameter(f"--output {output}: {error.strerror}") from error


@contextmanager
def opened_sink(to: str, output: Path | None) -> Iterator[Sink | None]:
    """The sink that the options name; None where that is Port. A file is emptied."""
    if to == "port":
        yield None
    elif output is not None:
        with output.open("wb") as file:
            yield JsonlSink(file.fileno(), str(output))
    else:
        if sys.__stdout__ is None:
            raise click.UsageError("standard output is closed: name a file with --output")
        # The sink writes past Python's own buffer, in which nothing may wait.
        sys.__stdout__.flush()
        yield JsonlSink(sys.__stdout__.fileno(), "standard output")
