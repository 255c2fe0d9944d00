"""`portsync emulate`."""

from __future__ import annotations

import secrets
import socket
import sqlite3
import threading
from ipaddress import ip_address
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from portsync.cli.guessing import guesses_of
from portsync.cli.local_port_files import read_faults, read_users
from portsync.emulator.app import create_app
from portsync.errors import Problem, SettingsError
from portsync.loopback import serving

_PATH = click.Path(path_type=Path)
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, and only where somebody asks for it

_OPEN = (
    "whoever reaches {} may look at the catalog, hand in runs and script faults: the page asks for no password, and "
    "nothing is encrypted"
)


@click.command(short_help="Run the local Port.")
@click.option(
    "--port",
    "number",
    type=click.IntRange(0, 65535),
    default=8710,
    show_default=True,
    help="0: any free one.",
)
@click.option("--db", type=click.Path(path_type=Path), help="Keep the catalog in this file; in memory without it.")
@click.option("--user", "users", multiple=True, help="The e-mail of a user that exists in _user; may be repeated.")
@click.option("--users", "users_file", type=_PATH, metavar="FILE", help="More users, with their teams.")
@click.option("--client-id", envvar="PORT_CLIENT_ID", help="Made up where it is not given.")
@click.option("--client-secret", envvar="PORT_CLIENT_SECRET", help="Made up where it is not given.")
@click.option(
    "--token-life",
    type=click.IntRange(1, 10**9),
    default=10800,
    show_default=True,
    metavar="SECONDS",
    help="How long a token lives.",
)
@click.option("--rate", metavar="REQUESTS/SECONDS", help="The request budget; out of reach without it.")
@click.option("--faults", "faults_file", type=_PATH, metavar="FILE", help="What goes wrong, as a list of rules.")
@click.option(
    "--guess", "guesses", multiple=True, metavar="NAME=VALUE", help="An answer that is not known; may be repeated."
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
def emulate(
    *,
    number: int,
    db: Path | None,
    users: tuple[str, ...],
    users_file: Path | None,
    client_id: str | None,
    client_secret: str | None,
    token_life: int,
    rate: str | None,
    faults_file: Path | None,
    guesses: tuple[str, ...],
    host: str,
) -> None:
    """Run a catalog on this machine that answers like Port's API and can be looked at in a browser, until Ctrl-C.

    \b
    Example:
      portsync emulate
      # in another terminal: the lines that it prints, `portsync provision blueprints/claude`, and a sync;
      # relations to people need them to exist: --user ada@acme.example
    """
    made_up = {}
    if client_id is None:
        client_id = made_up["PORT_CLIENT_ID"] = secrets.token_urlsafe(16)
    if client_secret is None:
        client_secret = made_up["PORT_CLIENT_SECRET"] = secrets.token_urlsafe(32)
    if db is not None and not db.resolve().parent.is_dir():
        raise click.BadParameter(f"--db {db}: its folder does not exist")
    database = "sqlite://" if db is None else f"sqlite:///{db}"
    guessed = guesses_of(guesses, rate)
    listed = [] if users_file is None else read_users(users_file)
    known = {user.email for user in listed}
    faults = [] if faults_file is None else read_faults(faults_file)
    try:
        app = create_app(
            database=database,
            client_id=client_id,
            client_secret=client_secret,
            users=[*listed, *(user for user in users if user not in known)],
            token_life=token_life,
            guesses=guessed,
            faults=faults,
            hosts=_names_of(host),
        )
        with serving(app, host=host, port=number) as served:
            # Seen from this machine; others know it by its name, or by an address that is not known here.
            url = f"http://127.0.0.1:{served.rsplit(':', 1)[1]}" if host in _EVERYWHERE else served
            click.echo(f"export PORT_BASE_URL={url}")
            for name, value in made_up.items():
                click.echo(f"export {name}={value}")
            if not _is_loopback(host):
                click.echo(f"warning: {_OPEN.format(host)}", err=True)
            click.echo(f"the local Port is up, to be looked at on {url}/; Ctrl-C ends it", err=True)
            threading.Event().wait()
    except (SQLAlchemyError, sqlite3.Error) as error:
        problem = Problem(
            "bad-setting", f"the file of --db cannot be used: {error.__cause__ or error}", hint="give another --db"
        )
        raise SettingsError(problem) from error
    except OSError as error:
        problem = Problem(
            "port-taken", f"cannot listen on {host}:{number}: {error.strerror}", hint="give --port, or another --host"
        )
        raise SettingsError(problem) from error
    except KeyboardInterrupt:
        click.echo("the local Port is down", err=True)


def _names_of(host: str) -> list[str]:
    """By which names a server on this address may be asked for, beside those of the loopback interface."""
    return [host, socket.gethostname().lower()] if host in _EVERYWHERE else [host.lower()]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
