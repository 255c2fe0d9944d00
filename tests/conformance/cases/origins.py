"""Where links and redirects may lead, and what goes along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.case import TOKEN, USER_HEADER, Ask, Case
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import broken, complete, first_then, get, post, table, things
from tests.conformance.wire import AWAY, HOME, LOUD, NAMED, Reply

if TYPE_CHECKING:
    from tests.conformance.wire import Asked

NEXT = "{type: next_link, next_link_path: .next}"
HEADER = "{type: header_link}"
_END = {"data": things(2), "next": None}
_AWAY = get("/things?page=2", server="away", headers={"authorization": None, USER_HEADER: None})
_HEADER_AWAY = Reply({"data": things(1)}, headers=(("Link", f'<{AWAY}/things?page=2>; rel="next"'),))
_ALLOWED = f'allow_origins: ["{AWAY}"]'


def _foreign_case(name: str, link: str, source: str = "") -> Case:
    """A link that is not followed, wherever it leads."""
    return Case(
        "C21",
        name,
        first_then({"data": things(1), "next": link}, _END),
        broken("origin", [get("/things")], [1]),
        (Fault.FOLLOWS_FOREIGN_LINKS,),
        pagination=NEXT,
        source=source,
    )


_AUTHORIZED = {"authorization": f"Bearer {TOKEN}", USER_HEADER: "acme"}


def _named(asked: Asked) -> object:
    return _END if asked.query else {"data": things(1), "next": f"{LOUD}/things?page=2"}


def _redirected(to: str) -> Reply:
    return Reply(b"", 302, (("Location", to),))


_CIRCLE = (*(get("/things") for _ in range(20)), *(get("/b") for _ in range(20)))


CASES = [
    _foreign_case("a link to another port", f"{AWAY}/things?page=2"),
    _foreign_case("a link to another name of the same host", f"{NAMED}/things?page=2"),
    _foreign_case("a link without a scheme", f"{AWAY.removeprefix('http:')}/things?page=2"),
    _foreign_case(
        "a link that hides its host behind a user name", f"{HOME}@{AWAY.removeprefix('http://')}/things?page=2"
    ),
    _foreign_case(
        "a link to another port than the allowed one", f"{AWAY}/things?page=2", 'allow_origins: ["http://files.test"]'
    ),
    Case(
        "C21",
        "a link in a header to another port",
        first_then(_HEADER_AWAY, _END),
        broken("origin", [get("/things")], [1]),
        (Fault.FOLLOWS_FOREIGN_LINKS,),
        pagination=HEADER,
    ),
    Case(
        "C21",
        "a link to an allowed origin is followed without credentials",
        table({"GET /things": {"data": things(1), "next": f"{AWAY}/things?page=2"}, "away GET /things?page=2": _END}),
        complete([get("/things", headers=_AUTHORIZED), _AWAY], [1, 2]),
        (Fault.SENDS_CREDENTIALS_TO_ALLOWED,),
        pagination=NEXT,
        source=_ALLOWED,
    ),
    Case(
        "C21",
        "a link back from an allowed origin is followed with credentials",
        table(
            {
                "GET /things": {"data": things(1), "next": f"{AWAY}/things?page=2"},
                "away GET /things?page=2": {"data": things(2), "next": f"{HOME}/things?page=3"},
                "GET /things?page=3": {"data": things(3), "next": None},
            }
        ),
        complete([get("/things"), _AWAY, get("/things?page=3", headers=_AUTHORIZED)], [1, 2, 3]),
        (Fault.SENDS_CREDENTIALS_TO_ALLOWED, Fault.FORGETS_CREDENTIALS),
        pagination=NEXT,
        source=_ALLOWED,
    ),
    Case(
        "C21",
        "the same host in capitals is the same origin",
        _named,
        complete(
            [
                Ask("GET /things", server="named", headers=_AUTHORIZED),
                Ask("GET /things?page=2", server="named", headers=_AUTHORIZED),
            ],
            [1, 2],
        ),
        (Fault.COMPARES_HOSTS_AS_TEXT,),
        pagination=NEXT,
        source=f"base_url: {NAMED}",
    ),
    Case(
        "redirects",
        "a redirect within the origin is followed",
        table({"GET /things": _redirected("/moved?x=1"), "GET /moved?x=1": {"data": things(1)}}),
        complete([get("/things", headers=_AUTHORIZED), get("/moved?x=1", headers=_AUTHORIZED)], [1]),
        (Fault.NEVER_FOLLOWS_REDIRECTS,),
    ),
    Case(
        "redirects",
        "a redirect of a POST that asks for it keeps method and body",
        table({"POST /things": Reply(b"", 307, (("Location", "/moved"),)), "POST /moved": {"data": things(1)}}),
        complete([post("/things", json={"q": 1}), post("/moved", json={"q": 1})], [1]),
        (Fault.REDIRECTS_LOSE_THE_BODY,),
        selector="{data_path: .data, method: POST, body: {q: 1}}",
    ),
    Case(
        "redirects",
        "a redirect to another origin is not followed",
        table({"GET /things": _redirected(f"{AWAY}/things"), "away GET /things": {"data": things(1)}}),
        broken("origin", [get("/things")], []),
        (Fault.FOLLOWS_REDIRECTS_BLINDLY, Fault.FOLLOWS_FOREIGN_LINKS),
    ),
    Case(
        "redirects",
        "a redirect to an allowed origin is followed without credentials",
        table({"GET /things": _redirected(f"{AWAY}/things?page=2"), "away GET /things?page=2": {"data": things(1)}}),
        complete([get("/things", headers=_AUTHORIZED), _AWAY], [1]),
        (Fault.SENDS_CREDENTIALS_TO_ALLOWED,),
        source=_ALLOWED,
    ),
    Case(
        "redirects",
        "redirects in a circle come to an end",
        table({"GET /things": _redirected("/b"), "GET /b": _redirected("/things")}),
        broken("loop", [get("/things"), get("/b")], [], may_ask=_CIRCLE),
        (Fault.NO_REDIRECT_LIMIT,),
    ),
]
