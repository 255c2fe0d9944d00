"""`portsync preview`."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portsync.auth import TokenStore
from portsync.authoring.cassette import read, save
from portsync.authoring.keeper import Keeper
from portsync.authoring.look import looking
from portsync.authoring.preview import Wanted
from portsync.authoring.preview import preview as previewed
from portsync.authoring.standstill import Standstill
from portsync.cli.preview_shown import as_json, show
from portsync.cli.render import print_in_lines
from portsync.cli.sync import check_kinds, redactor_of
from portsync.flow import OF_THE_SOURCE, Verdict
from portsync.logs import configure_logs
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.shipped import or_shipped
from portsync.surroundings import SourceWire, Surroundings
from portsync.wiring import load_all, offline, source_tools

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portsync.authoring.preview import Previewed
    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan
    from portsync.transport.exchange import Exchange

_PATH = click.Path(path_type=Path)
_NO_SOURCE, _NOT_WHOLE = 3, 1


@click.command(short_help="Show requests, records and entities side by side, and write nothing.")
@click.argument("mapping_file", type=_PATH, metavar="MAPPING")
@click.option("--kind", "kinds", multiple=True, help="Only resources of this kind; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), default=3, help="How many records of each resource; 3 by default.")
@click.option("--page", type=click.IntRange(min=1), help="Records of the page with this number.")
@click.option("--record", type=click.IntRange(min=1), help="Only the record with this number within its page.")
@click.option(
    "--now",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    help="The instant that `now` in expressions stands for, UTC.",
)
@click.option("--save", "save_to", type=_PATH, metavar="DIR", help="Keep the answers in this folder, secrets masked.")
@click.option("--from", "kept_in", type=_PATH, metavar="DIR", help="Take answers that --save kept; no network.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The form of the result.")
@click.pass_obj
def preview(
    runtime: Runtime | None,
    mapping_file: Path,
    kinds: tuple[str, ...],
    limit: int,
    page: int | None,
    record: int | None,
    now: datetime | None,
    save_to: Path | None,
    kept_in: Path | None,
    form: str,
) -> None:
    """Ask the source of MAPPING for its first records, and show each beside the entity that it becomes.

    Nothing is written to Port, and no credentials for Port are needed.

    \b
    Example:
      ANTHROPIC_API_KEY=... portsync preview mappings/claude.yaml --limit 1
    """
    runtime = runtime or Runtime()
    settings = read_settings(runtime.environment)
    loaded = load_all([or_shipped(mapping_file)], runtime.environment, settings, needs_port=False)
    ((mapping, source),) = loaded
    print_in_lines(mapping.warnings)
    check_kinds(loaded, kinds)
    redactor = redactor_of(settings, loaded)
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    taken: list[Exchange] = []
    wire = SourceWire(taken=taken.append)
    if kept_in is not None:
        cassette = read(kept_in)
        now, source = now or cassette.now, replace(offline(source), base_url=cassette.base_url, concurrency=1)
        wire = replace(wire, kept=Keeper(cassette.answers, cassette.base_url).wire())
    if now is not None:
        standstill = Standstill(now.timestamp())
        runtime = replace(runtime, clock=standstill.now)
        if kept_in is not None:
            runtime = replace(runtime, sleep=standstill.sleep)
    began = runtime.clock()
    wanted = Wanted(limit, page, record)
    around = Surroundings(settings, runtime, redactor, wire)
    found = asyncio.run(previews(mapping, source, around, kinds, wanted))
    if save_to is not None:
        save(save_to, taken, began, source.base_url, redactor)
        click.echo(f"{len(taken)} answer{'' if len(taken) == 1 else 's'} kept in {save_to}", err=True)
    if form == "json":
        click.echo(json.dumps(redactor.clean_json(as_json(found, redactor)), indent=2, ensure_ascii=False))
    else:
        for one in found:
            show(one, mapping, taken, redactor)
    sys.exit(exit_code_of(found))


async def previews(
    mapping: LoadedMapping, source: SourcePlan, around: Surroundings, kinds: Sequence[str], wanted: Wanted
) -> list[Previewed]:
    """What is seen of each resource, or of those of some kinds."""
    store = TokenStore(around.settings.token_folder)
    async with (
        source_tools(mapping, source, around, store) as tools,
        looking(mapping, source, tools, around.runtime.clock) as look,
    ):
        return [
            await previewed(look, index, resource.kind, wanted)
            for index, resource in enumerate(mapping.file.resources)
            if not kinds or resource.kind in kinds
        ]


def exit_code_of(found: Sequence[Previewed]) -> int:
    """As `sync` would have ended, as far as somebody looked."""
    if found and all(_was_unusable(one) for one in found):
        return _NO_SOURCE
    return 0 if all(one.is_whole for one in found) else _NOT_WHOLE


def _was_unusable(found: Previewed) -> bool:
    """Whether the source could not be used for it at all: not reached, or refused from the start."""
    end = found.end
    if found.pages or end is None or end.verdict is not Verdict.INCOMPLETE:
        return False
    is_refused = end.problem is not None and end.problem.code == "source-refused"
    return end.reason in OF_THE_SOURCE or is_refused
