"""`portsync test`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portsync.authoring.coverage import Coverage
from portsync.authoring.suite import load_suite, suites_in
from portsync.authoring.update import updated
from portsync.cli.render import console, print_problems, printable
from portsync.errors import CaseError, ConfigError, Problem
from portsync.logs import Redactor, configure_logs
from portsync.shipped import or_shipped

if TYPE_CHECKING:
    from rich.console import Console

    from portsync.authoring.suite import CaseOutcome, Suite

_PATH = click.Path(path_type=Path)
_ALL_PASSED, _FAILED = 0, 1


@click.command(short_help="Hold mappings to their test cases; no network.")
@click.argument("paths", nargs=-1, type=_PATH, metavar="[PATH]...")
@click.option("--update", "is_update", is_flag=True, help="Write down what failing cases came to as what is expected.")
@click.option("--only", metavar="TEXT", help="Only cases whose name holds this text.")
@click.option("--cov", "is_cov", is_flag=True, help="Name the expressions that no case exercised.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The form of the result.")
def test(paths: tuple[Path, ...], *, is_update: bool, only: str | None, is_cov: bool, form: str) -> None:
    """Run the test cases in PATH: files, or folders with files that end in .test.yaml; by default, this folder.

    Each case gives a mapping the answers of a source, and says which requests and entities come of them.
    Needs no network, no credentials and no Port.

    \b
    Example:
      portsync test mappings
    """
    configure_logs(form=None, level="ERROR", redactor=Redactor())
    files = suites_in([or_shipped(path) for path in paths] or [Path()])
    if not files:
        where = ", ".join(map(str, paths)) or "this folder"
        hint = "write cases into NAME.test.yaml beside NAME.yaml"
        raise CaseError(Problem("no-cases", f"there is no file of test cases in {where}", hint=hint))
    shown = _Shown(form)
    problems: list[Problem] = []
    for file in files:
        try:
            suite = load_suite(file)
            asyncio.run(_run(suite, shown, only, is_update=is_update, is_cov=is_cov))
        except ConfigError as error:
            problems += error.problems
    print_problems(problems)
    if not problems and not shown.count:
        raise CaseError(Problem("no-cases", f"no case has `{only}` in its name"))
    if shown.count:
        shown.end()
    sys.exit(ConfigError.exit_code if problems else _FAILED if shown.failed else _ALL_PASSED)


async def _run(suite: Suite, shown: _Shown, only: str | None, *, is_update: bool, is_cov: bool) -> None:
    """Raises CassetteError."""
    results = {}
    shown.begin(suite)
    async for outcome in suite.outcomes(only):
        index = suite.cases.file.cases.index(outcome.case)
        is_new = is_update and bool(outcome.faults)
        if is_new:
            results[index] = outcome.result
        shown.show(outcome, is_updated=is_new)
    if results:
        try:
            suite.cases.path.write_text(updated(suite.cases, results), encoding="utf-8")
        except OSError as error:
            place = str(suite.cases.path)
            raise CaseError(Problem("unwritable-file", f"cannot be written: {error.strerror}", place)) from error
    if is_cov:
        coverage = Coverage(suite.mapping)
        async for index, page in suite.pages(only):
            coverage.add(index, page)
        shown.cover(coverage)


class _Shown:
    """What a user sees of the cases, as they end."""

    def __init__(self, form: str) -> None:
        self.passed = self.failed = self.updated = 0
        self._out: Console | None = console(sys.stdout) if form == "text" else None
        self._files: list[dict[str, Any]] = []

    @property
    def count(self) -> int:
        return self.passed + self.failed + self.updated

    def begin(self, suite: Suite) -> None:
        self._files.append({"file": str(suite.cases.path), "mapping": str(suite.mapping.path), "cases": []})
        self._print(str(suite.cases.path), "bold")

    def show(self, outcome: CaseOutcome, *, is_updated: bool) -> None:
        """A case, with what is wrong with it."""
        status = "updated" if is_updated else "failed" if outcome.faults else "passed"
        setattr(self, status, getattr(self, status) + 1)
        self._files[-1]["cases"].append(
            {
                "name": outcome.case.name,
                "status": status,
                "faults": list(outcome.faults),
                "verdict": outcome.result.verdict,
            }
        )
        style = {"passed": "green", "failed": "red", "updated": "yellow"}[status]
        self._print(f"  {status}  {outcome.case.name}", style)
        for fault in outcome.faults if status == "failed" else ():
            for line in fault.splitlines():
                self._print(f"          {line}")

    def cover(self, coverage: Coverage) -> None:
        """The expressions that no case exercised."""
        gaps, total = coverage.gaps(), coverage.total()
        self._files[-1]["coverage"] = {"expressions": total, "gaps": gaps}
        self._print(f"  {total} expressions, {len(gaps) or 'no'} gap{'' if len(gaps) == 1 else 's'}")
        for gap in gaps:
            self._print(f"    {gap}")

    def end(self) -> None:
        """The counts."""
        counts = {"passed": self.passed, "failed": self.failed, "updated": self.updated}
        if self._out is None:
            click.echo(json.dumps({"version": 1, **counts, "files": self._files}, indent=2, ensure_ascii=False))
            return
        said = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
        self._print(said or "no case", "red" if self.failed else "green")

    def _print(self, text: str, style: str | None = None) -> None:
        if self._out is not None:
            self._out.print(printable(text), style=style, markup=False)
