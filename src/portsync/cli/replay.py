"""`portsync replay`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portsync.cli.render import console, print_in_lines, print_problems
from portsync.dead_letters import LetterFile, Replacement
from portsync.errors import ConfigError, PortSyncError, Problem
from portsync.logs import Redactor, configure_logs
from portsync.port.entities import UpsertSwitches
from portsync.port.owner import Owner
from portsync.replay import replay as run_replay
from portsync.report import MOST_PROBLEMS, problem_as_json
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.sinks.port import PortSink
from portsync.state.catalog import Catalog
from portsync.state.place import state_place
from portsync.state.store import opened_state
from portsync.stop import Stop
from portsync.surroundings import Surroundings
from portsync.wiring import catalog_name, port_client, port_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portsync.dead_letters import Letter, Line
    from portsync.replay import Replayed
    from portsync.settings import Settings

_SHOWN_PROBLEMS = 20
_SHOWN_ALIKE = 3


@click.command(short_help="Send the entities of a dead-letter file again.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="The form of the result.")
@click.pass_obj
def replay(runtime: Runtime | None, file: Path, is_dry: bool, form: str) -> None:
    """Send the entities in FILE, which a sync wrote because Port refused them, once more.

    What Port takes leaves the file; what it refuses again stays, with the new reason. Failures and conflicts have no
    entity and stay; when nothing is left, the file is removed.

    \b
    Example:
      PORT_CLIENT_ID=... PORT_CLIENT_SECRET=... portsync replay dead-letters.jsonl
    """
    runtime = runtime or Runtime()
    settings = read_settings(runtime.environment)
    redactor = Redactor(settings.secrets())
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    with LetterFile(file) as letters:
        if letters.warning is not None:
            print_in_lines([letters.warning])
        if is_dry:
            _list(letters, form)
            return
        started_at = runtime.clock()
        try:
            replayed = asyncio.run(_run(letters, settings, runtime, redactor))
        except PortSyncError as error:
            # Here and not in main(): only here it is known what Port may repeat and nobody may see.
            print_problems(error.problems, redactor)
            sys.exit(error.exit_code)
        _deliver(replayed, letters, runtime.clock() - started_at, redactor, form)
    sys.exit(replayed.exit_code)


async def _run(letters: LetterFile, settings: Settings, runtime: Runtime, redactor: Redactor) -> Replayed:
    """Raises PortError, ConfigError and StoppedError, with nothing sent."""
    port_credentials(settings)
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request, number)
    header = letters.header
    # To Port these entities are still those of the integration whose letters they are.
    owner = Owner(header.product, header.type, header.identifier)
    with _accepted_since(settings, owner, Path(header.mapping).stem) as was_accepted:
        async with port_client(settings, owner, Surroundings(settings, runtime, redactor)) as port:
            if letters.entities:
                await stop.race(port.sign_in())
            sink = PortSink(port, UpsertSwitches(header.merge, header.create_missing_related_entities))
            with closing(_remains(letters.path)) as remains:
                return await run_replay(letters, remains, sink, stop, redactor, was_accepted=was_accepted)


@contextmanager
def _accepted_since(settings: Settings, owner: Owner, mapping: str) -> Iterator[Callable[[Letter], bool]]:
    """Whether a run after the one that wrote a letter has brought its entity into Port; where there is a state, which
    is held meanwhile. Raises StateError."""
    place = state_place(settings, owner.identifier)
    if place.url is None and (place.path is None or not place.path.exists()):
        yield lambda _: False
        return
    with opened_state(place) as connection:
        catalog = Catalog(connection, catalog_name(settings, owner, mapping), "", is_dry=True)
        yield lambda one: catalog.has_accepted(one.kind or "", one.blueprint or "", one.identifier or "")
        catalog.close()


def _remains(path: Path) -> Replacement:
    """The file for what remains, made before anything is sent. Raises ConfigError."""
    try:
        return Replacement(path)
    except OSError as error:
        message = f"what remains of the dead letters could not be written: {error.strerror or error}"
        hint = "copy the file into a folder that can be written, and replay it there"
        raise ConfigError(Problem("dead-letters", message, str(path.parent), hint)) from error


def _list(letters: LetterFile, form: str) -> None:
    """Say what would be sent, one line after the other: there may be millions."""
    found = (line for line in letters.lines() if line.letter.body_to_send and not letters.is_superseded(line))
    if form == "json":
        for text in _json_parts(letters, found):
            click.echo(text, nl=False)
        return
    count = 0
    for count, line in enumerate(found, start=1):  # noqa: B007 - it is said below
        letter = line.letter
        click.echo(_printable(f"{letter.blueprint}  {letter.identifier}  ({letter.code}: {letter.message})"))
    rest = letters.letters - count
    click.echo(f"{count:,} of {letters.letters:,} letters would be sent" + (f", {rest:,} not" if rest else ""))


def _json_parts(letters: LetterFile, found: Iterator[Line]) -> Iterator[str]:
    head = {"version": 1, "file": str(letters.path), "letters": letters.letters}
    yield json.dumps(head)[:-1] + ', "would_send": ['
    for index, line in enumerate(found):
        letter = line.letter
        value = {"line": line.number, "blueprint": letter.blueprint, "identifier": letter.identifier}
        yield (",\n" if index else "\n") + json.dumps(value | {"code": letter.code, "message": letter.message})
    yield "\n]}\n"


def _deliver(replayed: Replayed, letters: LetterFile, seconds: float, redactor: Redactor, form: str) -> None:
    names = ("created", "updated", "rejected", "untried", "superseded", "redacted", "without_entity")
    counts = {name: replayed.counts[name] for name in names}
    if form == "json":
        value: dict[str, Any] = {
            "version": 1,
            "run_id": letters.header.run_id,
            "mapping": letters.header.mapping,
            "duration_s": round(seconds, 3),
            "status": replayed.status,
            "exit_code": replayed.exit_code,
            "letters": letters.letters,
            **counts,
            "dead_letters": str(letters.path) if replayed.left else None,
            "problems": [problem_as_json(problem) for problem in replayed.problems_up_to(MOST_PROBLEMS)],
        }
        click.echo(json.dumps(redactor.clean_json(value), indent=2))
        return
    shown = replayed.problems_up_to(_SHOWN_PROBLEMS, alike=_SHOWN_ALIKE)
    print_problems(shown, redactor)
    if (more := replayed.problem_count() - len(shown)) > 0:
        err = console(sys.stderr)
        err.print(f"... and {more:,} more problems; --format json writes up to {MOST_PROBLEMS} of them")
    said = [f"{letters.letters:,} letters"]
    said += [
        f"{count:,} {name.replace('_', ' ')}"
        for name, count in counts.items()
        if count or name in ("created", "updated")
    ]
    end = f"{replayed.left:,} stay in {letters.path}" if replayed.left else f"nothing stays of {letters.path}"
    line = f"{replayed.status}: {', '.join(said)} in {seconds:.1f} s; {end}"
    click.echo(redactor.clean(line))


def _printable(text: str) -> str:
    """`text` on one line, without what would steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
