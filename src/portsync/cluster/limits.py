"""By which name, and with which limits, all who take part in a run ask the same server."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """One server's. Who says the same asks through the same gate."""

    name: str
    """Of the server, and of the credentials that it is asked with."""
    max_wait: float
    """For how many seconds anybody waits because the server asks for it."""
    concurrency: int | None = None
    """How many requests may be under way."""
    requests: int | None = None
    """How many may begin in any span of `per` seconds."""
    per: float = 0.0
