"""What the terminal says of the requests to come."""

from __future__ import annotations

import pytest

from portsync.cli.progress import forecast
from portsync.mapping.source import RateLimit


@pytest.mark.parametrize(
    ("to_come", "rate_limit", "expected"),
    [
        (1200, None, "about 1,200 more requests"),
        (30, RateLimit(requests=60, per=60), "about 30 more requests, at least 30 s at 60 in 60 s"),
        (195, RateLimit(requests=1, per=1), "about 195 more requests, at least 3 min 15 s at 1 in 1 s"),
        (
            17_250,
            RateLimit(requests=5000, per=3600),
            "about 17,250 more requests, at least 3 h 27 min at 5,000 in 3600 s",
        ),
    ],
)
def test_a_forecast_names_requests_and_the_time_that_the_limit_implies(
    to_come: int, rate_limit: RateLimit | None, expected: str
) -> None:
    assert forecast(to_come, rate_limit) == expected
