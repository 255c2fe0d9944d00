"""The references of a manifest: `$ref: "#/definitions/x"`, and texts that are one (Airbyte's reference, $ref)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.errors import ConfigError, Problem
from portsync.importing.piece import Piece

if TYPE_CHECKING:
    from portsync.importing.notes import Notes

_REF = "$ref"
_MOST = 200_000
_DEEPEST = 100


def resolved(manifest: Piece, notes: Notes) -> Piece:
    """The manifest without references. Those that lead nowhere, or in a circle, are listed and become null.

    Raises ConfigError where it unfolds into more than anybody can have meant.
    """
    return _Resolver(manifest, notes).piece(manifest, (), 0)


class _Resolver:
    def __init__(self, manifest: Piece, notes: Notes) -> None:
        self._manifest = manifest
        self._notes = notes
        self._count = 0

    def piece(self, piece: Piece, through: tuple[str, ...], depth: int) -> Piece:
        """`piece` with what it refers to in place of its references; `through` are those that led here."""
        self._count += 1
        if self._count > _MOST or depth > _DEEPEST:
            message = "its references unfold into too many or too deep values"
            raise ConfigError(Problem("not-importable", message, str(piece.place)))
        match piece.value:
            case dict():
                return self._mapping(piece, through, depth)
            case list():
                return Piece([self.piece(item, through, depth + 1) for item in piece.value], piece.place)
            case str() as text if text.startswith("#/"):
                return self._target(text, piece, through, depth)
            case _:
                return piece

    def _mapping(self, piece: Piece, through: tuple[str, ...], depth: int) -> Piece:
        """What stands in a mapping wins over what it refers to."""
        # What streams are made of is taken from there; by itself it is nothing.
        skipped = ("definitions",) if depth == 0 else ()
        own = {
            name: self.piece(item, through, depth + 1)
            for name, item in piece.value.items()
            if name != _REF and name not in skipped
        }
        if _REF not in piece.value:
            return Piece(own, piece.place)
        target = self.piece(piece.value[_REF], through, depth + 1)
        if not isinstance(target.value, dict):
            if own:
                self._notes.lost(piece.place, "what stands beside this `$ref` is lost, because it refers to no mapping")
            return target
        return Piece({**target.value, **own}, piece.place)

    def _target(self, reference: str, piece: Piece, through: tuple[str, ...], depth: int) -> Piece:
        if reference in through:
            self._notes.lost(piece.place, f"the reference `{reference}` leads back to itself")
            return Piece(None, piece.place)
        found = _found(self._manifest, reference.removeprefix("#/"))
        if found is None:
            self._notes.lost(piece.place, f"the reference `{reference}` leads nowhere")
            return Piece(None, piece.place)
        return self.piece(found, (*through, reference), depth + 1)


def _found(manifest: Piece, path: str) -> Piece | None:
    """What stands at `a/b/0`; a key may hold a slash, so the whole rest of the path is tried first."""
    here: Any = manifest
    while path:
        if isinstance(here.value, dict) and path in here.value:
            return here.value[path]  # type: ignore[no-any-return] # members of pieces are pieces
        head, _, path = path.partition("/")
        match here.value:
            case dict() if head in here.value:
                here = here.value[head]
            case list() if head.isascii() and head.isdigit() and int(head[:9]) < len(here.value):
                here = here.value[int(head[:9])]
            case _:
                return None
    return here  # type: ignore[no-any-return] # as above
