"""Proposals as files: a mapping, its blueprints, and test cases that were run before they were written down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portsync.authoring.case_run import run_case
from portsync.authoring.cases import Given, load_cases
from portsync.authoring.discover.commented import Entry, commented_yaml
from portsync.authoring.discover.drafting import draft_blueprint
from portsync.authoring.discover.shortening import below_parent, shortened
from portsync.authoring.update import updated
from portsync.errors import DecodeError, Problem, SettingsError
from portsync.mapping.loader import parse
from portsync.plan import plan_source
from portsync.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from portsync.authoring.case_run import CaseResult
    from portsync.authoring.discover.proposal import Findings, ResourceProposal
    from portsync.flow import Json
    from portsync.masking import Masking

_HEAD = (
    "What the source answered to `portsync discover`, shortened: a few records, secrets masked, and a last page.",
    "`portsync test` runs it; `portsync test --update` writes down anew what is expected.",
)
_LARGEST = 200_000
"""Characters of the answers of a test case; nobody reads a larger one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The files, before they are written."""

    name: str
    """Of the mapping, without its ending."""
    mapping: str
    """The text of the mapping file."""
    environment: Mapping[str, str]
    """Values for its variables, to check it with."""
    now: float
    """The instant of the discovery, in epoch seconds."""


def write_files(folder: Path, findings: Findings, draft: Draft, masking: Masking, *, force: bool) -> list[Path]:
    """Write the mapping and the blueprints into `folder`, and give their paths. Raises SettingsError where one of them,
    or the test cases, would replace a file that is there, unless `force` says so; OSError where a file cannot be
    written."""
    mapping = folder / f"{draft.name}.yaml"
    below = folder / "blueprints" / draft.name
    files = {below / f"{_file_of(one.blueprint)}.json": _json(draft_blueprint(one)) for one in findings.resources}
    there = [path for path in (mapping, cases_file(folder, draft), *files) if path.exists()]
    if there and not force:
        names = ", ".join(str(path) for path in there)
        message = f"{'they exist' if len(there) > 1 else 'it exists'} already: {masking.redactor.clean(names)}"
        raise SettingsError(
            Problem("file-exists", message, "--out", "name another folder, or replace them with --force")
        )
    stale = [path for path in sorted(below.glob("*.json")) if path not in files] if below.is_dir() else []
    if stale:
        message = f"the folder {below} holds blueprints that are none of this mapping's, such as {stale[0].name}"
        raise SettingsError(Problem("file-exists", message, "--out", "remove them, or name another folder"))
    below.mkdir(parents=True, exist_ok=True)
    for path, text in {**files, mapping: draft.mapping}.items():
        path.write_text(masking.redactor.clean(text), encoding="utf-8")
    return [mapping, *files]


def cases_file(folder: Path, draft: Draft) -> Path:
    """Where the test cases go."""
    return folder / f"{draft.name}.test.yaml"


async def write_cases(folder: Path, findings: Findings, draft: Draft, masking: Masking) -> Path | None:
    """Write a test case for each resource whose answers, shortened, the mapping reads to their end; None where there is
    none. Raises MappingError where the mapping has problems, and OSError."""
    moment = datetime.fromtimestamp(draft.now, UTC).replace(microsecond=0)
    loaded = parse(draft.mapping, folder / f"{draft.name}.yaml", draft.environment)
    source = plan_source(loaded.file, read_settings(draft.environment))
    cases: list[list[Entry]] = []
    results: dict[int, CaseResult] = {}
    for resource in findings.resources:
        try:
            given = _given(resource, findings, masking)
        except DecodeError:
            continue
        if len(json.dumps(given)) > _LARGEST:
            continue
        kept = [Given.model_validate(one).kept() for one in given]
        result = await run_case(loaded, source, kept, moment, [resource.kind])
        if result.verdict == "complete" and result.entities and not (result.missed or result.unused or result.failures):
            results[len(cases)] = result
            name = f"{resource.title}: {len(result.entities)} of the records of {resource.kind}"
            cases.append([Entry("name", name), Entry("kind", resource.kind), Entry("given", given)])
    path = cases_file(folder, draft)
    if not cases:
        path.unlink(missing_ok=True)  # one of an earlier discovery would be wrong now
        return None
    head = [Entry("now", moment.isoformat().replace("+00:00", "Z"), _HEAD), Entry("cases", cases)]
    path.write_text(commented_yaml(head), encoding="utf-8")
    path.write_text(updated(load_cases(path), results), encoding="utf-8")
    return path


def _given(resource: ResourceProposal, findings: Findings, masking: Masking) -> list[dict[str, Json]]:
    """Raises DecodeError."""
    if not resource.parents:
        return shortened(resource, masking)
    kind = next(iter(resource.parents.values())).value.kind
    parent = next(one for one in findings.resources if one.kind == kind)
    return below_parent(resource, parent, masking)


def _file_of(blueprint: str) -> str:
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in blueprint)


def _json(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
