"""How each resource of a run goes, for Port's page of a resync, in the form of Port's Ocean framework
(`helpers/metric/metric.py`).

Nothing here may cost a run anything. Each request is tried once, beside the run; after the first that fails nothing
more is sent in this run; and the end waits for a moment only.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from portsync.errors import PortError, SendError
from portsync.integration import status_of
from portsync.port.ingest import ingest_url, is_ports_own

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from portsync.flow import Json
    from portsync.integration import Installation
    from portsync.logs import Redactor
    from portsync.port.ingest import Ingest
    from portsync.report import Report, ResourceReport

State = Literal["syncing", "completed", "failed", "aborted"]
"""How something goes, in Ocean's words."""

_PATIENCE_S = 3.0
_RECONCILIATION = "__reconciliation__"
_RUNTIME = "__runtime__"
"""Ocean's names of what is no kind: the deletions, and the run as a whole."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Whom metrics are about, and what they look like."""

    run_id: str
    installation: Installation
    blueprints: Sequence[str]
    """The expression of each resource's blueprint: Ocean sends it as it is written."""
    redactor: Redactor

    def of_kind(self, report: ResourceReport, state: State, took_s: float) -> dict[str, Json]:
        """The metrics of one resource. What was extracted is what was transformed, filtered out and failed; what was
        transformed is what was loaded, skipped and failed, once all of it has been sent."""
        kind = self.redactor.clean(report.kind.encode(errors="replace").decode())
        counts = report.counts
        phases = {
            "resync": _lasted(state, took_s),
            "extract": _counted(raw_extracted=counts["records"]),
            "transform": _counted(
                transformed=counts["entities"] + counts["duplicates"],
                filtered_out=counts["filtered"],
                failed=counts["failures"],
            ),
            "load": _counted(
                loaded=counts["created"] + counts["updated"],
                # What was there already, in Port or earlier in the run, is not sent.
                skipped=counts["unchanged"] + counts["duplicates"],
                failed=counts["rejected"],
            ),
        }
        named = {"kindIdentifier": f"{kind}-{report.index}", "kind": kind, "kindIndex": report.index}
        return self._metrics(named, state, phases, self.blueprints[report.index])

    def of_deletions(self, report: Report) -> dict[str, Json]:
        """What a run deleted, and whether it kept anything that it was not asked to keep."""
        state: State = "failed" if any(deletion.is_partial for deletion in report.deletions) else "completed"
        if status_of(report.exit_code) == "aborted":
            state = "aborted"
        deleted = sum(deletion.deleted for deletion in report.deletions)
        phases = {"resync": {"success": int(state == "completed")}, "delete": _counted(deleted=deleted)}
        return self._metrics(_named(_RECONCILIATION), state, phases)

    def of_run(self, report: Report) -> dict[str, Json]:
        """How a run went as a whole."""
        state = status_of(report.exit_code)
        phases = {"resync": _lasted(state, report.finished_at - report.started_at)}
        return self._metrics(_named(_RUNTIME), state, phases)

    def _metrics(
        self, named: Mapping[str, Json], state: State, phases: Mapping[str, Json], blueprint: str = ""
    ) -> dict[str, Json]:
        return {
            "integrationType": self.installation.type,
            # Ocean's words for what runs on machines of the user's, in one process.
            "installationType": "OnPrem",
            "executionMode": "single_process",
            "integrationIdentifier": self.installation.identifier,
            "integrationVersion": self.installation.version,
            # There is no Ocean here: the program that runs is of this version.
            "oceanVersion": self.installation.version,
            **named,
            "eventId": self.run_id,
            "syncState": state,
            "blueprint": blueprint,
            "metrics": {"phase": dict(phases)},
        }


