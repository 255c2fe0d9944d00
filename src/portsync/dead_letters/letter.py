"""The lines of a dead-letter file, as values."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations

import msgspec

VERSION = 1
"""Of the form of the file."""

NO_ENTITY = msgspec.Raw(b"null")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: whose letters these are, and how their entities were sent."""

    version: int = VERSION
    run_id: str
    mapping: str
    """The path as it was given."""
    product: str = "portsync"
    """What the integration's entities say wrote them; Ocean's where one of its integrations was taken over."""
    identifier: str
    """Of the integration."""
    type: str
    """Of the integration."""
    merge: bool
    create_missing_related_entities: bool
    written_at: datetime
    """When the run began, in UTC."""


class Letter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Each further line: a failure, a rejection or a conflict."""

    code: str
    message: str
    hint: str | None
    place: str | None
    kind: str | None
    resource: int | None
    """The resource's index in the mapping."""
    identifier: str | None
    blueprint: str | None
    entity: msgspec.Raw
    """The entity as it would be sent, byte for byte; null where there is none."""
    redacted: bool = False
    """Whether a secret was taken out of it: then it is not what it was, and must not be sent."""

    @property
    def body_to_send(self) -> bytes | None:
        """The entity, or None where there is none that could be sent."""
        body = bytes(self.entity)
        return None if self.redacted or body == b"null" else body
