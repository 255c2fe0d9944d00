"""The settings that a manifest asks its user for (`spec.connection_specification`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portsync.masking import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Specification:
    """A JSON Schema of the settings."""

    schema: Mapping[str, Any] = field(default_factory=dict)

    def default_of(self, path: tuple[str | int, ...]) -> str | None:
        """The default of a setting as a text; None where it has none, or is a secret."""
        schema: Any = self.schema
        for part in path:
            properties = schema.get("properties") if isinstance(schema, dict) else None
            schema = properties.get(part) if isinstance(properties, dict) else None
        if not isinstance(schema, dict) or schema.get("airbyte_secret") is True or is_secret_name(str(path[-1])):
            return None
        match schema.get("default"):
            case bool() as value:
                return "true" if value else "false"
            case str() | int() | float() as value:
                return str(value)
            case _:
                return None
