"""What SQLAlchemy makes of statements, kept for all the databases of a test session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event
from sqlalchemy.util import LRUCache

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Compiled(LRUCache[Any, Any]):
    """SQLAlchemy's `compiled_cache`, in which all SQLite databases are one. It keeps what it made for as long as an
    engine lives, and each test makes an engine: the same statements once more took a sixth of the tests' time."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_shared(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_shared(key), value)


def _shared(key: Any) -> Any:
    """The key without what tells one SQLite engine from another: all are made with the same options."""
    dialect, *statement = key
    return (dialect.name if dialect.name == "sqlite" else dialect, *statement)


def share_statements() -> None:
    """Let all engines of this process share what is made of their statements."""
    compiled = Compiled(2000)

    @event.listens_for(Engine, "engine_connect")
    def _share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=compiled)
