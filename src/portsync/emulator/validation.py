"""Entity values against their blueprint, compiled once for each revision of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from portsync.emulator.blueprint_schema import VALUE_KEYWORDS
from portsync.emulator.calculations.fenced import Fence
from portsync.emulator.errors import ApiError, schema_mismatch
from portsync.emulator.formats import STRING_FORMATS, format_checker
from portsync.emulator.messages import describe
from portsync.emulator.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.guesses import Guesses

Check = Callable[[Any], bool]

# `type(...)`, not isinstance: in Python a boolean is an integer, in JSON it is not.
_JSON_TYPES: Mapping[str, Check] = MappingProxyType(
    {
        "string": lambda value: type(value) is str,
        "number": lambda value: type(value) in {int, float},
        "boolean": lambda value: type(value) is bool,
        "object": lambda value: type(value) is dict,
        "array": lambda value: type(value) is list,
    }
)


class PropertyValidator:
    """Checks an entity's properties against one blueprint."""

    def __init__(self, blueprint: Blueprint, guesses: Guesses, patterns: Patterns) -> None:
        schemas = {name: _values(schema) for name, schema in blueprint.properties.items()}
        checker, kind = format_checker(), _validator_with(patterns)
        self._checks = {name: quick_check(schema, checker, kind) for name, schema in schemas.items()}
        self._required = frozenset(blueprint.required)
        self._full = kind(
            {"type": "object", "properties": schemas, "required": blueprint.required}, format_checker=checker
        )
        self._unknown_status = guesses.unknown_property_status

    def known(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties the blueprint has; ApiError for others (or without them, as the guess says)."""
        unknown = sorted(properties.keys() - self._checks.keys())
        if not unknown:
            return dict(properties)
        if self._unknown_status is not None:
            message = f'"properties" must NOT have additional properties ({", ".join(unknown)})'
            raise ApiError(self._unknown_status, "blueprint_schema_mismatch", message)
        return {name: value for name, value in properties.items() if name in self._checks}

    def check(self, properties: Mapping[str, Any]) -> None:
        """ApiError 422 blueprint_schema_mismatch when a value does not fit; nothing is coerced.

        Takes properties without nulls: a null clears, so a required one that is null is a missing one.
        """
        checks = self._checks
        if self._required <= properties.keys() and all(
            checks[name](value) for name, value in properties.items() if name in checks
        ):
            return
        raise schema_mismatch(describe(self._full.iter_errors(dict(properties)), "properties"))


class ValidatorCache:
    """The validators of the newest revision of each blueprint."""

    def __init__(self, guesses: Guesses) -> None:
        self._guesses = guesses
        self._patterns = Patterns(Fence())
        self._known: dict[str, tuple[str, PropertyValidator]] = {}

    def of(self, blueprint: Blueprint) -> PropertyValidator:
        """The validator of this very revision, compiled when it is new."""
        revision, validator = self._known.get(blueprint.identifier, ("", None))
        if validator is None or revision != blueprint.revision:
            validator = PropertyValidator(blueprint, self._guesses, self._patterns)
            self._known[blueprint.identifier] = (blueprint.revision, validator)
        return validator


def quick_check(schema: Mapping[str, Any], checker: FormatChecker, kind: Any = Draft202012Validator) -> Check:
    """A yes-or-no check of one value: plain types and formats directly, all else by the library."""
    of_type = _JSON_TYPES[schema["type"]]
    if schema.keys() == {"type"}:
        return of_type
    if schema.keys() == {"type", "format"}:
        holds = STRING_FORMATS.get(schema["format"])
        if holds is None or schema["type"] != "string":
            return of_type
        in_format = holds
        return lambda value: type(value) is str and in_format(value)
    validator = kind(dict(schema), format_checker=checker)
    return lambda value: bool(validator.is_valid(value))


def _validator_with(patterns: Patterns) -> Any:
    """The library's validator, but for `pattern`, which it would leave to `re`."""

    def pattern(_validator: object, wanted: str, value: object, _schema: object) -> Iterator[ValidationError]:
        if isinstance(value, str) and not patterns.found(wanted, value):
            yield ValidationError("")

    return validators.extend(Draft202012Validator, {"pattern": pattern})


def _values(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a property's schema that speaks about values."""
    kept = {keyword: value for keyword, value in schema.items() if keyword in VALUE_KEYWORDS}
    if isinstance(kept.get("items"), dict):
        kept["items"] = _values(kept["items"])
    return kept
