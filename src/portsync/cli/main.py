"""The group of commands, and the end of every error: text on standard error, and the exit code."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, ClassVar

import click

from portsync import __version__
from portsync.errors import PortSyncError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.runtime import Runtime


class Commands(click.Group):
    """Imports a command's module only when it is used: `portsync --help` has to be instant."""

    short_help_of: ClassVar[dict[str, str]] = {
        "demo": "Run the main job on embedded parts; no network, no credentials.",
        "check": "Find everything that is wrong with mapping files, offline.",
        "preview": "Show requests, records and entities side by side, and write nothing.",
        "explain": "Say where each property of an entity comes from, and what a sync would change.",
        "test": "Hold mappings to their test cases; no network.",
        "discover": "Find out how an API is read, and propose a mapping for it.",
        "studio": "Write a mapping in a local web page, beside what it makes of the API.",
        "plan": "Say what a sync would change in Port, and change nothing.",
        "sync": "Bring a mapping's resources into Port.",
        "serve": "Stay up: run on a schedule, and whenever Port or somebody asks.",
        "provision": "Create or change blueprints and dashboards in Port.",
        "emulate": "Run the local Port.",
        "replay": "Send the entities of a dead-letter file again.",
        "import": "Make a mapping of another system's configuration.",
        "schema": "Print the JSON Schema of the mapping file, for editors.",
    }

    elsewhere: ClassVar[dict[str, tuple[str, str]]] = {"import": ("importing", "import_")}
    """Module and function of the commands whose names Python keeps for itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.short_help_of)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.short_help_of:
            return None
        module, name = self.elsewhere.get(cmd_name, (cmd_name, cmd_name))
        command = getattr(import_module(f"portsync.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(self.short_help_of.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example:  portsync demo",
)
@click.version_option(__version__, prog_name="portsync")
def portsync() -> None:
    """Brings data from any REST API into your Port software catalog, from one YAML file.

    Exit codes: 0 all in; 1 finished, but not whole; 2 usage, mapping or environment; 3 the source, 4 Port could not
    be used; 70 a bug; 130, 143 interrupted.
    """


def _escape_what_cannot_be_shown() -> None:
    """A terminal that cannot show a character gets its escape, not an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main(arguments: Sequence[str] | None = None, runtime: Runtime | None = None) -> None:
    """Run the command line and exit; commands take their surroundings from `runtime`, the process's own by default."""
    if runtime is None:
        # Before a command has begun anything, there is nothing to bring to its end.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    _escape_what_cannot_be_shown()
    try:
        portsync.main(args=None if arguments is None else list(arguments), standalone_mode=False, obj=runtime)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except PortSyncError as error:
        from portsync.cli.render import print_problems  # noqa: PLC0415 - the way to --help stays short

        print_problems(error.problems)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Somebody closed our standard output, as `| head` does.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        # What a user's file system says, such as a full disk, is no bug.
        click.echo(f"error[system]: {error.strerror or error}: {error.filename or 'standard output'}", err=True)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - one of the two places: a bug ends here, with its own exit code
        import traceback  # noqa: PLC0415

        frames = traceback.extract_tb(error.__traceback__)
        where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown"
        click.echo(
            f"error[bug]: {type(error).__name__} at {where}\n  hint: this is a bug in portsync; please report it",
            err=True,
        )
        sys.exit(70)
