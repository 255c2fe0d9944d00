"""Several tokens: which one a request goes out with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.responses import Response

from portsync.auth.tokens import RotatingAuth
from portsync.flow import RequestSpec
from tests.auth.conftest import Clock, auth_of
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.auth.conftest import Api, Asked, Session

CONFIG = {"type": "tokens", "tokens": ["aaaa", "bbbb", "cccc"]}


class Quotas:
    """A server that counts what each token may still ask, and says so."""

    def __init__(self, api: Api, prefix: str = "x-", reset: str | None = None, status: int = 429, **left: int) -> None:
        self.left, self.prefix, self.reset, self.status = left, prefix, reset, status
        api.data = self.answer

    def answer(self, asked: Asked) -> Response:
        token = asked.credentials.split()[-1]
        status = 200 if self.left[token] > 0 else self.status
        self.left[token] = max(0, self.left[token] - 1)
        headers = {f"{self.prefix}ratelimit-remaining": str(self.left[token])}
        if self.reset is not None:
            headers[f"{self.prefix}ratelimit-reset"] = self.reset
        return Response("[]", status, headers)


def many(api: Api, play: Callable[..., Any], count: int, *, after_s: float = 0, **more: Any) -> tuple[str, list[int]]:
    """The first letters of the tokens that were used, in order, and the statuses."""

    async def act(session: Session) -> list[int]:
        statuses = []
        for _ in range(count):
            statuses.append((await session.send(RequestSpec("GET", f"{api.url}/things"))).status)  # type: ignore[union-attr]
            session.clock.now += after_s
        return statuses

    statuses = play(CONFIG | more, act)
    return "".join(asked.credentials.split()[-1][0] for asked in api.data_requests), statuses


def test_without_quotas_the_tokens_take_turns(api: Api, play: Callable[..., Any]) -> None:
    assert many(api, play, 6)[0] == "abcabc"


@pytest.mark.parametrize("prefix", ["x-", ""])
def test_each_token_is_tried_and_then_the_one_with_most_left(prefix: str, api: Api, play: Callable[..., Any]) -> None:
    Quotas(api, prefix, aaaa=2, bbbb=9, cccc=4)

    assert many(api, play, 9) == ("abcbbbbbc", [200] * 9)


def test_no_request_is_lost_while_any_token_has_something_left(api: Api, play: Callable[..., Any]) -> None:
    Quotas(api, aaaa=3, bbbb=5, cccc=2)

    used, statuses = many(api, play, 10)

    assert statuses == [200] * 10
    assert len(used) == 10


def test_requests_under_way_count_before_their_answers_come(api: Api, play: Callable[..., Any]) -> None:
    Quotas(api, aaaa=4, bbbb=3, cccc=5)

    async def act(session: Session) -> list[Any]:
        requests = [RequestSpec("GET", f"{api.url}/things")] * 9
        for request in requests[:3]:
            await session.send(request)
        return await session.together(requests)

    play(CONFIG, act)

    # Twelve in all, which is what there is: none was sent in vain.
    assert len(api.data_requests) == 12


@pytest.mark.parametrize("status", [429, 403])
def test_a_token_that_is_used_up_makes_way_for_another_at_once(status: int, api: Api, play: Callable[..., Any]) -> None:
    Quotas(api, status=status, aaaa=0, bbbb=5, cccc=0)

    assert many(api, play, 3) == ("abcbb", [200, 200, 200])


def test_it_makes_way_once_for_each_request(api: Api, play: Callable[..., Any]) -> None:
    Quotas(api, aaaa=0, bbbb=0, cccc=0)

    assert many(api, play, 1) == ("ab", [429])


def test_a_403_that_says_nothing_of_quotas_is_the_sources_answer(api: Api, play: Callable[..., Any]) -> None:
    api.data = lambda _: Response("[]", 403)

    assert many(api, play, 1) == ("a", [403])


def test_a_single_token_is_not_tried_twice(api: Api, play: Callable[..., Any]) -> None:
    Quotas(api, aaaa=0)

    assert many(api, play, 1, tokens=["aaaa", "aaaa"]) == ("a", [429])


@pytest.mark.parametrize(
    ("headers", "back_s"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "90"}, 90),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 90)}, 90),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "86400"}, 86400),
        ({"retry-after": "90", "x-ratelimit-reset": "5"}, 90),
        ({"retry-after": "Sun, 22 Nov 2026 12:01:30 GMT"}, 90),
        ({"x-ratelimit-remaining": "0"}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, 60),
        ({"retry-after": "inf"}, 60),
        ({}, 60),
    ],
)
def test_a_token_that_is_used_up_rests_until_its_quota_begins_anew(
    headers: dict[str, str], back_s: float, api: Api, play: Callable[..., Any]
) -> None:
    api.data = lambda asked: Response("[]", 429, headers) if asked.credentials.endswith("aaaa") else []

    async def act(session: Session) -> list[str]:
        for age in (0, back_s - 1, 1):
            session.clock.now += age
            before = len(api.data_requests)
            for _ in range(2):
                await session.send(RequestSpec("GET", f"{api.url}/things"))
            used.append("".join(asked.credentials[-1] for asked in api.data_requests[before:]))
        return used

    used: list[str] = []
    assert play({"type": "tokens", "tokens": ["aaaa", "bbbb"]}, act) == ["abb", "bb", "abb"]


def test_where_all_are_used_up_the_one_that_is_back_first_asks(api: Api, play: Callable[..., Any]) -> None:
    spans = {"aaaa": "300", "bbbb": "200", "cccc": "400"}
    api.data = lambda asked: Response("[]", 429, {"retry-after": spans[asked.credentials.split()[-1]]})

    assert many(api, play, 4)[0] == "abcbb"


def test_header_and_scheme_can_be_chosen(api: Api, send: Callable[..., Any]) -> None:
    send({**CONFIG, "header": "X-Key", "scheme": ""})
    send({**CONFIG, "scheme": "token"})

    assert api.data_requests[0].headers["x-key"] == "aaaa"
    assert api.data_requests[1].credentials == "token aaaa"


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.sampled_from([200, 403, 429])), max_size=40))
def test_a_request_goes_out_with_one_or_two_tokens_and_never_with_one_that_rests_while_another_does_not(
    answers: list[tuple[int, int, int]],
) -> None:
    clock = Clock()
    auth = RotatingAuth(["aaaa", "bbbb", "cccc"], "x", "", clock)
    for age, remaining, status in answers:
        clock.now += age
        rests = {quota.value for quota in auth._quotas if quota.is_used_up and quota.resets_at > clock.now}
        flow = auth.auth_flow(httpx.Request("GET", "http://api.test"))
        used = [next(flow).headers["x"]]
        assert used[0] not in rests or len(rests) == 3
        headers = {"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": "3"}
        try:
            used.append(flow.send(httpx.Response(status, headers=headers)).headers["x"])
            flow.send(httpx.Response(status, headers=headers))
        except StopIteration:
            pass
        else:
            raise AssertionError("a third token was asked for")
        assert len(set(used)) == len(used)


@pytest.mark.parametrize("tokens", [[], ["a", ""], ["a\nb"]])
def test_what_cannot_be_sent_is_refused(tokens: list[str]) -> None:
    with pytest.raises(ValidationError):
        auth_of({"type": "tokens", "tokens": tokens})


def test_all_of_them_are_secrets() -> None:
    assert auth_of(CONFIG).secrets() == ("aaaa", "bbbb", "cccc")
