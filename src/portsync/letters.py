"""The dead letters of a mapping's run: which file takes them, and what its header says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portsync.dead_letters import DeadLetters, Header

if TYPE_CHECKING:
    from pathlib import Path

    from portsync.mapping.loader import LoadedMapping
    from portsync.port.owner import Owner
    from portsync.surroundings import Surroundings


def letters_of(
    mapping: LoadedMapping, owner: Owner, around: Surroundings, run_id: str, path: Path | None
) -> DeadLetters | None:
    """What takes the records and entities that do not make it, in the file `path`, or beside the state; None where
    there is no place for a file."""
    settings, file = around.settings, mapping.file
    if path is None:
        if settings.state_folder is None:
            return None
        # Two mappings may share a name that the environment gives.
        is_shared = settings.own_identifier or settings.ocean_identifier
        name = owner.identifier if not is_shared else f"{owner.identifier}-{mapping.name}"
        path = settings.state_folder / "dead-letters" / f"{name}.jsonl"
    header = Header(
        run_id=run_id,
        mapping=str(mapping.path),
        product=owner.product,
        identifier=owner.identifier,
        type=owner.type,
        merge=file.enable_merge_entity,
        create_missing_related_entities=file.create_missing_related_entities,
        written_at=datetime.fromtimestamp(around.runtime.clock(), UTC),
    )
    return DeadLetters(path, header, around.redactor)
