"""The switches at the top of an Ocean configuration (its `PortAppConfig`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.importing.piece import places_of
from portsync.importing.tree import Mark, Tree
from portsync.mapping.explain import did_you_mean

if TYPE_CHECKING:
    from portsync.importing.notes import Notes
    from portsync.importing.piece import Piece

_SWITCHES = {
    "createMissingRelatedEntities": "create_missing_related_entities",
    "deleteDependentEntities": "delete_dependent_entities",
    "enableMergeEntity": "enable_merge_entity",
    "entityDeletionThreshold": "entity_deletion_threshold",
}


def switches(file: Piece, notes: Notes) -> Tree:
    """The switches that the file sets. Where it leaves one to its default, and Ocean has another one than portsync,
    that is said."""
    members: dict[str, Piece] = file.value
    found: Tree = {}
    for name, other in _SWITCHES.items():
        piece = members.get(name, members.get(other))
        if piece is not None and piece.value is not None:
            found[name] = piece.plain
    for name, piece in members.items():
        if name != "resources" and name not in _SWITCHES and name not in _SWITCHES.values():
            guess = did_you_mean(name, list(_SWITCHES))
            notes.said(piece.place, f"`{name}` is left out: Ocean passes over it in silence", guess)
    if "deleteDependentEntities" not in found:
        hint = "write `deleteDependentEntities: true` to keep that"
        notes.said(
            file.place, "`deleteDependentEntities` is false where it is not set; Ocean's code takes it for true", hint
        )
    if "entityDeletionThreshold" not in found:
        message = (
            "`entityDeletionThreshold` is 0.3 of each blueprint where it is not set; Ocean takes 0.9 of all entities"
        )
        notes.said(file.place, message, "write the share that one run may delete")
    return {**found, Mark.PLACES: places_of(members, file.place)}
