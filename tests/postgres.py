"""A PostgreSQL server of our own, where the machine has one installed."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
"""Where Debian puts the server's programs."""


def driver() -> Any:
    """The module psycopg; without it the test is skipped."""
    return pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'portsync[postgres]'")


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, _FOLDERS)]))


def _as_somebody(folder: Path) -> list[str]:
    """What goes before a command, because the server refuses to run as root."""
    if getpass.getuser() != "root":
        return []
    shutil.chown(folder, "nobody")
    return ["setpriv", "--reuid=nobody", "--clear-groups"]


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL database on a socket in a folder of its own."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    # A socket's path may have 107 characters, which pytest's own folders are too long for.
    base = Path(subprocess.check_output(["mktemp", "-d", "/tmp/pg.XXXXXX"], text=True).strip())
    before = _as_somebody(base)

    def run(*command: str) -> None:
        subprocess.run([*before, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    try:
        data = str(base / "data")
        run(initdb, "-D", data, "-U", "state", "-A", "trust", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={base} -c fsync=off"
        log = str(base / "log")
        run(pg_ctl, "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield f"postgresql://state@/postgres?host={base}"
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(base)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """One for all tests of a process."""
    driver()
    with postgres_server() as url:
        yield url


@pytest.fixture
def fresh_postgres(postgres: str) -> str:
    """The same, with nothing in it."""
    with driver().connect(postgres, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgres.replace("postgresql://", "postgresql+psycopg://")
