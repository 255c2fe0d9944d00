"""Credentials that stay the same: what they add to a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from portsync.flow import RequestSpec
from tests.auth.conftest import auth_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.auth.conftest import Api


@pytest.mark.parametrize(
    ("config", "header", "value"),
    [
        ({"type": "bearer", "token": "tttt\n"}, "authorization", "Bearer tttt"),
        ({"type": "basic", "username": "ada", "password": "p:w"}, "authorization", "Basic YWRhOnA6dw=="),
        ({"type": "basic_auth", "username": "key"}, "authorization", "Basic a2V5Og=="),
        ({"type": "api_key", "key": "kkkk"}, "x-api-key", "kkkk"),
        ({"type": "api_key", "key": "kkkk", "header": "X-K"}, "x-k", "kkkk"),
        ({"type": "none"}, "authorization", None),
    ],
)
def test_a_header_says_who_asks(
    config: dict[str, Any], header: str, value: str | None, api: Api, send: Callable[..., Any]
) -> None:
    assert send(config).status == 200
    assert api.data_requests[0].headers.get(header) == value


def test_a_query_parameter_may_say_it(api: Api, send: Callable[..., Any]) -> None:
    send({"type": "api_key", "key": "k&k", "query": "key"}, RequestSpec("GET", f"{api.url}/things?a=1"))

    assert api.data_requests[0].query == {"a": ["1"], "key": ["k&k"]}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"type": "bearer", "token": "a\nb"}, "printable ASCII"),
        ({"type": "bearer", "token": " \n"}, "printable ASCII"),
        ({"type": "api_key", "key": "k", "header": "X K"}, "cannot be the name of a header"),
        ({"type": "api_key", "key": "k", "header": "X", "query": "k"}, "not both"),
    ],
)
def test_what_cannot_be_sent_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        auth_of(config)
