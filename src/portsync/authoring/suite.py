"""A file of test cases, from its path to what each case came to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portsync.authoring.case_run import CaseResult, pages_of, run_case
from portsync.authoring.cases import ENDING, Environment, load_cases
from portsync.authoring.faults import faults_of
from portsync.errors import CaseError, Problem
from portsync.mapping.loader import parse, read_text
from portsync.plan import plan_source
from portsync.settings import read_settings
from portsync.shipped import or_shipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from portsync.authoring.cases import Case, LoadedCases
    from portsync.authoring.keeper import Kept
    from portsync.authoring.look import SeenPage
    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan

_SECRET_FILE = re.compile(r"\$\{file:[^}\n]*\}")


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """A case, what it came to, and what is wrong with that."""

    case: Case
    result: CaseResult
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of a file, and the mapping that they are about."""

    cases: LoadedCases
    mapping: LoadedMapping

    async def outcomes(self, only: str | None = None) -> AsyncIterator[CaseOutcome]:
        """What each case came to; of those whose name holds `only`, where that is given. Raises CassetteError."""
        for case in self.cases.file.cases:
            if only is None or only in case.name:
                yield await self._outcome(case)

    async def pages(self, only: str | None = None) -> AsyncIterator[tuple[int, SeenPage]]:
        """The pages of all cases, each with the index of its resource. Raises CassetteError."""
        for case in self.cases.file.cases:
            if only is None or only in case.name:
                answers, now, source = self._of(case)
                async for index, page in pages_of(self.mapping, source, answers, now, case.kind or ()):
                    yield index, page

    async def _outcome(self, case: Case) -> CaseOutcome:
        answers, now, source = self._of(case)
        result = await run_case(self.mapping, source, answers, now, case.kind or ())
        return CaseOutcome(case, result, tuple(faults_of(case, result)))

    def _of(self, case: Case) -> tuple[tuple[Kept, ...], datetime, SourcePlan]:
        answers, now, base_url = self.cases.answers(case)
        settings = read_settings({"PORTSYNC_SOURCE_BASE_URL": base_url or self.cases.file.base_url})
        source = plan_source(self.mapping.file, settings)
        # Paths are kept below the base URL that they were asked for with.
        return answers, now, source if base_url is None else replace(source, base_url=base_url)


def load_suite(path: Path) -> Suite:
    """The cases at `path` and their mapping. Raises ConfigError with what is wrong with either."""
    cases = load_cases(path)
    mapping_path = or_shipped(cases.mapping)
    # A test needs no secrets, and so none of the files that hold them.
    text = _SECRET_FILE.sub("test-file", read_text(mapping_path))
    mapping = parse(text, mapping_path, Environment(cases.file.environment))
    known = {resource.kind for resource in mapping.file.resources}
    problems = [
        Problem(
            "unknown-kind",
            f"cases[{index}].kind: no resource of {mapping_path} has the kind `{kind}`",
            str(cases.document.place(("cases", index, "kind"))),
            f"there are {', '.join(sorted(known))}",
        )
        for index, case in enumerate(cases.file.cases)
        for kind in case.kind or ()
        if kind not in known
    ]
    if problems:
        raise CaseError(*problems)
    return Suite(cases, mapping)


def suites_in(paths: list[Path]) -> list[Path]:
    """The files of test cases at `paths`: files, and all below folders, in order."""
    found: dict[Path, None] = {}
    for path in paths:
        for file in sorted(path.rglob(f"*{ENDING}")) if path.is_dir() else [path]:
            found[file] = None
    return list(found)
