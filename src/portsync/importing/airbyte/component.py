"""One component of a manifest, read key by key, with the `$parameters` that hold for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from portsync.importing.airbyte.jinja import as_condition, as_jq, as_text, as_value
from portsync.importing.airbyte.scope import Scope, UnsayableError
from portsync.importing.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portsync.importing.airbyte.specification import Specification
    from portsync.importing.notes import Notes
    from portsync.importing.piece import Piece

T = TypeVar("T")


class Component(Keys):
    """A mapping with a `type`. Its fields may come from parameters of its own, or of those around it."""

    def __init__(
        self,
        piece: Piece,
        notes: Notes,
        specification: Specification,
        outer: Mapping[str, Piece] | None = None,
        default_type: str = "",
    ) -> None:
        members: Mapping[str, Piece] = piece.value if isinstance(piece.value, dict) else {}
        own = members.get("$parameters")
        own_parameters = own.value if own is not None and isinstance(own.value, dict) else {}
        self.parameters: dict[str, Piece] = {**(outer or {}), **own_parameters}
        self.specification = specification
        kind = members.get("type")
        self.type = kind.value if kind is not None and isinstance(kind.value, str) else default_type
        # A parameter with the name of a field stands in for it; what a field is made of, it cannot be made of itself.
        super().__init__(piece, notes, self.type or "this", self.parameters)
        self.skip("type", "$parameters", "name", "description", "$options")

    def component(self, name: str, default_type: str = "") -> Component | None:
        """The component under `name`; None where there is none."""
        piece = self.piece(name)
        return None if piece is None else self.made_of(piece, name, default_type)

    def components(self, name: str, default_type: str = "") -> list[Component]:
        """The components of a list; one that is no list counts as one."""
        return [self.made_of(piece, name, default_type) for piece in self.items(name)]

    def made_of(self, piece: Piece, name: str = "", default_type: str = "") -> Component:
        """The component that a piece is, with the parameters of this one."""
        outer = {key: value for key, value in self.parameters.items() if key != name}
        return Component(piece, self.notes, self.specification, outer, default_type)

    def scope(self, slices: Mapping[str, str] | None = None, **roots: str) -> Scope:
        """What the texts of this component may name."""
        parameters = {name: piece.plain for name, piece in self.parameters.items()}
        return Scope(self.specification, parameters, roots, slices or {})

    def said(self, name: str, scope: Scope, *, interpolated: bool = True) -> str | None:
        """The text under `name` as a text with spans; None where it is missing, or cannot be said and was listed."""
        text = self.text(name)
        if text is None:
            return None
        return self._tried(name, lambda: as_text(text, scope, interpolated=interpolated))

    def value(self, name: str, scope: Scope) -> Any:
        """The value under `name`, all its texts with spans."""
        piece = self.piece(name)
        return None if piece is None else self._tried(name, lambda: as_value(piece.plain, scope))

    def fixed(self, name: str) -> str | None:
        """The text under `name` for a place that knows no spans."""
        text = self.text(name)
        return None if text is None else self._tried(name, lambda: _without_spans(as_text(text, self.scope())))

    def fixed_value(self, name: str) -> Any:
        """The value under `name` for a place that knows no spans."""
        piece = self.piece(name)
        return None if piece is None else self._tried(name, lambda: _without_spans(as_value(piece.plain, self.scope())))

    def jq(self, name: str, scope: Scope) -> str | None:
        """The text under `name` as JQ."""
        piece = self.piece(name)
        return None if piece is None else self._tried(name, lambda: as_jq(piece.plain, scope))

    def condition(self, name: str, scope: Scope) -> str | None:
        """The text under `name` as JQ that gives true or false."""
        piece = self.piece(name)
        if piece is None or piece.value == "":
            return None
        return self._tried(name, lambda: as_condition(piece.plain, scope))

    @staticmethod
    def condition_of(text: str, scope: Scope) -> str | None:
        """A text of our own making as such JQ; None where it cannot be said."""
        try:
            return as_condition(text, scope)
        except UnsayableError:
            return None

    def drop(self, name: str, why: str, hint: str | None = None) -> None:
        """Tick `name` off, and list it where it is there."""
        piece = self.piece(name)
        if piece is not None and piece.value not in ("", [], {}, False):
            self.notes.lost(piece.place, f"{self.name}: `{name}`: {why}", hint)

    def _tried(self, name: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except UnsayableError as error:
            piece = self.look(name)
            place = self.place if piece is None else piece.place
            self.notes.lost(place, f"{self.name}: `{name}` cannot be said in a mapping: {error}")
            return None


def _without_spans(value: Any) -> Any:
    """`value`, where no text in it has a span. Raises UnsayableError."""
    match value:
        case dict():
            for item in value.values():
                _without_spans(item)
        case list():
            for item in value:
                _without_spans(item)
        case str() if "{{" in value:
            raise UnsayableError("nothing is calculated here")
        case _:
            pass
    return value
