"""From what the command line says to what was found out, and to the files that say it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portsync.auth import TokenStore
from portsync.authoring.discover.asking import LARGEST_LOOK, Asker
from portsync.authoring.discover.discovering import discover
from portsync.authoring.discover.drafting import draft_mapping
from portsync.authoring.discover.endpoints import unnamed_origin
from portsync.authoring.discover.named import named_by
from portsync.authoring.discover.naming import file_name
from portsync.authoring.discover.openapi_document import base_url_of
from portsync.authoring.discover.probing import probe
from portsync.authoring.discover.writing import Draft, write_cases, write_files
from portsync.chains.access import Access
from portsync.errors import Problem, SettingsError
from portsync.mapping.source import Retry
from portsync.masking import Masking
from portsync.surroundings import Surroundings
from portsync.wiring import source_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from portsync.authoring.discover.proposal import Findings
    from portsync.flow import Json
    from portsync.logs import Redactor
    from portsync.runtime import Runtime
    from portsync.settings import Settings

_PATIENT = Retry(attempts=3, max_wait=30)
"""Somebody is waiting."""


@dataclass(frozen=True, slots=True)
class DiscoverOrder:
    """What the command line asks for."""

    what: str
    """A URL, or the path of a mapping or of an OpenAPI document."""
    kinds: frozenset[str] = frozenset()
    headers: tuple[str, ...] = ()
    auth_env: tuple[str, ...] = ()
    auth_as: str = "bearer"
    settings_of: Path | None = None
    """A mapping whose `source` says how to ask."""
    base_url: str | None = None
    method: str = "GET"
    body: Json = None
    requests: int = 60
    out: Path | None = None
    force: bool = False
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Discovered:
    """What came of an order."""

    findings: Findings
    source: Mapping[str, Json]
    """The `source` section that goes with it."""
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


async def discover_source(
    order: DiscoverOrder, settings: Settings, runtime: Runtime, redactor: Redactor, shown: Callable[[str], None]
) -> Discovered:
    """Find out what `order` asks for, and write it where it says so. Raises ConfigError where the order, or what it
    names, cannot be used, and SourceError where nothing can be read."""
    if order.out is not None and order.out.exists() and not order.out.is_dir():
        raise SettingsError(Problem("bad-target", "it is no folder", "--out", "name a folder"))
    named = await named_by(order, settings, runtime, redactor)
    environment = {**runtime.environment, **named.target.given}
    if named.document is not None and "base_url" not in named.target.source:
        raise unnamed_origin(base_url_of(named.document, named.at) or "not said", named.at or order.what)
    mapping, source = probe(named.target.source, environment, settings)
    for secret in (*mapping.secrets, *source.auth.secrets(), *named.target.given.values()):
        redactor.add(secret)
    if "retry" not in named.target.source:
        source = replace(source, retry=_PATIENT)
    now = runtime.clock()
    around = Surroundings(settings, runtime, redactor)
    async with source_tools(
        mapping, source, around, TokenStore(settings.token_folder), largest_answer=LARGEST_LOOK
    ) as tools:
        asker = Asker(tools.client.send, order.requests, runtime.clock)
        findings, base_url = await discover(
            Access(source, asker.send, tools.pool, runtime.clock, now),
            asker,
            named=named.target.endpoints,
            is_bare=named.target.is_bare,
            document=named.document,
            document_at=named.at,
            is_base_named=order.base_url is not None,
            kinds=order.kinds,
            shown=shown,
        )
    section = {**named.target.source, "base_url": base_url}
    notes = [f"{note.value}: {note.reason}" for note in named.target.notes]
    notes += [f"the variable {name} has to be set for the mapping" for name in named.target.given]
    found = Discovered(findings, section, notes=tuple(notes))
    if order.out is None or not findings.resources:
        return found
    text = redactor.clean(draft_mapping(findings, section, named.target.notes, _named(order.what)))
    name = order.name or file_name(base_url)
    draft = Draft(name, text, environment, now)
    masking = Masking(redactor)
    files = write_files(order.out, findings, draft, masking, force=order.force)
    cases = await write_cases(order.out, findings, draft, masking)
    return replace(found, files=(*files, cases) if cases is not None else tuple(files))


def _named(what: str) -> str:
    """What was asked, without what may prove who asked."""
    return what.partition("?")[0]
