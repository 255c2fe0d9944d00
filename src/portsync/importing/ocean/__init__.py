"""Port's Ocean: the mapping and the environment of its custom integration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.errors import ConfigError, Problem
from portsync.importing.imported import Draft
from portsync.importing.ocean.connection import connection
from portsync.importing.ocean.resources import resource_of
from portsync.importing.ocean.switches import switches
from portsync.importing.tree import Tree, placed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.notes import Notes
    from portsync.importing.ocean.environment import Setting
    from portsync.importing.piece import Piece

__all__ = ["from_ocean"]


def from_ocean(file: Piece, settings: Mapping[str, Setting] | None, notes: Notes) -> Draft:
    """The mapping of an Ocean configuration (`resources:` and switches) and of its environment, None where that was
    not given. Raises ConfigError where `file` is no such configuration."""
    resources = file.value.get("resources") if isinstance(file.value, dict) else None
    if resources is None or not isinstance(resources.value, list):
        message = "is no configuration of Ocean: it has no list `resources`"
        hint = "give the file that Ocean calls port-app-config.yml, or a copy of the mapping on Port's page"
        raise ConfigError(Problem("not-importable", message, str(file.place), hint))
    document: Tree = {}
    if settings is None:
        hint = "give the variables as --env FILE, or set them when portsync runs"
        notes.said(file.place, "where the source is, and its credentials, are not in this file", hint)
    else:
        document["source"] = connection(settings, notes)
    document |= switches(file, notes)
    paginates = document.get("source", {}).get("pagination", {}).get("type", "none") != "none"
    document["resources"] = [
        placed(resource_of(piece, notes, paginates=paginates), piece.place) for piece in resources.value
    ]
    return Draft({key: value for key, value in document.items() if value != {}})
