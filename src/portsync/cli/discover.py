"""`portsync discover`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from portsync.authoring.discover.order import Discovered, DiscoverOrder, discover_source
from portsync.authoring.discover.shown import as_json, rows
from portsync.cli.render import console, printable
from portsync.errors import Problem, SettingsError, SourceError
from portsync.logs import Redactor, configure_logs
from portsync.runtime import Runtime
from portsync.settings import read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from portsync.authoring.discover.proposal import Findings, ResourceProposal

_PATH = click.Path(path_type=Path)
_COLOURS = {"sure": "green", "likely": "cyan", "guess": "yellow"}
_NOTHING = 1


@click.command(short_help="Find out how an API is read, and propose a mapping for it.")
@click.argument("what", metavar="URL|MAPPING|OPENAPI")
@click.option("--out", type=_PATH, metavar="DIR", help="Write mapping, blueprints and test cases into this folder.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--name", metavar="NAME", help="The name of the mapping; by default that of the host.")
@click.option("--kind", "kinds", multiple=True, help="Only this endpoint of those that are found; may be repeated.")
@click.option("--header", "headers", multiple=True, metavar="TEXT", help="A header of every request, `Name: value`.")
@click.option("--auth-env", multiple=True, metavar="NAME", help="The variable that holds the credential.")
@click.option("--auth-as", default="bearer", metavar="TEXT", help="bearer, basic, header:NAME or query:NAME.")
@click.option("--mapping", "settings_of", type=_PATH, metavar="FILE", help="Ask as this mapping's `source` does.")
@click.option("--base-url", metavar="URL", help="Where the API of an OpenAPI document is.")
@click.option("--method", type=click.Choice(["GET", "POST"]), default="GET", help="How URL is asked.")
@click.option("--body", metavar="JSON", help="With --method POST, what is sent.")
@click.option("--requests", type=click.IntRange(1, 1000), default=60, show_default=True, help="The most that are sent.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The form of the result.")
@click.pass_obj
def discover(
    runtime: Runtime | None,
    what: str,
    *,
    out: Path | None,
    force: bool,
    name: str | None,
    kinds: tuple[str, ...],
    headers: tuple[str, ...],
    auth_env: tuple[str, ...],
    auth_as: str,
    settings_of: Path | None,
    base_url: str | None,
    method: str,
    body: str | None,
    requests: int,
    form: str,
) -> None:
    """Ask the API behind a URL, a mapping's source or an OpenAPI document, and propose how to read it.

    It finds the records, tries how to get to the second page, and proposes identifiers, properties and relations, each
    with a reason and with how sure it is. Nothing is written without --out. Only GET is sent, but for what --method or
    an OpenAPI document calls a question.

    \b
    Example:
      portsync discover https://api.example.com/v1/users --auth-env API_TOKEN --out mappings
    """
    runtime = runtime or Runtime()
    settings = read_settings(runtime.environment)
    redactor = Redactor(settings.secrets())
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    order = DiscoverOrder(
        what,
        kinds=frozenset(kinds),
        headers=headers,
        auth_env=auth_env,
        auth_as=auth_as,
        settings_of=settings_of,
        base_url=base_url,
        method=method,
        body=_parsed(body),
        requests=requests,
        out=out,
        force=force,
        name=name,
    )
    err = console(sys.stderr)

    def shown(text: str) -> None:
        if sys.stderr.isatty():
            err.print(f"asking {escape(printable(redactor.clean(text)))}", style="dim")

    found = asyncio.run(discover_source(order, settings, runtime, redactor, shown))
    if form == "json":
        value = {**as_json(found.findings), "source": found.source, "files": [str(path) for path in found.files]}
        click.echo(json.dumps(redactor.clean_json(value), indent=2, ensure_ascii=False))
    else:
        _show(found, redactor)
    sys.exit(_exit_code(found.findings))


def _exit_code(findings: Findings) -> int:
    """0 where something is proposed; otherwise whether the source could not be used, or has nothing to propose."""
    if findings.resources:
        return 0
    return SourceError.exit_code if any(one.is_refused for one in findings.left_out) else _NOTHING


def _parsed(body: str | None) -> object:
    if body is None:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise SettingsError(Problem("bad-target", f"--body is not JSON: {error}", "--body")) from error


def _show(found: Discovered, redactor: Redactor) -> None:
    out = console(sys.stdout)

    def clean(text: str) -> str:
        return escape(printable(redactor.clean(" ".join(text.split()))))

    for resource in found.findings.resources:
        _show_resource(out, resource, redactor)
    for one in found.findings.left_out:
        hint = f"\n    [green]hint[/]: {clean(one.hint)}" if one.hint else ""
        out.print(f"[yellow]not taken[/] {clean(one.name)}: {clean(one.reason)}{hint}")
    for note in found.notes:
        out.print(f"[yellow]note[/] {clean(note)}")
    for path in found.files:
        out.print(f"wrote {clean(str(path))}")
    findings = found.findings
    count = f"{len(findings.resources)} resource{'' if len(findings.resources) == 1 else 's'} proposed"
    left = f", {len(findings.left_out)} not taken" if findings.left_out else ""
    out.print(f"{count}{left}; {findings.requests} of at most {findings.most_requests} requests sent")


def _show_resource(out: Console, resource: ResourceProposal, redactor: Redactor) -> None:
    def clean(text: str) -> str:
        return escape(printable(redactor.clean(" ".join(text.split()))))

    pages = len(resource.sample.pages)
    seen = f"{len(resource.sample.records):,} records on {pages} page{'' if pages == 1 else 's'}"
    out.print(f"[bold]{clean(str(resource.endpoint))}[/]  {seen}, as `{clean(resource.blueprint)}`")
    for about, value, proposal in rows(resource):
        colour = _COLOURS[proposal.confidence]
        text = f"  {about:<11} [{colour}]{proposal.confidence:<6}[/] {clean(value)}"
        out.print(f"{text}\n  {'':<18} [dim]{clean(proposal.reason)}[/]")
    for one in resource.left_out:
        out.print(f"  [yellow]left out[/]    {clean(one.name)}: {clean(one.reason)}")
    out.print()
