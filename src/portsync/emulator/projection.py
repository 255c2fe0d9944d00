"""Which parts of an entity a search or read prints: the `include` and `exclude` lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_SECTIONS = ("properties", "relations")


@dataclass(frozen=True, slots=True)
class Projection:
    """Paths to print (None: all) and paths to leave out, as `title` or `properties.cost`."""

    include: frozenset[str] | None
    exclude: frozenset[str]

    def of(self, entity: dict[str, Any]) -> dict[str, Any]:
        """The wanted parts of an entity's answer."""
        if self.include is None and not self.exclude:
            return entity
        shown: dict[str, Any] = {}
        for key, value in entity.items():
            if key not in _SECTIONS:
                if self._shows(key):
                    shown[key] = value
                continue
            inner = {name: each for name, each in value.items() if self._shows(key, f"{key}.{name}")}
            if inner or self._shows(key):
                shown[key] = inner
        return shown

    def shows_property(self, name: str) -> bool:
        """Whether this property is printed."""
        return self._shows("properties", f"properties.{name}")

    def _shows(self, *paths: str) -> bool:
        if any(path in self.exclude for path in paths):
            return False
        return self.include is None or any(path in self.include for path in paths)


def by_paths(include: Sequence[str], exclude: Sequence[str]) -> Projection:
    """The lists of the reading routes and the org-wide search: paths of the entity's JSON."""
    return Projection(frozenset(include) or None, frozenset(exclude))


def by_names(include: Sequence[str], exclude: Sequence[str]) -> Projection:
    """The lists of the search in one blueprint: `$identifier`, and bare names of properties or relations."""
    return Projection(_paths(include) or None, _paths(exclude))


def _paths(names: Collection[str]) -> frozenset[str]:
    meta = {name[1:] for name in names if name.startswith("$")}
    bare = {f"{section}.{name}" for name in names if not name.startswith("$") for section in _SECTIONS}
    return frozenset(meta | bare)
