"""The APIs of the examples, in the shapes that their documentation gives: paging, authentication, records."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from tests.conftest import Asked

FORBIDDEN = Response('{"message": "who are you?"}', 401)


def hubspot(asked: Asked) -> Any:
    """A private app's token; `after` is the number of the first record of the page."""
    if asked.headers.get("authorization") != "Bearer pat-na1-0000":
        return FORBIDDEN
    records = {
        "/crm/v3/objects/companies": [
            {"id": str(n), "properties": {"name": f"Company {n}", "domain": f"c{n}.example"}, "archived": False}
            for n in range(5)
        ],
        "/crm/v3/objects/deals": [
            {"id": "d1", "properties": {"dealname": "Big", "amount": "1200.5"}, "archived": False,
             "associations": {"companies": {"results": [{"id": "1", "type": "deal_to_company"}]}}},
            {"id": "d2", "properties": {"dealname": "Small", "amount": "3"}, "archived": False},
            {"id": "d3", "properties": {"dealname": "Gone", "amount": "0"}, "archived": True},
        ],
    }[asked.path]  # fmt: skip
    query = dict(asked.query)
    first, limit = int(query.get("after", "0")), int(query["limit"])
    page: dict[str, Any] = {"results": records[first : first + limit]}
    if first + limit < len(records):
        page["paging"] = {"next": {"after": str(first + limit), "link": "https://elsewhere.example/"}}
    return page


def slack(asked: Asked) -> Any:
    """A bot's token; the last page has a cursor that is an empty text."""
    if asked.headers.get("authorization") != "Bearer xoxb-0000":
        return {"ok": False, "error": "invalid_auth"}
    if asked.path == "/users.list":
        members = [
            {"id": "U1", "deleted": False, "profile": {"real_name": "Ada", "email": "ada@acme.example"}},
            {"id": "USLACKBOT", "deleted": False, "profile": {"real_name": "Slackbot"}},
            {"id": "U2", "deleted": True, "profile": {"real_name": "Gone"}},
        ]
        return {"ok": True, "members": members, "response_metadata": {"next_cursor": ""}}
    is_first = "cursor" not in dict(asked.query)
    number = 1 if is_first else 2
    channels = [
        {"id": f"C{number}", "name": f"c{number}", "num_members": number, "topic": {"value": "t"}, "is_archived": False}
    ]
    return {"ok": True, "channels": channels, "response_metadata": {"next_cursor": "dGVhbTpD=" if is_first else ""}}


def zendesk(asked: Asked) -> Any:
    """A name and a token; `next_page` is a whole URL, and null at the end."""
    pair = b64encode(b"ada@acme.example/token:zd-0000").decode()
    if asked.headers.get("authorization") != f"Basic {pair}":
        return FORBIDDEN
    url = f"http://{asked.headers['host']}"
    if asked.path == "/api/v2/tickets.json":
        if dict(asked.query).get("page") == "2":
            return {
                "tickets": [{"id": 36, "subject": "Closed", "status": "closed", "description": None}],
                "next_page": None,
            }
        tickets = [{"id": 35, "subject": "Help", "status": "open", "description": "First line\nsecond"}]
        return {"tickets": tickets, "next_page": f"{url}/api/v2/tickets.json?page=2"}
    assert asked.path == "/api/v2/tickets/35/comments.json", asked.path
    return {"comments": [{"id": 1, "body": "hello"}, {"id": 2, "body": "again"}], "next_page": None}


def canny(asked: Asked) -> Any:
    """All of it is POST, with the key in the body, `skip` and `limit`, and `hasMore`."""
    if asked.method != "POST" or not isinstance(asked.body, dict) or asked.body.get("apiKey") != "canny-0000":
        return FORBIDDEN
    if asked.path == "/api/v1/boards/list":
        return {"boards": []}
    query = dict(asked.query)
    skip, limit = int(query["skip"]), int(query["limit"])
    posts = [{"id": f"p{n}", "title": f"Idea {n}", "score": n, "board": {"name": "b"}} for n in range(3)]
    return {"posts": posts[skip : skip + limit], "hasMore": skip + limit < len(posts)}
