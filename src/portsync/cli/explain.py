"""`portsync explain`."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portsync.auth import TokenStore
from portsync.authoring.explanation import Origin, Read, Unmade, origins
from portsync.authoring.look import looking
from portsync.cli.render import console, print_in_lines, print_problems, printable
from portsync.cli.sync import check_kinds, redactor_of
from portsync.compare import differences
from portsync.excerpts import cut_json
from portsync.flow import OF_THE_SOURCE
from portsync.logs import configure_logs
from portsync.masking import Masking
from portsync.plan import constant_blueprints
from portsync.port.holdings import Holdings
from portsync.port.owner import owner_of
from portsync.report import problem_as_json
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.shipped import or_shipped
from portsync.surroundings import Surroundings
from portsync.transport.outgoing import url_of
from portsync.wiring import load_all, port_client, source_tools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.authoring.explanation import Part
    from portsync.compare import Difference
    from portsync.flow import Json
    from portsync.logs import Redactor
    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan

_PATH = click.Path(path_type=Path)
_FOUND, _NOT_FOUND, _NO_SOURCE = 0, 1, 3
_LONGEST_TEXT, _LONGEST_LIST = 200, 5
_LONGEST_VALUE = 80


@dataclass
class _Found:
    """All that is known of an entity."""

    identifier: str
    given: list[Origin] = field(default_factory=list)
    unmade: list[Unmade] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    held: dict[str, dict[str, Json]] | None = None
    """What Port holds, by blueprint; None where it was not asked."""

    @property
    def blueprints(self) -> list[str]:
        return list(dict.fromkeys(origin.entity.blueprint for origin in self.given))

    @property
    def is_unread(self) -> bool:
        """Whether the source could not be used at all."""
        ends = [end for one in self.read for end in one.ends]
        return bool(ends) and all(end.reason in OF_THE_SOURCE for end in ends)


@click.command(short_help="Say where each property of an entity comes from, and what a sync would change.")
@click.argument("mapping_file", type=_PATH, metavar="MAPPING")
@click.argument("identifier")
@click.option("--blueprint", help="Only the entity of this blueprint.")
@click.option("--kind", "kinds", multiple=True, help="Look only in resources of this kind; may be repeated.")
@click.option("--no-port", is_flag=True, help="Do not ask Port what it holds.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The form of the result.")
@click.pass_obj
def explain(
    runtime: Runtime | None,
    mapping_file: Path,
    identifier: str,
    blueprint: str | None,
    kinds: tuple[str, ...],
    *,
    no_port: bool,
    form: str,
) -> None:
    """Read the source of MAPPING until the end, and say which page, record and expression give the entity IDENTIFIER.

    With credentials for Port, what it holds now stands beside it, and what a sync would change. Nothing is written.

    \b
    Example:
      ANTHROPIC_API_KEY=... portsync explain mappings/claude.yaml org_1@2026-01-31 --no-port
    """
    runtime = runtime or Runtime()
    settings = read_settings(runtime.environment)
    has_credentials = settings.client_id is not None and settings.client_secret is not None
    asks_port = not no_port and has_credentials
    loaded = load_all([or_shipped(mapping_file)], runtime.environment, settings, needs_port=False)
    ((mapping, source),) = loaded
    print_in_lines(mapping.warnings)
    check_kinds(loaded, kinds)
    redactor = redactor_of(settings, loaded)
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    around = Surroundings(settings, runtime, redactor)
    found = asyncio.run(_find(mapping, source, around, identifier, blueprint, kinds, asks_port=asks_port))
    merges = mapping.file.enable_merge_entity
    if form == "json":
        shown = _as_json(found, Masking(redactor), is_merge=merges)
        click.echo(json.dumps(redactor.clean_json(shown), indent=2, ensure_ascii=False))
    else:
        _Text(redactor, is_merge=merges).show(found, asked_port=asks_port)
    sys.exit(_NO_SOURCE if found.is_unread else _FOUND if found.given else _NOT_FOUND)


async def _find(
    mapping: LoadedMapping,
    source: SourcePlan,
    around: Surroundings,
    identifier: str,
    blueprint: str | None,
    kinds: Sequence[str],
    *,
    asks_port: bool,
) -> _Found:
    """Raises PortError."""
    found = _Found(identifier)
    resources = mapping.file.resources
    indexes = [index for index, resource in enumerate(resources) if not kinds or resource.kind in kinds]
    store = TokenStore(around.settings.token_folder)
    async with (
        source_tools(mapping, source, around, store) as tools,
        looking(mapping, source, tools, around.runtime.clock) as look,
    ):
        async for one in origins(look, mapping, identifier, indexes, blueprint):
            match one:
                case Origin():
                    found.given.append(one)
                case Unmade():
                    found.unmade.append(one)
                case Read():
                    found.read.append(one)
    if asks_port:
        owner = owner_of(around.settings, mapping.name)
        async with port_client(around.settings, owner, around) as port:
            await port.sign_in()
            holdings = Holdings(port, owner)
            found.held = {}
            named = sorted(set().union(*(constant_blueprints(resources[index]) for index in indexes)))
            for name in found.blueprints or ([blueprint] if blueprint else named):
                if (held := (await holdings.find(name, [identifier])).get(identifier)) is not None:
                    found.held[name] = held
    return found


def _changes(origin: Origin, held: dict[str, Json], *, is_merge: bool) -> tuple[Difference, ...]:
    return differences(origin.body, held, is_merge=is_merge)


class _Text:
    """The explanation for people."""

    def __init__(self, redactor: Redactor, *, is_merge: bool) -> None:
        self._out = console(sys.stdout)
        self._redactor = redactor
        self._is_merge = is_merge
        self._masking = Masking(redactor, _LONGEST_TEXT, _LONGEST_LIST)

    def show(self, found: _Found, *, asked_port: bool) -> None:
        for origin in found.given:
            self._show_origin(origin, found)
        for one in found.unmade:
            place = f"resources[{one.index}] {one.kind}, {one.failure.place}"
            self._say(f"{found.identifier}: a record became no entity: {one.failure.message} ({place})", "red")
        for read in found.read:
            print_problems([end.problem for end in read.ends if end.problem is not None], self._redactor)
        if not found.given:
            records, filtered = (sum(getattr(r, name) for r in found.read) for name in ("records", "filtered"))
            note = f", {filtered:,} of them left out by `query`" if filtered else ""
            self._say(f"no record gives `{found.identifier}`: {records:,} were read{note}", "red")
            if not all(read.is_whole for read in found.read):
                self._say("not everything was read: it may stand where reading ended")
            for name in found.held or {}:
                self._say(f"Port holds it as {name}: it is what an earlier run, or somebody else, wrote", "yellow")
        elif len(found.given) > len(found.blueprints):
            self._say(f"{len(found.given)} records give this entity: `on_conflict` says which one counts", "yellow")
        if found.given and not asked_port:
            self._say("Port was not asked what it holds: set PORT_CLIENT_ID and PORT_CLIENT_SECRET, without --no-port")

    def _show_origin(self, origin: Origin, found: _Found) -> None:
        entity = origin.entity
        held = None if found.held is None else found.held.get(entity.blueprint)
        changes = {} if held is None else {d.name: d for d in _changes(origin, held, is_merge=self._is_merge)}
        self._say(f"{entity.blueprint}  {entity.identifier}", "bold")
        self._say(f"  from {entity.place} of resources[{origin.index}] {origin.kind} ({origin.place})")
        request = origin.record.page.page.request
        self._say(f"       {request.method} {url_of(request)}", "blue")
        self._say("  record")
        for line in json.dumps(self._masking.of(origin.record.value), indent=2, ensure_ascii=False).splitlines():
            self._say(f"    {line}")
        for part in origin.parts:
            self._show_part(part, changes.pop(part.name, None))
        for difference in changes.values():
            self._say(f"  {difference.name}  (not in the mapping)", "yellow")
            self._say(f"    Port holds {_short(difference.old)}; the sync clears it")
        if found.held is not None:
            self._say(f"  {_outlook(held, origin, is_merge=self._is_merge)}", "green")

    def _show_part(self, part: Part, change: Difference | None) -> None:
        self._say(f"  {part.name}  <-  {part.expression}  ({part.place})", "bold" if change else None)
        if part.error is not None:
            self._say(f"    left out: {part.error}", "red")
        else:
            self._say(f"    {_short(part.value)}")
        if change is not None:
            self._say(f"    Port holds {_short(change.old)}: a sync changes it", "yellow")

    def _say(self, text: str, style: str | None = None) -> None:
        self._out.print(printable(self._redactor.clean(text)), style=style, markup=False)


def _outlook(held: dict[str, Json] | None, origin: Origin, *, is_merge: bool) -> str:
    if held is None:
        return "Port does not have it: a sync creates it"
    changes = _changes(origin, held, is_merge=is_merge)
    if not changes:
        return "Port holds it as it is: a sync sends nothing"
    return f"a sync updates {len(changes)} part{'' if len(changes) == 1 else 's'} of it"


def _short(value: Json) -> str:
    return "nothing" if value is None else cut_json(value, _LONGEST_VALUE)


def _as_json(found: _Found, masking: Masking, *, is_merge: bool) -> dict[str, Any]:
    return {
        "version": 1,
        "identifier": found.identifier,
        "entities": [_origin_json(origin, found, masking, is_merge=is_merge) for origin in found.given],
        "failures": [
            {"resource": one.index, "kind": one.kind, "place": one.failure.place, "message": one.failure.message}
            for one in found.unmade
        ],
        "held": None if found.held is None else sorted(found.held),
        "read": [
            {
                "resource": read.index,
                "kind": read.kind,
                "records": read.records,
                "filtered": read.filtered,
                "problems": [problem_as_json(end.problem) for end in read.ends if end.problem is not None],
            }
            for read in found.read
        ],
    }


def _origin_json(origin: Origin, found: _Found, masking: Masking, *, is_merge: bool) -> dict[str, Any]:
    request, entity = origin.record.page.page.request, origin.entity
    held = None if found.held is None else found.held.get(entity.blueprint)
    changes = () if held is None else _changes(origin, held, is_merge=is_merge)
    outlook = None
    if found.held is not None:
        outlook = "create" if held is None else "update" if changes else "unchanged"
    return {
        "blueprint": entity.blueprint,
        "resource": origin.index,
        "kind": origin.kind,
        "place": entity.place,
        "request": {"method": request.method, "url": url_of(request), "body": request.body},
        "record": masking.of(origin.record.value),
        "parts": [
            {"name": p.name, "expression": p.expression, "place": p.place, "value": p.value, "error": p.error}
            for p in origin.parts
        ],
        "action": outlook,
        "differences": [{"name": d.name, "old": d.old, "new": d.new} for d in changes],
    }
