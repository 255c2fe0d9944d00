"""Schema failures in the words of AJV, the validator whose messages Port's answers carry."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from portsync.emulator.identifiers import BLUEPRINT_PATTERN, ENTITY_PATTERN, PAGE_PATTERN, PROPERTY_PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jsonschema import ValidationError

_PATTERNS_AS_FORMATS = {
    "entity-identifier": ENTITY_PATTERN,
    "blueprint-identifier": BLUEPRINT_PATTERN,
    "page-identifier": PAGE_PATTERN,
    "property-identifier": PROPERTY_PATTERN,
}


def describe(errors: Iterable[ValidationError], root: str) -> str:
    """All failures in one line, each with its place in front: `"properties.cost" must be number`."""
    lines = [f'"{_place(error, root)}" {_wording(error)}' for error in errors]
    return ", ".join(dict.fromkeys(lines))


def _place(error: ValidationError, root: str) -> str:
    return ".".join([root, *(str(step) for step in error.absolute_path)])


def _wording(error: ValidationError) -> str:
    template = _TEMPLATES.get(error.validator)
    if template is not None:
        return template.format(error.validator_value)
    special = _SPECIAL.get(error.validator)
    return f'must pass "{error.validator}" keyword validation' if special is None else special(error)


def _type(error: ValidationError) -> str:
    wanted = error.validator_value
    return f"must be {wanted if isinstance(wanted, str) else ','.join(wanted)}"


def _required(error: ValidationError) -> str:
    missing = [name for name in error.validator_value if name not in error.instance]
    return ", ".join(f"must have required property '{name}'" for name in missing)


def _additional(error: ValidationError) -> str:
    extra = sorted(error.instance.keys() - error.schema.get("properties", {}).keys())
    return f"must NOT have additional properties ({', '.join(extra)})"


def _format(error: ValidationError) -> str:
    name = error.validator_value
    pattern = _PATTERNS_AS_FORMATS.get(name)
    return f'must match format "{name}"' if pattern is None else f'must match pattern "{pattern}"'


_TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "enum": "must be equal to one of the allowed values",
        "const": "must be equal to constant",
        "pattern": 'must match pattern "{}"',
        "minimum": "must be >= {}",
        "maximum": "must be <= {}",
        "exclusiveMinimum": "must be > {}",
        "exclusiveMaximum": "must be < {}",
        "minLength": "must NOT have fewer than {} characters",
        "maxLength": "must NOT have more than {} characters",
        "minItems": "must NOT have fewer than {} items",
        "maxItems": "must NOT have more than {} items",
        "uniqueItems": "must NOT have duplicate items",
    }
)
_SPECIAL: Mapping[str, Callable[[ValidationError], str]] = MappingProxyType(
    {"type": _type, "required": _required, "additionalProperties": _additional, "format": _format}
)
