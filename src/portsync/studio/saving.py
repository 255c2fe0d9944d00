"""Open and save, as the page asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.blueprints import beside, read_blueprints
from portsync.errors import BlueprintError, ConfigError, Problem
from portsync.studio.files import ConflictError, taken, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portsync.studio.asked import Save
    from portsync.studio.bundle import TakenFile
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


def write_files(session: Session, files: Sequence[TakenFile], *, over: bool) -> dict[str, Any]:
    """Write what is taken along beside the mapping, or into the folder of the studio. Raises ConfigError; ConflictError
    where a file is there with another content and may not go."""
    folder = session.folder if session.file.path is None else session.file.path.parent
    placed = [(folder / each.name, each.content) for each in files]
    if session.file.path is not None:
        # The mapping itself has a name already, whatever its ending.
        placed[0] = (session.file.path, placed[0][1])
    if not over and (there := taken(placed)):
        hint = "write them over, or take the archive"
        raise ConflictError(
            *(Problem("file-exists", "there is another file of this name", str(path), hint) for path in there)
        )
    session.file.save(files[0].content.decode(), placed[0][0], over=True)
    write(placed[1:])
    return {"written": [str(path) for path, _ in placed], "path": str(session.file.path)}
