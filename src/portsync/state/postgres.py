"""Connections to the PostgreSQL database of the state, whose two ends both notice when the other one is gone."""

from __future__ import annotations

import os
import socket
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from portsync.errors import Problem, StateError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from sqlalchemy.pool import Pool

_GONE_AFTER_MS = 15_000
_ANSWER_S = 30.0
"""A statement that takes longer never ends: something between keeps the connection up, and hands nothing on."""
SESSIONS = "portsync "
"""What the names of our sessions begin with."""
_OURS = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": _GONE_AFTER_MS,
}
_OF_PYTHON = frozenset({"autocommit", "context", "cursor_factory", "prepare_threshold", "row_factory"})
"""The driver takes them beside those of PostgreSQL, and no text can be what they want."""
_THEIRS = (
    "tcp_keepalives_idle = 5",
    "tcp_keepalives_interval = 2",
    "tcp_keepalives_count = 3",
    f"tcp_user_timeout = {_GONE_AFTER_MS}",
)
"""Locks belong to connections. With these the server notices within some 11 seconds that a machine is gone, and gives
its locks to another one; by itself it takes more than two hours."""
_PLANNED_ANEW = "plan_cache_mode = force_custom_plan"
"""The driver prepares what it sends often, and the server keeps the plan. Made in a first run, while the table is
empty, it would be to read all of the table for every page, however large the table has become since."""


def postgres_engine(url: str, pool: type[Pool], *, answer_s: float = _ANSWER_S) -> Engine:
    """An engine for `url`; nothing is connected yet. No statement waits for its answer for more than `answer_s`
    seconds. Raises StateError, and so does a connection where the URL says what no server can be asked for."""
    try:
        read = make_url(url)
        engine = create_engine(read, poolclass=pool, connect_args={**_OURS, "application_name": session_name()})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        hint = "install it: pip install 'portsync[postgres]'"
        problem = Problem("bad-state", "a state in PostgreSQL needs the driver psycopg", "PORTSYNC_STATE", hint)
        raise StateError(problem) from error
    except (ArgumentError, ValueError) as error:
        raise StateError(Problem("bad-state", "the URL of the state is no URL", "PORTSYNC_STATE")) from error
    if foreign := sorted(read.query.keys() & _OF_PYTHON):
        message = f"the URL of the state has `{foreign[0]}`, which is no option of PostgreSQL's"
        raise StateError(Problem("bad-state", message, "PORTSYNC_STATE", "take it out"))

    driver: Any = engine.dialect.loaded_dbapi
    bounded = _bounded(driver.Connection, answer_s)

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: object, _: object, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        try:
            return bounded.connect(*arguments, **options)
        except (driver.ProgrammingError, ValueError, TypeError) as error:
            # The host is no name, or an option none of PostgreSQL's; and the text of the error may hold all of the URL.
            said = str(error).partition("\n")[0] if isinstance(error, driver.ProgrammingError) else "it is no URL"
            message = f"the URL of the state cannot be used: {said}"
            raise StateError(Problem("bad-state", message, "PORTSYNC_STATE", "correct it")) from error

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: object) -> None:
        was_automatic, connection.autocommit = connection.autocommit, True
        for setting in (*_THEIRS, _PLANNED_ANEW):
            connection.execute(f"SET {setting}")
        connection.autocommit = was_automatic

    return engine


def session_name() -> str:
    """By which name the database knows the sessions of this process, and of no other one (`pg_stat_activity`)."""
    return f"{SESSIONS}{socket.gethostname()[:40]} {os.getpid()}"


def _bounded(connection: type[Any], answer_s: float) -> type[Any]:
    """The driver's connection, which waits for no answer for ever: its own time-outs end when a peer says that it is
    there, whether it answers or not."""

    class Bounded(connection):  # type: ignore[misc]
        def wait(self, answering: Generator[Any, Any, Any], *arguments: Any, **options: Any) -> Any:
            return super().wait(self._in_time(answering), *arguments, **options)

        def _in_time(self, answering: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
            """The same, which the driver asks again several times a second whether there is an answer."""
            until = monotonic() + answer_s
            try:
                awaited = next(answering)
                while True:
                    ready = yield awaited
                    if not ready and monotonic() > until:
                        self.pgconn.finish()
                        raise self.OperationalError(f"the database did not answer within {answer_s:g} s")
                    awaited = answering.send(ready)
            except StopIteration as end:
                return end.value

    return Bounded
