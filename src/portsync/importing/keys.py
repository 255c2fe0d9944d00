"""Read a mapping of another system's file key by key: what nobody read is listed, so that nothing is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.mapping.explain import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from portsync.importing.notes import Notes
    from portsync.importing.piece import Piece
    from portsync.mapping.places import Place


class Keys:
    """The members of one mapping. Those that are read are ticked off; `close` lists the rest."""

    def __init__(self, piece: Piece, notes: Notes, name: str, inherited: Mapping[str, Piece] | None = None) -> None:
        """`name` is what messages call it. `inherited` stands in for members that are missing or empty."""
        self._members: dict[str, Piece] = piece.value if isinstance(piece.value, dict) else {}
        self._inherited = inherited or {}
        self._read: dict[str, None] = {}
        self.notes = notes
        self.name = name
        self.place: Place = piece.place
        if not isinstance(piece.value, dict):
            notes.lost(piece.place, f"{name} is {piece.type_name}, where a mapping is wanted")

    def __contains__(self, name: str) -> bool:
        return self.look(name) is not None

    def look(self, name: str) -> Piece | None:
        """The member, without ticking it off; None where it is missing or null."""
        own = self._members.get(name)
        if own is None or own.value in (None, "", [], {}):
            inherited = self._inherited.get(name)
            own = own if inherited is None else inherited
        return None if own is None or own.value is None else own

    def has_null(self, name: str) -> bool:
        """Whether the member is there, and null."""
        return name in self._members and self._members[name].value is None

    def place_of(self, name: str) -> Place:
        """The place of a member, or of the whole where it is missing."""
        piece = self.look(name)
        return self.place if piece is None else piece.place

    def piece(self, name: str) -> Piece | None:
        """The member, whatever it is; None where it is missing or null."""
        self._read[name] = None
        return self.look(name)

    def text(self, name: str) -> str | None:
        """The member as a text; a number or boolean is taken as it would be written."""
        piece = self.piece(name)
        match None if piece is None else piece.value:
            case bool() as value:
                return "true" if value else "false"
            case str() | int() | float() as value:
                return str(value)
            case _:
                self._wrong(piece, name, "a text")
                return None

    def integer(self, name: str) -> int | None:
        """The member as an integer; a text of digits is one."""
        piece = self.piece(name)
        match None if piece is None else piece.value:
            case bool():
                self._wrong(piece, name, "a number")
                return None
            case int() as value:
                return value
            case str() as value if value.isascii() and value.isdigit() and len(value) <= 15:  # noqa: PLR2004
                return int(value)
            case _:
                self._wrong(piece, name, "a number")
                return None

    def boolean(self, name: str) -> bool | None:
        """The member as a boolean."""
        piece = self.piece(name)
        match None if piece is None else piece.value:
            case bool() as value:
                return value
            case _:
                self._wrong(piece, name, "a boolean")
                return None

    def items(self, name: str) -> list[Piece]:
        """The member as a list; anything else is a list of one."""
        piece = self.piece(name)
        if piece is None:
            return []
        return piece.value if isinstance(piece.value, list) else [piece]

    def members(self, name: str) -> dict[str, Piece]:
        """The member as a mapping."""
        piece = self.piece(name)
        if piece is None:
            return {}
        if isinstance(piece.value, dict):
            return piece.value
        self._wrong(piece, name, "a mapping")
        return {}

    def skip(self, *names: str) -> None:
        """Tick off what has no meaning for a mapping."""
        self._read.update(dict.fromkeys(names))

    def rest(self) -> Iterator[tuple[str, Piece]]:
        """What nobody read."""
        return ((name, piece) for name, piece in self._members.items() if name not in self._read)

    def close(self, known: Collection[str] = ()) -> None:
        """List what nobody read: a mapping has no words for it. `known` are more names that there could have been."""
        for name, piece in self.rest():
            message = f"{self.name}: `{name}` has no counterpart in a mapping"
            self.notes.lost(piece.place, message, did_you_mean(name, [*self._read, *known]))

    def _wrong(self, piece: Piece | None, name: str, wanted: str) -> None:
        if piece is not None:
            self.notes.lost(piece.place, f"{self.name}: `{name}` is {piece.type_name}, where {wanted} is wanted")
