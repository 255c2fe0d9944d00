"""Port's bulk upsert: one request, one outcome for each entity (Port's API reference, create multiple entities)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.flow import BatchResult, Fate, Outcome
from portsync.port.client import json_of, message_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.flow import Answer, Batch, Entity


@dataclass(frozen=True, slots=True)
class UpsertSwitches:
    """The switches of the mapping file that go along with every bulk upsert."""

    merge: bool
    create_missing_related_entities: bool

    def params(self) -> tuple[tuple[str, str], ...]:
        return (
            ("upsert", "true"),
            ("merge", str(self.merge).lower()),
            ("create_missing_related_entities", str(self.create_missing_related_entities).lower()),
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says of one entity."""

    outcome: Outcome
    may_pass: bool = False
    """Whether it was refused for a reason that may be gone a moment later."""
    is_of_port: bool = True
    """Whether it was Port that spoke, and not something on the way to it."""


def is_trouble(status: object) -> bool:
    """Whether a status, of an answer or of one entity, may be another one a moment later."""
    return isinstance(status, int) and (
        status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def said_by(answer: Answer, batch: Batch) -> list[Said]:
    """What the answer to a bulk request of `batch` says of each of its entities."""
    value = json_of(answer)
    if isinstance(value, dict) and _speaks_of_each(answer, value):
        return _by_index(batch, value)
    if answer.is_success and not isinstance(value, dict):
        refusal = _not_port(answer)
        return [Said(outcome, may_pass=True, is_of_port=False) for outcome in rejected(batch, *refusal).outcomes]
    refusal = _whole_refusal(batch, answer)
    return [Said(outcome) for outcome in rejected(batch, *refusal).outcomes]


def _speaks_of_each(answer: Answer, value: dict[str, Any]) -> bool:
    """Whether the answer says what became of each entity. What Port answers when all fail is written nowhere, so a
    refusal that lists errors is read in the same way."""
    if answer.is_success:
        return value.get("ok") is not False and (_is_list(value, "entities") or _is_list(value, "errors"))
    is_refusal = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return is_refusal and _is_list(value, "errors") and value["errors"] != []


def _is_list(value: dict[str, Any], key: str) -> bool:
    return isinstance(value.get(key), list)


def rejected(batch: Batch, code: str, message: str, hint: str | None) -> BatchResult:
    """The result of a batch that was refused as a whole."""
    return BatchResult(tuple(Outcome(entity, Fate.REJECTED, code, message, hint) for entity in batch.entities))


def _not_port(answer: Answer) -> tuple[str, str, str | None]:
    message = f"Port answered {answer.status} where the outcomes of a batch were expected: {message_of(answer)}"
    return "port-unusable", message, "check PORT_BASE_URL, and what is on the way to it"


def missing_blueprint(blueprint: str) -> tuple[str, str, str]:
    """Code, message and hint where Port does not have a blueprint."""
    hint = f"create the blueprint `{blueprint}`: `portsync provision DIR`, or Port's builder page"
    return "blueprint-missing", f"the blueprint `{blueprint}` is not in Port", hint


def _whole_refusal(batch: Batch, answer: Answer) -> tuple[str, str, str | None]:
    blueprint = batch.blueprint
    message = f"Port answered {answer.status} to the whole batch: {message_of(answer)}"
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and len(batch.entities) == 1:
        size = len(batch.entities[0].body)
        message = f"the entity has {size:,} bytes, and Port, or a proxy on the way, does not take it even alone (413)"
        return "entity-too-large", message, "map fewer or shorter properties"
    if answer.status == HTTPStatus.NOT_FOUND and isinstance(json_of(answer), dict):
        return missing_blueprint(blueprint)
    if answer.status == HTTPStatus.FORBIDDEN:
        return "port-rejected", message, "the credentials may not write this blueprint"
    return "port-rejected", message, None


def _by_index(batch: Batch, value: dict[str, Any]) -> list[Said]:
    """Answers are told apart by index: Port may have made up an identifier, or not know one."""
    accepted = {
        item["index"]: item
        for item in _items(value.get("entities"), lambda item: isinstance(item.get("created"), bool))
    }
    refused = {item["index"]: item for item in _items(value.get("errors"), lambda _: True)}
    return [
        Said(
            _outcome(entity, accepted.get(index), refused.get(index)),
            may_pass=index in refused and is_trouble(refused[index].get("statusCode")),
        )
        for index, entity in enumerate(batch.entities)
    ]


def _items(items: Any, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    if not isinstance(items, list):
        return []
    return [i for i in items if isinstance(i, dict) and type(i.get("index")) is int and wanted(i)]


def _outcome(entity: Entity, accepted: dict[str, Any] | None, refused: dict[str, Any] | None) -> Outcome:
    if refused is not None:
        said = f"{refused.get('statusCode', '')} {refused.get('error', '')}: {refused.get('message', '')}".strip()
        return Outcome(entity, Fate.REJECTED, "port-rejected", f"Port refused the entity: {said}", _hint(refused))
    if accepted is None:
        return Outcome(entity, Fate.REJECTED, "port-silent", "Port's answer does not say what became of the entity")
    name = accepted.get("identifier")
    fate = Fate.CREATED if accepted["created"] else Fate.UPDATED
    return Outcome(entity, fate, identifier=name if isinstance(name, str) else None)


def _hint(refused: dict[str, Any]) -> str | None:
    match refused.get("error"):
        case "blueprint_schema_mismatch":
            return "compare the mapping with the blueprint: the property's name, its type and format, what is required"
        case "not_found":
            return "a relation points to an entity, or is a relation, that is not in Port"
        case "required_relation":
            return "map the relation that the blueprint requires"
        case _:
            return None
