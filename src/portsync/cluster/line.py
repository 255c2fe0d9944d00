"""How those who take part in a run speak with its keeper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from portsync.flow import Json


class LineLostError(Exception):
    """This means that the keeper cannot be reached any more."""


class Line(Protocol):
    """Carries questions to the keeper. What goes over it is made of dicts, lists, texts, bytes, numbers and None."""

    async def ask(self, what: str, **more: Json) -> Json:
        """The keeper's answer, however long that takes. Raises LineLostError."""
        ...
