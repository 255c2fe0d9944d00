"""Problems and reports for a terminal. JSON forms come from the values themselves."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Literal, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from portsync.logs import Redactor
from portsync.report import MOST_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.errors import Problem
    from portsync.report import Report, ResourceReport

Word = Literal["error", "warning", "note"]

_COLOURS_OF_WORDS = {"error": "red", "warning": "yellow", "note": "blue"}
_COLOURS = {"complete": "green", "incomplete": "red", "skipped": "yellow"}
_COUNTS = ("pages", "records", "created", "updated", "unchanged", "failed")
_NARROW = 115
_SHOWN_PROBLEMS = 20
_SHOWN_ALIKE = 3
_WIDTH_OF_FILES = 200
_LONGEST_KIND = 30


def console(file: TextIO) -> Console:
    """A console for `file`; where that is no terminal, wide enough not to break tables, and without colours."""
    return Console(
        file=file,
        highlight=False,
        emoji=False,  # `file:100:5` is a place, and no picture
        soft_wrap=not file.isatty(),
        width=None if file.isatty() else _WIDTH_OF_FILES,
    )


def print_problems(problems: Sequence[Problem], redactor: Redactor | None = None, *, word: Word = "error") -> None:
    """Show problems on standard error, each with its place, the line that it is about, and what to do."""
    redactor = redactor or Redactor()

    def clean(text: str) -> str:
        return printable(redactor.clean(text))

    err = console(sys.stderr)
    for problem in problems:
        text = f"{_marked(problem, word)}: {escape(clean(problem.message))}"
        where = [part for part in (problem.kind, problem.place) if part]
        if problem.identifier and problem.identifier not in problem.message:
            where.append(f"`{problem.identifier}`")
        if where:
            text += f"\n  [blue]-->[/] {escape(clean(', '.join(where)))}"
        if problem.excerpt:
            text += f"\n{escape(clean(problem.excerpt))}"
        if problem.hint:
            # Hints are our own words; a secret such as `wrong` would take words out of them.
            text += f"\n  [green]hint[/]: {escape(problem.hint)}"
        err.print(text)


def print_in_lines(warnings: Sequence[Problem]) -> None:
    """Show warnings on standard error, each on one line."""
    err = console(sys.stderr)
    for warning in warnings:
        text = " ".join(f"{warning.message} ({warning.place})".split())
        err.print(f"{_marked(warning, 'warning')}: {escape(printable(text))}", soft_wrap=True)


def _marked(problem: Problem, word: Word) -> str:
    return f"[bold {_COLOURS_OF_WORDS[word]}]{word}\\[{escape(problem.code)}][/]"


def printable(text: str) -> str:
    """`text` without control characters: what a server says must not steer the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def print_report(report: Report, redactor: Redactor, file: TextIO | None = None) -> None:
    """Show a report on standard output, or in `file`: what was read, mapped and written, what went wrong, and in the
    last line the whole truth."""
    out = console(file or sys.stdout)
    if report.resources:
        out.print(_table(report, out.width, redactor))
    print_report_problems(report, redactor)
    out.print(redactor.clean(_last_line(report)))


def print_report_problems(report: Report, redactor: Redactor) -> None:
    """Show the problems of a report, some of each kind."""
    shown = report.problems_up_to(_SHOWN_PROBLEMS, alike=_SHOWN_ALIKE)
    print_problems([problem for _, problem in shown], redactor)
    if (more := report.problem_count() - len(shown)) > 0:
        console(sys.stderr).print(f"... and {more:,} more problems; --report FILE writes up to {MOST_PROBLEMS} of them")


def _table(report: Report, width: int, redactor: Redactor) -> Table:
    """The counts of each resource; where there is little room, it goes by its blueprint alone."""
    is_narrow = width < _NARROW
    table = Table(box=None, pad_edge=False, padding=(0, 1 if is_narrow else 2, 0, 0), header_style="bold")
    if not is_narrow:
        table.add_column("resource", no_wrap=True)
    table.add_column("blueprint", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for name in _COUNTS:
        table.add_column(name, justify="right")
    for resource in report.resources:
        colour = _COLOURS[resource.verdict]
        verdict = resource.verdict if resource.reason is None else f"{resource.verdict} ({resource.reason})"
        blueprints = ", ".join(sorted(resource.blueprints))
        counts = resource.counts + Counter(failed=resource.counts["rejected"] + resource.counts["failures"])
        # Cleaned first: of a secret that is cut nobody would know the end again.
        kind = _shortened(redactor.clean(resource.kind))
        names = [blueprints or kind] if is_narrow else [kind, blueprints]
        table.add_row(
            *(escape(name) for name in names),
            f"[{colour}]{escape(verdict)}[/]",
            *(f"{counts[name]:,}" for name in _COUNTS),
        )
    return table


def _shortened(kind: str) -> str:
    """The end of a long path says more than its beginning."""
    return kind if len(kind) <= _LONGEST_KIND else f"…{kind[-_LONGEST_KIND + 1 :]}"


def _last_line(report: Report) -> str:
    totals = report.totals()
    parts = [
        f"{totals['records']:,} records",
        f"{totals['created']:,} created",
        f"{totals['updated']:,} updated",
    ]
    if totals["deleted"]:
        parts.append(f"{totals['deleted']:,} deleted")
    names = (
        "unchanged", "rejected", "failures", "conflicts", "duplicates", "field_errors", "missing_users", "filtered",
    )  # fmt: skip
    more = {name: sum(resource.counts[name] for resource in report.resources) for name in names}
    parts += [f"{number:,} {name.replace('_', ' ')}" for name, number in more.items() if number]
    parts += [f"{d.stale - d.deleted:,} of {d.blueprint} kept ({d.refused})" for d in report.deletions if d.refused]
    unread = [_unread(resource) for resource in report.resources if resource.verdict == "incomplete"]
    seconds = report.finished_at - report.started_at
    line = f"{report.status}: {', '.join(parts)} in {seconds:.1f} s"
    return line + (f"; NOT READ TO THE END: {', '.join(unread)}" if unread else "")


def _unread(resource: ResourceReport) -> str:
    return f"{resource.kind} ({resource.reason}, after page {resource.counts['pages']})"
