"""`portsync studio`."""

from __future__ import annotations

import threading
import webbrowser
from contextlib import ExitStack
from pathlib import Path

import click

from portsync.errors import Problem, SettingsError
from portsync.jq.pool import JqPool
from portsync.jq.process import Limits
from portsync.logs import Redactor, configure_logs
from portsync.loopback import serving
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.shipped import or_shipped
from portsync.studio.app import create_app
from portsync.studio.files import MappingFileOnDisk
from portsync.studio.guard import ENTRY, Keys
from portsync.studio.session import Session

_PATIENCE_S = 0.7
"""How long the expressions of a page may take before the page says so: somebody is watching."""


@click.command(short_help="Write a mapping in a local web page, beside what it makes of the API.")
@click.argument("mapping", type=click.Path(path_type=Path), required=False)
@click.option(
    "--port", "number", type=click.IntRange(0, 65535), default=0, help="Where to listen; any free one by default."
)
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.pass_obj
def studio(runtime: Runtime | None, mapping: Path | None, number: int, no_browser: bool) -> None:
    """Write MAPPING, or a new one, in a page on this machine, until Ctrl-C. Requests go to the API when you say so, and
    nothing is written to Port.

    \b
    Example:
      portsync studio
    """
    runtime = runtime or Runtime()
    settings = read_settings(runtime.environment)
    redactor = Redactor(settings.secrets())
    configure_logs(form=settings.log_format, level=settings.log_level, redactor=redactor)
    file = MappingFileOnDisk(None if mapping is None else or_shipped(mapping))
    file.read()
    keys = Keys()
    pool = JqPool(Limits(min(settings.jq_timeout, _PATIENCE_S), settings.jq_memory), 2, has_spare=True)
    session = Session(runtime, redactor, pool, file, Path.cwd())
    try:
        with (
            ExitStack() as closing,
            serving(create_app(session, keys, closing), port=number, around=lambda: pool) as url,
        ):
            address = f"{url}{ENTRY}?token={keys.token}"
            click.echo(address)
            click.echo("the studio is up; the address opens it once, in one browser; Ctrl-C ends it", err=True)
            if not no_browser:
                webbrowser.open(address)
            threading.Event().wait()
    except OSError as error:
        problem = Problem(
            "port-taken", f"cannot listen on 127.0.0.1:{number}: {error.strerror}", hint="give another --port"
        )
        raise SettingsError(problem) from error
    except KeyboardInterrupt:
        click.echo("the studio is down", err=True)
