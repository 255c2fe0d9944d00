"""The values of relations: their shape, and the targets they name."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import ApiError, invalid_request, not_found
from portsync.emulator.identifiers import ENTITY_PATTERN, is_entity_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.emulator.blueprints import Blueprint, Relation
    from portsync.emulator.guesses import Guesses

RelationValue = str | list[str]


def read_relations(blueprint: Blueprint, sent: Mapping[str, Any], guesses: Guesses) -> dict[str, RelationValue | None]:
    """The sent relations, their shapes checked; None clears one.

    Raises ApiError: 404 for a key the blueprint lacks, 422 relation_many_violation for a list in a single
    relation or the reverse, 422 invalid_request for what is no identifier at all.
    """
    return {name: _value(blueprint, name, value, guesses) for name, value in sent.items()}


def check_required(blueprint: Blueprint, relations: Mapping[str, RelationValue], guesses: Guesses) -> None:
    """ApiError required_relation when a required relation has no value."""
    for name, relation in blueprint.relations.items():
        if relation.required and name not in relations:
            raise ApiError(guesses.required_relation_status, "required_relation", f'The relation "{name}" is required')


def targets(value: RelationValue | None) -> list[str]:
    """The identifiers a value names."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def _value(blueprint: Blueprint, name: str, value: object, guesses: Guesses) -> RelationValue | None:
    relation = blueprint.relations.get(name)
    if relation is None:
        raise not_found("Relation", name)
    if value is None:
        return None
    if isinstance(value, str):
        return _single(name, value, relation, guesses)
    if not isinstance(value, list):
        raise invalid_request(f'"relations.{name}" must be string,array,object,null')
    if not relation.many:
        raise _many_violation(name, "holds one entity, but a list was sent")
    return [_identifier(name, item) for item in value]


def _single(name: str, value: str, relation: Relation, guesses: Guesses) -> RelationValue:
    identifier = _identifier(name, value)
    if not relation.many:
        return identifier
    if guesses.lone_string_for_many:
        return [identifier]
    raise _many_violation(name, "holds a list of entities, but a single one was sent")


def _identifier(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise invalid_request(f'"relations.{name}" must be string')
    if not is_entity_identifier(value):
        raise invalid_request(f'"relations.{name}" must match pattern "{ENTITY_PATTERN}"')
    return value


def _many_violation(name: str, problem: str) -> ApiError:
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "relation_many_violation", f'The relation "{name}" {problem}')
