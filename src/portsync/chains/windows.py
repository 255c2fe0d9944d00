"""A span of time, cut into the windows that are asked for one by one."""

from __future__ import annotations

import calendar
import math
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import orjson

from portsync.errors import ExpressionError, Problem
from portsync.jq.outputs import first_output
from portsync.jq.records import encoded_variables, program_head
from portsync.mapping.windows import SPAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.chains.access import Access
    from portsync.flow import Json
    from portsync.jq.variables import Variables
    from portsync.mapping.requests import Window

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_MONTHS = {"mo": 1, "y": 12}
_MOST = 100_000
"""More windows than this are a mistake in `step`."""


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as a mapping writes it: seconds, or calendar months."""

    seconds: int = 0
    months: int = 0

    @classmethod
    def read(cls, text: str) -> Span:
        """The span that `text`, such as `1mo`, says."""
        found = SPAN.fullmatch(text)
        assert found is not None, "the mapping was checked"
        count, unit = int(found["count"]), found["unit"]
        return cls(months=count * _MONTHS[unit]) if unit in _MONTHS else cls(count * _SECONDS[unit])

    def after(self, moment: datetime, times: int = 1) -> datetime:
        """`moment` moved by the span; a day that the month does not have becomes its last one. Raises
        OverflowError beyond the calendar."""
        moved = moment + timedelta(seconds=times * self.seconds)
        if not self.months:
            return moved
        year, month = divmod(moved.year * 12 + moved.month - 1 + times * self.months, 12)
        if not 1 <= year <= MAXYEAR:
            raise OverflowError("beyond the calendar")
        day = min(moved.day, calendar.monthrange(year, month + 1)[1])
        return moved.replace(year=year, month=month + 1, day=day)


def windows_between(start: datetime, end: datetime, window: Window) -> Iterator[tuple[datetime, datetime]]:
    """The windows from `start` to `end`, in order: each begins where the one before it ended, less `overlap`, and
    ends `granularity` before the next one begins; the last one ends at `end`."""
    step = Span.read(window.step)
    number = 0
    begin = start
    while begin < end:
        number += 1
        following = step.after(start, number)
        first = begin if begin == start or window.overlap is None else Span.read(window.overlap).after(begin, -1)
        last = end
        if following < end:
            last = following if window.granularity is None else Span.read(window.granularity).after(following, -1)
        yield max(first, start), last
        begin = following


async def windows(window: Window, variables: Variables, access: Access) -> list[Mapping[str, Json]]:
    """What `$window` is for each window. Raises ExpressionError where `start` or `end` is no moment."""
    ends = (("start", window.start), ("end", window.end))
    code = ", ".join(f"({first_output(text)} | tojson)" for _, text in ends)
    context = access.context.of(text for _, text in ends)
    try:
        encoded = encoded_variables(variables)
        outputs = await access.pool.run([f"{program_head(access.now)}{code}"], encoded, b"null", context=context)
    except ExpressionError as error:
        raise _unusable(error.problems[0].message) from error
    start, end = (_moment(name, line) for (name, _), line in zip(ends, outputs.lines, strict=True))
    if start >= end:
        message = f"`start` gave {start:%Y-%m-%d %H:%M:%S}, which is not before `end`, {end:%Y-%m-%d %H:%M:%S}"
        raise _unusable(message)
    try:
        found = list(islice(windows_between(start, end, window), _MOST + 1))
    except (OverflowError, ValueError) as error:
        raise _unusable(f"a window lies beyond the calendar: {error}") from error
    if len(found) > _MOST:
        raise _unusable(f"there are more than {_MOST:,} windows between {start:%Y-%m-%d} and {end:%Y-%m-%d}")
    return [{"start": _written(a, window.format), "end": _written(b, window.format)} for a, b in found]


def _moment(name: str, line: bytes) -> datetime:
    """The moment that an expression gave: a date, a time (UTC where it does not say), or seconds since 1970."""
    try:
        value = orjson.loads(line)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise _unusable(f"`{name}` gave {line.decode(errors='replace')[:100]}, which is no moment")


def _written(moment: datetime, form: str) -> str:
    """A moment in the form that the mapping asks for. `%s` is not portable, so it is put in by hand."""
    return moment.strftime(form.replace("%s", str(math.floor(moment.timestamp()))))


def _unusable(message: str) -> ExpressionError:
    hint = "`start` and `end` give a date (2026-01-31), a time (2026-01-31T12:00:00Z) or seconds since 1970"
    return ExpressionError(Problem("window", f"`window`: {message}", hint=hint))
