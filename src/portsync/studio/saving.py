"""Open and save, as the page asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.blueprints import beside, read_blueprints
from portsync.errors import BlueprintError, ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from portsync.studio.asked import Save
    from portsync.studio.session import Session


def opened(session: Session) -> dict[str, Any]:
    """The file as it is now, with the blueprints beside it. Raises MappingError where it cannot be read."""
    text = session.file.read()
    path = session.file.path
    return {
        "text": text,
        "path": None if path is None else str(path),
        "folder": str(session.folder),
        "blueprints": {} if path is None else _beside(path),
    }


def _beside(path: Path) -> dict[str, Any]:
    folder = beside(path)
    if folder is None:
        return {}
    try:
        return {blueprint["identifier"]: blueprint for blueprint in read_blueprints(folder)}
    except BlueprintError:
        # `check` says what is wrong with them; here new ones can be made.
        return {}


def save(session: Session, asked: Save) -> dict[str, Any]:
    """Write the text to its file, or to a new one. Raises ConfigError."""
    if asked.path is None and session.file.path is None:
        raise ConfigError(Problem("unwritable-file", "the mapping has no name yet", hint="give it one"))
    path = session.file.path if asked.path is None else session.folder / asked.path.strip()
    assert path is not None
    session.file.save(asked.text.replace("\r\n", "\n"), path, over=asked.over)
    return {"path": str(path)}
