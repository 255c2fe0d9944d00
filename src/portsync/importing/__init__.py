"""Another system's configuration as a mapping: nothing of it is dropped without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portsync.importing.airbyte import from_airbyte
from portsync.importing.dlt import from_dlt
from portsync.importing.imported import Imported, finished
from portsync.importing.notes import LOST, Notes
from portsync.importing.ocean import from_ocean
from portsync.importing.ocean.environment import read_environment
from portsync.importing.piece import read

if TYPE_CHECKING:
    from portsync.importing.imported import Draft
    from portsync.importing.piece import Piece

__all__ = ["LOST", "Imported", "System", "TextFile", "imported"]

System = Literal["ocean", "airbyte", "dlt"]
TextFile = tuple[str, str]
"""The name of a file, for places, and its text."""


def imported(system: System, file: TextFile, environment: TextFile | None = None) -> Imported:
    """The mapping that a configuration of `system` becomes, with all that there is to say about it. `environment` is
    a file with the variables of an Ocean container.

    Raises ConfigError where the text is no such configuration, or nothing in it can be said.
    """
    name, text = file
    notes = Notes()
    draft = _draft(system, read(text, name), environment, notes)
    return finished(draft, notes, name, system)


def _draft(system: System, piece: Piece, environment: TextFile | None, notes: Notes) -> Draft:
    match system:
        case "ocean":
            settings = None if environment is None else read_environment(environment[1], environment[0], notes)
            return from_ocean(piece, settings, notes)
        case "airbyte":
            return from_airbyte(piece, notes)
        case "dlt":
            return from_dlt(piece, notes)
