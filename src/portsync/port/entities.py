"""Port's bulk upsert: one request, one outcome for each entity (Port's API reference, create multiple entities)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from portsync.batch import bulk_body
from portsync.flow import Answer, Batch, BatchResult, Entity, Fate, Outcome
from portsync.port.client import PortClient, json_of, message_of, segment

if TYPE_CHECKING:
    from collections.abc import Callable


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
class ServerTroubleError(Exception):
    """This means that Port answered with a server error, or asked to wait, until all attempts were used up."""

    answer: Answer


async def upsert_batch(port: PortClient, batch: Batch, switches: UpsertSwitches) -> BatchResult:
    """Send a batch. Raises ServerTroubleError, SendError and PortRefusedError; all else is in the outcomes.

    A batch that Port finds too large is halved: its limit is on bytes that we measured, but a proxy may have its own.
    """
    path = f"/blueprints/{segment(batch.blueprint)}/entities/bulk"
    answer = await port.send("POST", path, params=switches.params(), content=bulk_body(batch.entities))
    value = json_of(answer)
    if isinstance(value, dict) and _speaks_of_each(answer, value):
        return _by_index(batch, value)
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and len(batch.entities) > 1:
        middle = len(batch.entities) // 2
        first = await upsert_batch(port, Batch(batch.blueprint, batch.entities[:middle]), switches)
        second = await upsert_batch(port, Batch(batch.blueprint, batch.entities[middle:]), switches)
        return BatchResult(first.outcomes + second.outcomes)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ServerTroubleError(answer)
    return rejected(batch, *_whole_refusal(batch.blueprint, answer))


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


def _whole_refusal(blueprint: str, answer: Answer) -> tuple[str, str, str | None]:
    message = f"Port answered {answer.status} to the whole batch: {message_of(answer)}"
    if answer.status == HTTPStatus.NOT_FOUND:
        hint = f"create the blueprint `{blueprint}`: `portsync provision DIR`, or Port's builder page"
        return "blueprint-missing", f"the blueprint `{blueprint}` is not in Port", hint
    if answer.status == HTTPStatus.FORBIDDEN:
        return "port-rejected", message, "the credentials may not write this blueprint"
    return "port-rejected", message, None


def _by_index(batch: Batch, value: dict[str, Any]) -> BatchResult:
    """Answers are told apart by index: Port may have made up an identifier, or not know one."""
    accepted = {item["index"]: item for item in _items(value.get("entities"), lambda item: "created" in item)}
    refused = {item["index"]: item for item in _items(value.get("errors"), lambda _: True)}
    return BatchResult(
        tuple(_outcome(entity, accepted.get(i), refused.get(i)) for i, entity in enumerate(batch.entities))
    )


def _items(items: Any, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    if not isinstance(items, list):
        return []
    return [i for i in items if isinstance(i, dict) and isinstance(i.get("index"), int) and wanted(i)]


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
