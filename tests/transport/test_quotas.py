"""What servers say of their limits, in all the forms in which they say it."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portsync.transport.moments import seconds_until
from portsync.transport.quotas import exhausted_for, quotas, rate_fields
from tests.transport.virtual_time import NOW


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("4", 4),
        (" 4 ", 4),
        ("1.5", 1.5),
        ("0", 0),
        ("-5", None),
        ("86400", 86400),
        ("2592000", 2592000),
        (str(int(NOW) + 90), 90),
        (f"{NOW + 0.5:.1f}", 0.5),
        (str(int(NOW) - 90), 0),
        (str(int(NOW + 90) * 1000), 90),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90),
        ("Sunday, 22-Nov-26 12:01:30 GMT", 90),
        ("Sun Nov 22 12:01:30 2026", 90),
        ("Sun, 22 Nov 2026 13:01:30 +0100", 90),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("2026-11-22T12:01:30Z", 90),
        ("2026-11-22T12:01:30.5+00:00", 90.5),
        ("2026-11-22T12:01:30", 90),
        ("1s", 1),
        ("6m0s", 360),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("5 minutes", None),
        ("Mon, 99 Nov 2026 99:99:99 GMT", None),
    ],
)
def test_a_moment_is_read_in_every_form(text: str, seconds: float | None) -> None:
    assert seconds_until(text, NOW) == pytest.approx(seconds)


@given(st.text())
def test_no_text_breaks_the_reading_of_moments(text: str) -> None:
    assert (found := seconds_until(text, NOW)) is None or found >= 0


RESET = str(int(NOW) + 40)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "40"}, [(0, 40)]),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET}, [(0, 40)]),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": RESET + "000"}, [(7, 40)]),
        ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": RESET}, [(0, 40)]),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-11-22T12:00:40Z"}, [(0, 40)]),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "Sun, 22 Nov 2026 12:00:40 GMT"}, [(0, 40)]),
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-22T12:00:40Z",
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-22T13:00:00Z",
            },
            [(0, 40)],
        ),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "40s"}, [(0, 40)]),
        ({"RateLimit": '"default";r=0;t=40'}, [(0, 40)]),
        ({"RateLimit": '"burst";r=9;t=3, "daily";r=0;t=40'}, [(9, 3), (0, 40)]),
        ({"RateLimit": '"a,b";t=40;r=0;pk=:dGVzdA==:'}, [(0, 40)]),
        ({"RateLimit": '"a";t=40;r=0;pk="x,y;r=9;t=1"'}, [(0, 40)]),
        ({"RateLimit": '"a";t=40;r=0;pk="x;r=9;t=1"'}, [(0, 40)]),
        ({"RateLimit": '"default";r=0', "RateLimit-Policy": '"default";q=100;w=40'}, [(0, 40)]),
        ({"RateLimit": '"size";r=0;t=40', "RateLimit-Policy": '"size";q=9;qu="content-bytes";w=60'}, []),
        ({"RateLimit": '"here";r=2;t=40', "RateLimit-Policy": '"here";q=9;qu="requests";w=60'}, [(2, 40)]),
        ({"RateLimit": "limit=100, remaining=0, reset=40"}, [(0, 40)]),
        ({"RateLimit": "limit=100, remaining=0, reset=40", "RateLimit-Policy": "100;w=60"}, [(0, 40)]),
        (
            {"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "0", "RateLimit-Reset": "40"},
            [(0, 40)],
        ),
        ({"X-RateLimit-Remaining": "3, 0", "X-RateLimit-Reset": "1, 40"}, [(3, 1), (0, 40)]),
        ({"X-RateLimit-Remaining": "3, 0", "X-RateLimit-Reset": "40"}, [(3, 40), (0, 40)]),
        ({"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "40"}, [(0, 40)]),
        ({"X-RateLimit-Remaining": "0"}, []),
        ({"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "40"}, []),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "later"}, []),
        ({"RateLimit": '"default";r=0'}, []),
        ({"RateLimit": '"default";t=5'}, []),
        ({"RateLimit": '"""";;;=,,r=0;t=5"'}, []),
        ({"X-RateLimit-Limit": "100"}, []),
        ({"Content-Type": "application/json"}, []),
    ],
)
def test_what_is_left_and_until_when_is_read_in_every_form(
    headers: dict[str, str], found: list[tuple[int, float]]
) -> None:
    said = quotas(rate_fields(httpx.Headers(headers).raw), NOW)

    assert [(quota.left, quota.resets_in) for quota in said] == found
    assert len({quota.name for quota in said}) == len(said), "each limit has a name of its own"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-reset": "12", "x-ratelimit-remaining": "0"}, 12),
        ({"x-ratelimit-reset": "12", "x-ratelimit-remaining": "5"}, None),
        ({"ratelimit": '"a";r=0;t=3, "b";r=0;t=9, "c";r=1;t=99'}, 9),
        ({}, None),
    ],
)
def test_a_refusal_waits_for_the_limits_that_are_used_up(headers: dict[str, str], seconds: float | None) -> None:
    assert exhausted_for(headers, NOW) == seconds


def test_a_header_that_stands_twice_is_one_list() -> None:
    raw = [(b"RateLimit", b'"a";r=1;t=2'), (b"Date", b"x"), (b"ratelimit", b'"b";r=3;t=4')]

    assert rate_fields(raw) == {"ratelimit": '"a";r=1;t=2, "b";r=3;t=4'}


@given(
    st.dictionaries(
        st.sampled_from(["ratelimit", "ratelimit-policy", "x-ratelimit-remaining", "x-ratelimit-reset"]),
        st.text(alphabet=' ",;=rt0129awqu-.', max_size=60),
    )
)
def test_no_header_breaks_the_reading_of_limits(fields: dict[str, str]) -> None:
    for quota in quotas(fields, NOW):
        assert quota.left is None or quota.left >= 0
        assert quota.resets_in >= 0
