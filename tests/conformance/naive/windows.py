"""The naive reader's windows: a span of time in pieces."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.conformance.naive.ending import Gone
from tests.conformance.naive.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.naive.jq_text import Expressions

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RFC_3339 = "%Y-%m-%dT%H:%M:%SZ"


def windows(
    section: Mapping[str, Any], expressions: Expressions, faults: frozenset[Fault], **variables: Any
) -> list[dict[str, str]]:
    """`start` and `end` of each piece, as requests write them. Raises Gone, reason `window`."""
    try:
        start = _moment(expressions.first(str(section["start"]), None, **variables), faults)
        end = _moment(expressions.first(str(section.get("end", "now")), None, **variables), faults)
    except Gone:
        if Fault.BAD_WINDOW_IS_EMPTY in faults:
            return []
        raise
    if start > end and Fault.BAD_WINDOW_IS_EMPTY not in faults:
        raise Gone("window", "window", f"the window starts at {start}, after its end {end}")
    form = _RFC_3339 if Fault.ONE_FORMAT in faults else section.get("format", _RFC_3339)
    overlap = None if Fault.IGNORES_OVERLAP in faults else section.get("overlap")
    grain = None if Fault.IGNORES_GRANULARITY in faults else section.get("granularity")
    found = []
    for begins, ends in _pieces(start, end, section["step"], faults):
        first = begins if overlap is None or begins == start else _moved(begins, overlap, -1)
        last = ends if grain is None or ends >= end else _moved(ends, grain, -1)
        found.append({"start": _written(first, form), "end": _written(last, form)})
    return found


def _pieces(start: datetime, end: datetime, step: str, faults: frozenset[Fault]) -> list[tuple[datetime, datetime]]:
    if Fault.ONE_WINDOW in faults:
        return [(start, end)]
    found = []
    count, begins = 0, start
    while begins < end:
        count += 1
        if Fault.MONTHS_ARE_30_DAYS in faults and step.endswith("mo"):
            ends = begins + timedelta(days=30)
        elif Fault.MONTHS_DRIFT in faults:
            ends = _moved(begins, step, 1)
        else:
            ends = _moved(start, step, count)
        found.append((begins, ends if Fault.WINDOWS_PASS_THE_END in faults else min(ends, end)))
        begins = ends
    return found


def _moved(moment: datetime, span: str, times: int) -> datetime:
    found = re.fullmatch(r"(\d+)(s|m|h|d|w|mo|y)", span)
    assert found is not None
    count, unit = int(found[1]) * times, found[2]
    if unit in _SECONDS:
        return moment + timedelta(seconds=count * _SECONDS[unit])
    months = moment.year * 12 + moment.month - 1 + (count * 12 if unit == "y" else count)
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _moment(value: Any, faults: frozenset[Fault]) -> datetime:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Gone("window", "window", f"{value!r} is no moment") from error
    if moment.tzinfo is None or Fault.IGNORES_OFFSETS in faults:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def _written(moment: datetime, form: str) -> str:
    return moment.strftime(form.replace("%s", str(int(moment.timestamp()))))
