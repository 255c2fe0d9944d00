"""The exit code of a run that came to its end (the docs hold the table of exit codes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.flow import OF_THE_SOURCE, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.reconcile import Deletion
    from portsync.report.resource import ResourceReport


def exit_code_of(
    resources: Sequence[ResourceReport],
    deletions: Sequence[Deletion] = (),
    *,
    conflicts_count: Sequence[bool],
    is_strict: bool = False,
) -> int:
    """0, 1 or 3.

    `conflicts_count` says for each resource whether a conflict makes the run partial; `is_strict` that skipped
    resources and field errors do too.
    """
    if resources and all(_was_unusable(resource) for resource in resources):
        return 3
    whole = all(resource.is_whole for resource in resources)
    conflicted = any(r.counts["conflicts"] and counts for r, counts in zip(resources, conflicts_count, strict=True))
    lax = any(r.verdict is Verdict.SKIPPED or r.counts["field_errors"] for r in resources)
    kept = any(deletion.is_partial for deletion in deletions)
    return 0 if whole and not conflicted and not kept and not (is_strict and lax) else 1


def _was_unusable(resource: ResourceReport) -> bool:
    """Whether the source could not be used for it at all: not reached, or refused (401, 403) from the start."""
    if resource.verdict is not Verdict.INCOMPLETE or resource.counts["pages"] or resource.was_answered:
        return False
    refused = any(p.code == "source-refused" for p in resource.problems)
    return resource.reason in OF_THE_SOURCE or refused
