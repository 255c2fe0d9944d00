"""Tokens that have to be fetched (C28)."""

from __future__ import annotations

import base64
from typing import Any

from tests.conformance.case import Ask, Case
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import broken, complete, get, post, things
from tests.conformance.wire import Asked, Reply

CLIENT_SECRET = "client-secret-5b2d"
_BASIC = "Basic " + base64.b64encode(f"cid:{CLIENT_SECRET}".encode()).decode()
_NO = Reply({"message": "who are you?"}, 401)


def _auth(more: str = "") -> str:
    return f'auth: {{type: oauth2, token_url: /token, client_id: cid, client_secret: "${{SRC_SECRET}}"{more}}}'


def _sign_in(*form: tuple[str, str]) -> Ask:
    return post("/token", form=form or (("grant_type", "client_credentials"),), headers={"authorization": _BASIC})


def _token(asked: Asked, **more: Any) -> dict[str, Any]:
    return {"access_token": f"tok-{asked.before + 1}", "token_type": "Bearer", "expires_in": 3600, **more}


def _with(number: int, target: str) -> Ask:
    return get(target, headers={"authorization": f"Bearer tok-{number}"})


def _workers(asked: Asked) -> Any:
    return _token(asked) if asked.path == "/token" else {"data": things(asked.path[1:])}


def _expires_on_page_2(asked: Asked) -> Any:
    if asked.path == "/token":
        return _token(asked)
    page = int(asked.query["page"])
    if page >= 2 and asked.header("authorization") == "Bearer tok-1":
        return _NO
    return {"data": things(page) if page < 4 else []}


def _pages(asked: Asked) -> Any:
    if asked.path == "/token":
        return {"access_token": "tok-1", "token_type": "Bearer"}
    page = int(asked.query["page"])
    return {"data": things(page) if page < 4 else []}


def _refuses(asked: Asked) -> Any:
    return _token(asked) if asked.path == "/token" else _NO


def _short_lived(asked: Asked) -> Any:
    if asked.path == "/token":
        return _token(asked, expires_in=150)
    return {"data": things(1)} if asked.before else Reply({}, 429, (("Retry-After", "200"),))


_PAGED = "{type: page, page_size: 1}"
_TARGET = "/things?page={}&size=1"

CASES = [
    Case(
        "C28",
        "sixteen requests at once sign in once",
        _workers,
        complete(
            [_sign_in(), *(_with(1, f"/{n}") for n in range(16))],
            range(16),
            in_order=False,
            records_in_order=False,
        ),
        (Fault.SIGNS_IN_FOR_EACH_REQUEST,),
        kind="/{n}",
        selector=f"{{data_path: .data, path_parameters: {{n: {{values: {list(range(16))}}}}}}}",
        source=f"{_auth()}\nconcurrency: 16",
    ),
    Case(
        "C28",
        "a token that ends in the middle is replaced once, and no page is lost",
        _expires_on_page_2,
        complete(
            [
                _sign_in(),
                _with(1, _TARGET.format(1)),
                _with(1, _TARGET.format(2)),
                _sign_in(),
                *(_with(2, _TARGET.format(n)) for n in (2, 3, 4)),
            ],
            [1, 2, 3],
        ),
        (Fault.NEVER_SIGNS_IN_AGAIN,),
        pagination=_PAGED,
        source=_auth(),
    ),
    Case(
        "C28",
        "a source that refuses the new token too is not asked for ever",
        _refuses,
        broken(
            "status",
            [_sign_in(), _with(1, "/things"), _sign_in(), _with(2, "/things")],
            [],
            exit_code=3,
            codes=("source-refused",),
        ),
        (Fault.SIGNS_IN_FOR_EVER, Fault.NEVER_SIGNS_IN_AGAIN),
        source=_auth(),
    ),
    Case(
        "C28",
        "a token of which nobody says how long it lives is used for more than one request",
        _pages,
        complete([_sign_in(), *(_with(1, _TARGET.format(n)) for n in range(1, 5))], [1, 2, 3]),
        (Fault.SIGNS_IN_FOR_EACH_REQUEST,),
        pagination=_PAGED,
        source=_auth(),
    ),
    Case(
        "C28",
        "a token that ended while a wait went on is replaced before it is used",
        _short_lived,
        complete(
            [_sign_in(), _with(1, "/things"), _sign_in(), _with(2, "/things")], [1], moments=(0.0, 0.0, 200.0, 200.0)
        ),
        (Fault.IGNORES_TOKEN_LIFE,),
        source=_auth(),
    ),
    Case(
        "C28",
        "a grant that no standard knows",
        _workers,
        complete(
            [_sign_in(("grant_type", "account_credentials"), ("account_id", "a-1")), _with(1, "/things")], ["things"]
        ),
        (Fault.ONE_GRANT,),
        source=_auth(", params: {grant_type: account_credentials, account_id: a-1}"),
    ),
    Case(
        "C28",
        "credentials that are refused are the end before the first request",
        lambda asked: Reply({"error": "invalid_client"}, 401) if asked.path == "/token" else {"data": []},
        broken("auth", [_sign_in()], [], exit_code=3, says=("invalid_client",)),
        (Fault.ASKS_WITHOUT_TOKEN,),
        source=_auth(),
    ),
]
