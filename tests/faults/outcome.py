"""What was seen of a run, in the words of the page of guarantees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.faults.world import Change, Things

_IN_PORT = {
    ("all", "all"): "as the source",
    ("all", "some"): "all but some deletions",
    ("all", "none"): "all but the deletions",
    ("some", "none"): "some of the changes, nothing deleted",
    ("none", "none"): "as before",
}


@dataclass(frozen=True)
class Outcome:
    """A row of the page, but for what happens."""

    exit_code: int
    said: str
    """What the report says that is out of the ordinary."""
    in_port: str
    """What of the source's changes is there."""
    then: str
    """What the next run does."""


def seen(run: Run, catalog: Things, change: Change, after: Run) -> Outcome:
    """`catalog` is that after the run; `after` is the clean run which follows."""
    return Outcome(run.exit_code, _said(run), _in_port(catalog, change), _then(after))


def _said(run: Run) -> str:
    resources, deletions = run.report["resources"], run.report["deletions"]
    parts = [f"`{r['verdict']}` (`{r['reason']}`)" for r in resources if r["verdict"] != "complete"]
    parts += ["`rejected`" for r in resources if r["rejected"]]
    parts += [f"deletion refused (`{d['refused']}`)" for d in deletions if d["refused"]]
    codes = sorted(set(run.codes))
    return "; ".join([*parts, *([", ".join(f"`{code}`" for code in codes)] if codes else [])]) or "all is well"


def _in_port(catalog: Things, change: Change) -> str:
    written = {name for name in change.changed | change.new if catalog.get(name) == change.after[name]}
    deleted = change.gone - catalog.keys()
    return _IN_PORT[_share(written, change.changed | change.new), _share(deleted, change.gone)]


def _share(done: set[str], wanted: set[str]) -> str:
    return "all" if done == wanted else "some" if done else "none"


def _then(run: Run) -> str:
    totals = run.report["totals"]
    sends = ["sends what is missing"] if totals["created"] + totals["updated"] else []
    deletes = ["deletes what is gone"] if totals["deleted"] else []
    return " and ".join([*sends, *deletes]) or "finds nothing to do"
