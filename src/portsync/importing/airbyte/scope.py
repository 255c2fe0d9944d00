"""What the names in a Jinja text of a manifest stand for, and how they are written in a mapping."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from portsync.importing.names import path_of, variable_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.airbyte.specification import Specification


class UnsayableError(Exception):
    """This means that a mapping has no words for a text; it says for which part of it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that one text may use."""

    specification: Specification
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The `$parameters` at this place, as values."""
    roots: Mapping[str, str] = field(default_factory=dict)
    """Names that stand for JSON, such as `response`, each with its JQ."""
    slices: Mapping[str, str] = field(default_factory=dict)
    """The fields of the partition and of the interval, each with its JQ."""
    takes_settings: bool = True
    """Whether a setting of the user may stand here, as `${NAME}`."""

    def seeing(self, **roots: str) -> Scope:
        """This scope, with more names that stand for JSON."""
        return replace(self, roots={**self.roots, **roots})

    def slice_field(self, path: tuple[str | int, ...]) -> str:
        """The JQ of a field of the partition or interval. Raises UnsayableError."""
        name = ".".join(map(str, path[1:] if path[0] == "extra_fields" else path))
        if name not in self.slices:
            raise UnsayableError(f"`{'.'.join(map(str, path))}` is no field of a partition or interval of this stream")
        return self.slices[name]

    def setting(self, path: tuple[str | int, ...], default: str | None = None) -> str:
        """The reference to a setting of the user. Raises UnsayableError where none may stand."""
        if not self.takes_settings:
            raise UnsayableError("a setting of the user cannot become part of an entity")
        if default is None:
            default = self.specification.default_of(path)
        name = variable_name(path)
        # A brace would end the reference.
        return f"${{{name}}}" if default is None or "}" in default else f"${{{name}:{default}}}"

    def parameter(self, path: tuple[str | int, ...]) -> Any:
        """The value of a parameter. Raises UnsayableError where there is none."""
        value: Any = self.parameters
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                raise UnsayableError(f"the parameter `{'.'.join(map(str, path))}` has no value here") from None
        return value

    def member(self, root: str, path: tuple[str | int, ...]) -> str | None:
        """The JQ of what stands at `path` below a name that stands for JSON; None where it stands for none."""
        if root not in self.roots:
            return None
        start = self.roots[root]
        if start == ".":
            return path_of(path)
        return start + path_of(path).removeprefix(".") if path and isinstance(path[0], int) else _joined(start, path)


def _joined(start: str, path: tuple[str | int, ...]) -> str:
    written = path_of(path)
    if written == ".":
        return start
    return start + (written.removeprefix(".") if written.startswith(".[") else written)
