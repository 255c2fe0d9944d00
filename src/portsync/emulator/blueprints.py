"""A blueprint, and the rules a new or changed one has to keep."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import ApiError, invalid_request

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_BLUEPRINTS = frozenset({"_user", "_team"})
STAMP_KEYS = frozenset({"createdAt", "createdBy", "updatedAt", "updatedBy"})
_DEFAULT_SECTIONS = ("calculationProperties", "mirrorProperties", "aggregationProperties", "relations")


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of a blueprint."""

    target: str
    required: bool
    many: bool


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A stored blueprint; `revision` changes with every write, so caches can be keyed by it."""

    identifier: str
    revision: str
    body: Mapping[str, Any]
    relations: Mapping[str, Relation]

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["schema"]["properties"]
        return found

    @property
    def required(self) -> list[str]:
        found: list[str] = self.body["schema"].get("required", [])
        return found

    @property
    def protected(self) -> bool:
        """System blueprints may be extended, not deleted, and their entities are never made in passing."""
        return self.identifier in SYSTEM_BLUEPRINTS

    @property
    def inherits_ownership(self) -> bool:
        return bool(self.body.get("ownership", {}).get("type") == "Inherited")


def blueprint(body: Mapping[str, Any], revision: str) -> Blueprint:
    """The blueprint that a checked body describes."""
    relations = {
        name: Relation(relation["target"], relation.get("required", False), relation.get("many", False))
        for name, relation in body.get("relations", {}).items()
    }
    return Blueprint(body["identifier"], revision, body, relations)


def completed(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as Port stores it: every section there, every relation with its defaults."""
    whole = {**dict.fromkeys(_DEFAULT_SECTIONS), **body}
    for name in _DEFAULT_SECTIONS:
        whole[name] = whole[name] or {}
    whole["schema"] = {"required": [], **body["schema"]}
    whole["relations"] = {
        name: {"required": False, "many": False, **relation} for name, relation in whole["relations"].items()
    }
    return whole


def check_relations(body: Mapping[str, Any]) -> None:
    """ApiError 422 for a relation that is required and many, which Port refuses."""
    for name, relation in body["relations"].items():
        if relation["required"] and relation["many"]:
            raise invalid_request(f'"body.relations.{name}" must NOT be both required and many')


def check_change(before: Blueprint, after: Mapping[str, Any]) -> None:
    """ApiError 422 when a property would change its type or format (Port's API reference, blueprints)."""
    for name, schema in after["schema"]["properties"].items():
        known = before.properties.get(name)
        if known is None:
            continue
        for keyword in ("type", "format"):
            if known.get(keyword) != schema.get(keyword):
                raise ApiError(
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                    "forbidden_format_change",
                    f'The {keyword} of the existing property "{name}" cannot be changed',
                    {"property": name},
                )


def check_identifier_kept(before: Blueprint, sent: Mapping[str, Any]) -> None:
    """ApiError 422 when a body names another blueprint than the address does."""
    if sent.get("identifier", before.identifier) != before.identifier:
        raise invalid_request('"body.identifier" must be the identifier in the path')
