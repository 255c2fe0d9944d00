"""The properties that a request names, read from printed entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.emulator.computed.specs import META, computed_names, has_property
from portsync.emulator.errors import invalid_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.measures.measure import Read

_PREFIX = "properties."
_TIMES = frozenset({"$createdAt", "$updatedAt"})
_SECTIONS = ("calculationProperties", "aggregationProperties", "mirrorProperties")


def bare_name(name: str) -> str:
    """The name of a property, which widgets and the route behind them write as `properties.cost` too."""
    return name.removeprefix(_PREFIX)


def reader(name: str) -> Read:
    """Reads a property, or what all entities have, as `$createdAt`."""
    if name.startswith("$") and name[1:] in META:
        return lambda printed: printed[name[1:]]
    bare = bare_name(name)
    return lambda printed: printed["properties"].get(bare)


def relation_reader(name: str) -> Read:
    """Reads a relation."""
    return lambda printed: printed["relations"].get(name)


def check_property(blueprint: Blueprint, name: str, place: str) -> None:
    """ApiError 422 for a property that the blueprint lacks."""
    if not has_property(blueprint, bare_name(name)):
        raise invalid_request(f'"{place}" must be a property of the blueprint "{blueprint.identifier}"')


def check_number(blueprint: Blueprint, name: str, place: str) -> None:
    """ApiError 422 for a property that the blueprint lacks, or that holds no numbers."""
    check_property(blueprint, name, place)
    if _schema(blueprint, bare_name(name)).get("type", "number") != "number":
        raise invalid_request(f'"{place}" must be a property of type number')


def check_time(blueprint: Blueprint, name: str, place: str) -> None:
    """ApiError 422 for what is no date-time of the blueprint's entities."""
    bare = bare_name(name)
    if name in _TIMES or (bare in computed_names(blueprint) and "format" not in _schema(blueprint, bare)):
        return
    check_property(blueprint, name, place)
    if _schema(blueprint, bare).get("format") != "date-time":
        raise invalid_request(f'"{place}" must be a property of format date-time')


def _schema(blueprint: Blueprint, name: str) -> Mapping[str, Any]:
    """What the blueprint says of a property; mirror properties say nothing of their type."""
    if name.startswith("$"):
        return {"type": "string", "format": "date-time" if name in _TIMES else ""}
    for section in _SECTIONS:
        if name in blueprint.body[section]:
            found: Mapping[str, Any] = blueprint.body[section][name]
            return found
    schema: Mapping[str, Any] = blueprint.properties.get(name, {})
    return schema
