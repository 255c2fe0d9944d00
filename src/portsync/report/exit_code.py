"""The exit code of a run that came to its end (the docs hold the table of exit codes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.flow import OF_THE_SOURCE, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.errors import PortSyncError
    from portsync.reconcile import Deletion
    from portsync.report.resource import ResourceReport


def exit_code_of(
    resources: Sequence[ResourceReport],
    deletions: Sequence[Deletion] = (),
    *,
    stopped: int | None = None,
    down: PortSyncError | None = None,
    is_strict: bool = False,
) -> int:
    """`stopped` is the exit code of a run that a signal ended, `down` says why nothing more could be written.

    `is_strict`: skipped resources and field errors make the run partial, too.
    """
    if any(resource.reason == "bug" for resource in resources):
        return 70
    if stopped is not None:
        return stopped
    if down is not None:
        accepted = sum(resource.counts[fate] for resource in resources for fate in ("created", "updated"))
        return 1 if accepted else down.exit_code
    if resources and all(_was_unusable(resource) for resource in resources):
        return 3
    whole = all(resource.is_whole for resource in resources)
    lax = any(r.verdict is Verdict.SKIPPED or r.counts["field_errors"] for r in resources)
    kept = any(deletion.is_partial for deletion in deletions)
    return 0 if whole and not kept and not (is_strict and lax) else 1


def _was_unusable(resource: ResourceReport) -> bool:
    """Whether the source could not be used for it at all: not reached, or refused (401, 403) from the start."""
    if resource.verdict is not Verdict.INCOMPLETE or resource.counts["pages"] or resource.was_answered:
        return False
    refused = any(p.code == "source-refused" for p in resource.problems)
    return resource.reason in OF_THE_SOURCE or refused
