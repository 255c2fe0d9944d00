"""`portsync emulate`."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from portsync.emulator.app import create_app
from portsync.errors import Problem, SettingsError
from portsync.loopback import serving


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
@click.option("--client-id", envvar="PORT_CLIENT_ID", help="Made up where it is not given.")
@click.option("--client-secret", envvar="PORT_CLIENT_SECRET", help="Made up where it is not given.")
def emulate(
    number: int, db: Path | None, users: tuple[str, ...], client_id: str | None, client_secret: str | None
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
    try:
        app = create_app(database=database, client_id=client_id, client_secret=client_secret, users=users)
        with serving(app, port=number) as url:
            click.echo(f"export PORT_BASE_URL={url}")
            for name, value in made_up.items():
                click.echo(f"export {name}={value}")
            click.echo(f"the local Port is up, to be looked at on {url}/; Ctrl-C ends it", err=True)
            threading.Event().wait()
    except SQLAlchemyError as error:
        problem = Problem(
            "bad-setting", f"the file of --db cannot be used: {error.__cause__}", hint="give another --db"
        )
        raise SettingsError(problem) from error
    except OSError as error:
        problem = Problem("port-taken", f"cannot listen on 127.0.0.1:{number}: {error.strerror}", hint="give --port")
        raise SettingsError(problem) from error
    except KeyboardInterrupt:
        click.echo("the local Port is down", err=True)
