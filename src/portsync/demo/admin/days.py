"""The days that a report is asked for: whole days of UTC, which is all that the sample source holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from portsync.demo.admin.parameters import InvalidRequestError

if TYPE_CHECKING:
    from portsync.demo.admin.parameters import Parameters

ONE_DAY = timedelta(days=1)
WIDTHS = ("1d", "1h", "1m")


def asked_days(parameters: Parameters, *, today: date) -> range:
    """The ordinals of the days that end by `ending_at`, the first one being that of `starting_at`. No day is there
    that did not end: without `ending_at` the last one is yesterday. Raises InvalidRequestError."""
    parameters.required("starting_at")
    start = parameters.moment("starting_at")
    assert start is not None, "it is there"
    end = parameters.moment("ending_at") or datetime.combine(today, time(), UTC)
    if end <= start:
        raise InvalidRequestError("Invalid date range: ending date must be after starting date")
    first = start.date().toordinal()
    return range(first, max(first, min(end.date(), today).toordinal()))


def only_days(parameters: Parameters, name: str) -> None:
    """Refuse buckets that are shorter than a day. Raises InvalidRequestError."""
    if parameters.one_of(name, default="1d", allowed=WIDTHS) != "1d":
        raise InvalidRequestError(f"{name}: the sample source holds whole days, 1d")


def start_text(day: date) -> str:
    """The moment at which `day` begins, as answers have it."""
    return f"{day.isoformat()}T00:00:00Z"


def span_of(day: date) -> dict[str, str]:
    """The two fields that say which day a bucket or row is of."""
    return {"starting_at": start_text(day), "ending_at": start_text(day + ONE_DAY)}