class SyncMetrics:
    """The metrics of a run: `begin`, `note` whenever a resource begins or ends, `end`. None of them raises a PortError
    or SendError, and `end` alone waits, for `patience_s` seconds at most."""

    def __init__(
        self,
        telling: Telling,
        api: str,
        opened: Callable[[str], AbstractAsyncContextManager[Ingest]],
        clock: Callable[[], float],
        log: Any,
        *,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """`api` is the URL of Port's API, `opened` opens what sends to the URL that Port names, `clock` gives epoch
        seconds, and `log` says which run it is."""
        self._telling = telling
        self._api = api
        self._opened = opened
        self._clock = clock
        self._log = log
        self._patience_s = patience_s
        self._stack = AsyncExitStack()
        self._ingest: Ingest | None = None
        """What sends; None where there is no URL for it, and after a failure."""
        self._began: dict[int, float] = {}
        self._took: dict[int, float] = {}
        self._waiting: dict[int, dict[str, Json]] = {}
        """What is still to be said of each resource. Who was too slow for what came before needs it no more."""
        self._sending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait({self._sending})
        await self._stack.aclose()

    async def begin(self, integration: Mapping[str, Any]) -> None:
        """Learn from the integration, as Port has it, where metrics go. Where it does not say, or says an address that
        is not Port's own, none are sent."""
        url = ingest_url(integration)
        if url is None:
            return
        if is_ports_own(url, self._api):
            self._ingest = await self._stack.enter_async_context(self._opened(url))
        else:
            self._say_refused("the address that Port names for metrics is none of Port's own", None)

    def note(self, report: ResourceReport, *, has_ended: bool) -> None:
        """Say, as soon as may be, that a resource has begun or ended."""
        began = self._began.setdefault(report.index, self._clock())
        self._took[report.index] = self._clock() - began
        if self._ingest is not None:
            self._waiting[report.index] = self._of_kind(report, _state_of(report) if has_ended else "syncing")
            if self._sending is None or self._sending.done():
                self._sending = asyncio.create_task(self._send_waiting())

    async def end(self, report: Report) -> None:
        """Say how all resources went, what was deleted, and how the run went. Nothing is sent after it."""
        kinds = [self._of_kind(each, _state_of(each)) for each in report.resources]
        everything = [*kinds, self._telling.of_deletions(report), self._telling.of_run(report)]
        await self._taken(lambda ingest: self._send_last(ingest, everything))
        self._ingest = None

    async def _send_last(self, ingest: Ingest, metrics: Sequence[Mapping[str, Json]]) -> None:
        if self._sending is not None:
            await asyncio.wait({self._sending})
        if self._ingest is not None:
            await ingest.post_kinds(metrics)

    async def _send_waiting(self) -> None:
        while self._waiting:
            await self._taken(lambda ingest: ingest.put_kind(self._waiting.pop(next(iter(self._waiting)))))

    async def _taken(self, send: Callable[[Ingest], Awaitable[None]]) -> None:
        """Send something, and nothing more where that fails."""
        if self._ingest is None:
            return
        try:
            async with asyncio.timeout(self._patience_s):
                await send(self._ingest)
        except (PortError, SendError) as error:
            self._give_up(error.problems[0].message, error.problems[0].place)
        except TimeoutError:
            self._give_up(f"no answer within {self._patience_s:g} s", None)

    def _give_up(self, reason: str, place: str | None) -> None:
        if self._ingest is not None:
            self._ingest = None
            self._waiting.clear()
            self._say_refused(reason, place)

    def _say_refused(self, reason: str, place: str | None) -> None:
        name = self._telling.installation.identifier
        self._log.warning("integration.refused", part="metrics", integration=name, reason=reason, place=place)

    def _of_kind(self, report: ResourceReport, state: State) -> dict[str, Json]:
        return self._telling.of_kind(report, state, self._took.get(report.index, 0.0))


def _state_of(report: ResourceReport) -> State:
    """How a resource that has ended went: what is not whole has failed."""
    if report.reason == "interrupted":
        return "aborted"
    return "completed" if report.is_whole else "failed"


def _named(name: str) -> dict[str, Json]:
    return {"kindIdentifier": name, "kind": name, "kindIndex": 0}


def _lasted(state: State, seconds: float) -> dict[str, Json]:
    return {"success": int(state == "completed"), "duration_seconds": max(0.0, round(seconds, 3))}


def _counted(**counts: int) -> dict[str, Json]:
    return {"object_count_type": {name: {"object_count": count} for name, count in counts.items()}}
