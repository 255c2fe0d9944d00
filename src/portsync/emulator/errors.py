"""The failures Port's API answers with, as one exception."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(slots=True)
class ApiError(Exception):
    """A refusal: HTTP status, Port's snake_case code and a text for people."""

    status: int
    error: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.error}: {self.message}"


def invalid_request(message: str) -> ApiError:
    """The request breaks the route's schema."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", message)


def not_supported(what: str) -> ApiError:
    """Part of Port's API, but not of the local Port; said plainly instead of a wrong answer."""
    return invalid_request(f"{what} is not supported by the local Port")


def schema_mismatch(message: str) -> ApiError:
    """An entity's values do not fit its blueprint."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "blueprint_schema_mismatch", message)


def not_found(kind: str, identifier: str) -> ApiError:
    """No such blueprint, entity or relation."""
    return ApiError(
        HTTPStatus.NOT_FOUND,
        "not_found",
        f'{kind} "{identifier}" was not found',
        {"resource": kind, "with": identifier},
    )


def identifier_taken(kind: str, identifier: str) -> ApiError:
    """A creation over something that exists."""
    return ApiError(HTTPStatus.CONFLICT, "identifier_taken", f'{kind} with identifier "{identifier}" already exists')


def conflict(message: str) -> ApiError:
    """A creation of a page over one that exists."""
    return ApiError(HTTPStatus.CONFLICT, "conflict", message)


def has_dependents(what: str) -> ApiError:
    """A deletion that would leave dangling relations."""
    return ApiError(HTTPStatus.FORBIDDEN, "has_dependents", f"{what} has dependents and cannot be deleted")
