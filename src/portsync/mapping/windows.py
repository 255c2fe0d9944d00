"""Spans such as `6h` and `1mo`, as a mapping's windows are measured in."""

from __future__ import annotations

import re

SPAN = re.compile(r"(?P<count>\d{1,6})(?P<unit>s|m|h|d|w|mo|y)")


def span_fault(text: str) -> str | None:
    """Why `text` is no span, or None."""
    found = SPAN.fullmatch(text)
    if found is None:
        return f"`{text}` is no span of time"
    return "a span of nothing leads nowhere" if int(found["count"]) == 0 else None
