"""The routes that take many entities at once (Port's API reference, create and delete multiple entities)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.deletion import delete_batch
from portsync.emulator.drafts import Draft
from portsync.emulator.entities import Batch, UpsertOptions
from portsync.emulator.errors import ApiError
from portsync.emulator.intake import flag, path_identifier
from portsync.emulator.request_schemas import BULK_DELETE, BULK_UPSERT, RequestSchema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.searched import Searches
    from portsync.emulator.workspace import Workspace

# The name Port gives an item whose identifier cannot be told.
_UNKNOWN = "unknown"


def upsert_options(request: Request) -> UpsertOptions:
    """The options in the query of an upsert; parameters Port does not know are ignored."""
    return UpsertOptions(
        upsert=flag(request, "upsert"),
        merge=flag(request, "merge"),
        create_missing=flag(request, "create_missing_related_entities"),
        validation_only=flag(request, "validation_only"),
    )


class BulkRoutes:
    """Bulk upsert and bulk delete."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._upsert = RequestSchema(BULK_UPSERT)
        self._delete = RequestSchema(BULK_DELETE)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/blueprints/{blueprint}/entities/bulk", self.upsert, methods=["POST"]),
            Route("/v1/blueprints/{blueprint}/bulk/entities/delete", self.delete, methods=["POST"]),
        ]

    async def upsert(self, request: Request) -> Response:
        options = upsert_options(request)
        body = self._upsert.check(await self._workspace.body(request))
        drafts = [self._draft(item, index) for index, item in enumerate(body["entities"])]
        with self._workspace.session() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            searches = self._workspace.searches(session, blueprint)
            drafts = [_resolved(draft, searches) for draft in drafts]
            batch = self._workspace.batch(session, blueprint, options, self._workspace.author(request))
            batch.expect(draft for draft in drafts if isinstance(draft, Draft))
            results = [_result(batch, draft, index) for index, draft in enumerate(drafts)]
            batch.save({blueprint.identifier: blueprint})
        return self._answer(body["entities"], results)

    async def delete(self, request: Request) -> Response:
        with_dependents = flag(request, "delete_dependents")
        body = self._delete.check(await self._workspace.body(request))
        with self._workspace.session() as session:
            blueprint = session.blueprints.get(path_identifier(request, "blueprint"))
            deleted = delete_batch(
                session.entities,
                blueprint.identifier,
                body["entities"],
                with_dependents=with_dependents,
                guesses=self._workspace.guesses,
            )
        return answer({"deletedEntities": deleted})

    def _draft(self, item: Mapping[str, Any], index: int) -> Draft | ApiError:
        try:
            return self._workspace.drafts.read(item, root=f"body.entities.{index}")
        except ApiError as error:
            if self._workspace.guesses.malformed_item_fails_batch:
                raise
            return error

    def _answer(self, items: Sequence[Mapping[str, Any]], results: Sequence[dict[str, Any] | ApiError]) -> Response:
        entities = [result for result in results if isinstance(result, dict)]
        errors = [
            {
                "identifier": _name(items[index]),
                "index": index,
                "statusCode": result.status,
                "error": result.error,
                "message": result.message,
            }
            for index, result in enumerate(results)
            if isinstance(result, ApiError)
        ]
        guesses = self._workspace.guesses
        if not errors:
            return answer({"entities": entities, "errors": errors})
        status = 207 if entities else guesses.all_failed_status
        return answer({"entities": entities, "errors": errors}, status, ok=guesses.ok_with_failures)


def _resolved(draft: Draft | ApiError, searches: Searches) -> Draft | ApiError:
    if isinstance(draft, ApiError):
        return draft
    try:
        return searches.resolved(draft)
    except ApiError as error:
        return error


def _result(batch: Batch, draft: Draft | ApiError, index: int) -> dict[str, Any] | ApiError:
    if isinstance(draft, ApiError):
        return draft
    try:
        placed = batch.place(draft)
    except ApiError as error:
        return error
    return {"identifier": placed.entity.identifier, "index": index, "created": placed.created}


def _name(item: Mapping[str, Any]) -> str:
    identifier = item.get("identifier")
    return identifier if isinstance(identifier, str) else _UNKNOWN
