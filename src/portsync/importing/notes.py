"""What there is to say about an import: what could not be brought over, and what should be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.errors import Problem

if TYPE_CHECKING:
    from portsync.mapping.places import Place

LOST = "import-lost"


class Notes:
    """Collects what an importer has to say, each thing once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def lost(self, place: Place | str | None, message: str, hint: str | None = None) -> None:
        """Something of the file is not in the mapping."""
        self._add(Problem("import-lost", message, None if place is None else str(place), hint))

    def said(self, place: Place | str | None, message: str, hint: str | None = None) -> None:
        """All is in the mapping, but something about it is to be known."""
        self._add(Problem("import-note", message, None if place is None else str(place), hint))

    def _add(self, problem: Problem) -> None:
        self._found.setdefault(problem)

    def in_order(self) -> tuple[Problem, ...]:
        """What is lost first, each in the order of the file."""
        return tuple(sorted(self._found, key=lambda note: (note.code != LOST, _position(note))))


def _position(note: Problem) -> tuple[str, int, int]:
    parts = (note.place or "").rsplit(":", 2)
    is_place = len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit()  # noqa: PLR2004 - file, line, column
    return (parts[0], int(parts[1]), int(parts[2])) if is_place else (note.place or "", 0, 0)
