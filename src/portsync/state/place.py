"""Where the state lies: a SQLite file, a PostgreSQL database, or nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from portsync.errors import Problem, StateError

if TYPE_CHECKING:
    from portsync.settings import Settings

_HINT = "PORTSYNC_STATE is a path, sqlite:///PATH, postgresql://..., or none"


@dataclass(frozen=True, slots=True)
class StatePlace:
    """Exactly one of `path` and `url`, or none of them where no state is kept."""

    path: Path | None = None
    url: str | None = None
    is_ours: bool = False
    """Whether we chose the file's name, so that nothing but a state can be in it."""
    integration: str = ""
    """Of whom the state is, where several integrations may be in one database."""

    def __str__(self) -> str:
        """For messages: without the password that a URL may hold."""
        if self.url is not None:
            return self.url.rpartition("@")[2].partition("?")[0]
        return str(self.path) if self.path is not None else "none"


def state_place(settings: Settings, identifier: str) -> StatePlace:
    """Where the state of the integration `identifier` lies. Raises StateError where the setting makes no sense."""
    given = settings.state
    if given == "none":
        return StatePlace()
    if given is None:
        folder = settings.state_folder
        # Nothing can be kept where there is no home; every run compares with Port then.
        return StatePlace() if folder is None else StatePlace(folder / "state" / f"{identifier}.db", is_ours=True)
    scheme, separator, rest = given.partition("://")
    if not separator:
        return StatePlace(Path(given))
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return StatePlace(Path(rest[1:]))
    if scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        return StatePlace(url=f"postgresql+psycopg://{rest}", integration=identifier)
    raise StateError(Problem("bad-state", f"the state cannot be a {scheme} URL", "PORTSYNC_STATE", _HINT))
