"""Sources that page as well-known public APIs do, written from their documentation, each with all that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.conftest import Asked


def repositories(count: int = 73) -> list[dict[str, Any]]:
    """Repositories as GitHub gives them, shortened."""
    return [
        {
            "id": 1000 + i,
            "name": f"repo-{i}",
            "full_name": f"acme/repo-{i}",
            "private": i % 3 == 0,
            "html_url": f"https://github.example/acme/repo-{i}",
            "description": None if i % 2 else f"number {i}",
            "created_at": f"2024-01-{i % 27 + 1:02d}T10:00:00Z",
            "language": ("Go", "Python", None)[i % 3],
            "topics": ["a", "b"][: i % 3],
            "size": i * 1.5,
            "owner": {"login": f"user-{i % 4}", "id": i % 4},
        }
        for i in range(count)
    ]


def github(url: str, held: list[dict[str, Any]]) -> Callable[[Asked], Any]:
    """Pages by number, which each answer names in its `Link` header (docs.github.com, using pagination)."""

    def answer(asked: Asked) -> Any:
        query = dict(asked.query)
        page, size = int(query.get("page", 1)), min(int(query.get("per_page", 30)), 100)
        link = f"{url}{asked.path}?per_page={size}&page="
        headers = {}
        if page * size < len(held):
            headers["link"] = f'<{link}{page + 1}>; rel="next", <{link}{-(-len(held) // size)}>; rel="last"'
        return JSONResponse(held[(page - 1) * size : page * size], headers=headers)

    return answer


def charges(count: int = 37) -> list[dict[str, Any]]:
    """Charges as Stripe gives them, shortened."""
    return [
        {
            "id": f"ch_{i:04}",
            "object": "charge",
            "amount": 100 * i,
            "currency": "eur",
            "receipt_email": f"payer{i}@acme.example",
            "paid": i % 5 != 0,
            "created": 1_700_000_000 + i,
            "metadata": {"order": str(i)},
        }
        for i in range(count)
    ]


def stripe(_url: str, held: list[dict[str, Any]]) -> Callable[[Asked], Any]:
    """`has_more`, and `starting_after` with the last record's identifier (docs.stripe.com, pagination)."""

    def answer(asked: Asked) -> Any:
        query = dict(asked.query)
        size = min(int(query.get("limit", 10)), 100)
        identifiers = [record["id"] for record in held]
        begin = identifiers.index(query["starting_after"]) + 1 if "starting_after" in query else 0
        more = begin + size < len(held)
        return {"object": "list", "url": asked.path, "has_more": more, "data": held[begin : begin + size]}

    return answer


def issues(count: int = 130) -> list[dict[str, Any]]:
    """Issues as Jira gives them, shortened."""
    return [
        {
            "id": str(10_000 + i),
            "key": f"PRJ-{i}",
            "self": f"https://jira.example/rest/api/3/issue/{10_000 + i}",
            "fields": {"summary": f"Something {i}", "labels": ["x"][: i % 2], "duedate": f"2024-02-{i % 27 + 1:02d}"},
        }
        for i in range(count)
    ]


def jira(_url: str, held: list[dict[str, Any]]) -> Callable[[Asked], Any]:
    """`startAt`, `maxResults` and `total` (developer.atlassian.com, pagination)."""

    def answer(asked: Asked) -> Any:
        query = dict(asked.query)
        begin, size = int(query.get("startAt", 0)), min(int(query.get("maxResults", 50)), 100)
        page = held[begin : begin + size]
        return {"expand": "names", "startAt": begin, "maxResults": size, "total": len(held), "issues": page}

    return answer


def contacts(count: int = 34) -> list[dict[str, Any]]:
    """Contacts as HubSpot gives them, shortened."""
    return [
        {
            "id": str(500 + i),
            "properties": {"email": f"c{i}@acme.example", "firstname": f"First {i}"},
            "createdAt": "2024-01-01T10:00:00.000Z",
            "archived": False,
        }
        for i in range(count)
    ]


def hubspot(_url: str, held: list[dict[str, Any]]) -> Callable[[Asked], Any]:
    """`paging.next.after` (developers.hubspot.com, CRM objects), here without the link beside it."""

    def answer(asked: Asked) -> Any:
        query = dict(asked.query)
        begin, size = int(query.get("after", 0)), min(int(query.get("limit", 10)), 100)
        body: dict[str, Any] = {"results": held[begin : begin + size]}
        if begin + size < len(held):
            body["paging"] = {"next": {"after": str(begin + size)}}
        return body

    return answer


def at_paths(answers: Mapping[str, Callable[[Asked], Any]]) -> Callable[[Asked], Any]:
    """One source of several endpoints; every other path is unknown."""

    def answer(asked: Asked) -> Any:
        if (found := answers.get(asked.path)) is None:
            return Response('{"message": "Not Found"}', 404, media_type="application/json")
        return found(asked)

    return answer
