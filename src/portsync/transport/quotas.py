"""What the headers of an answer say of how many more requests there may be, and until when.

Understood are `RateLimit` in its present and its older forms (draft-ietf-httpapi-ratelimit-headers, 03 to 10), and the
pairs of headers that APIs had before: `X-RateLimit-*` (GitHub, Port), `X-Rate-Limit-*` (Okta), `Anthropic-RateLimit-*`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from portsync.transport.moments import number_of, seconds_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PAIRS = (
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
)
_MARK = re.compile(rb"(?i)rate-?limit")
_ITEMS = re.compile(r'(?:"[^"]*"|[^,"])+')
_PARTS = re.compile(r'(?:"[^"]*"|[^;"])+')


class Quota(NamedTuple):
    """One of the limits that a server keeps."""

    name: str
    left: int | None
    """How many requests it still takes; None where it does not say."""
    resets_in: float
    """Seconds until it takes the full number again."""


def rate_fields(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers that may speak of a limit, their names in lower case; one that stands twice is joined by a comma."""
    fields: dict[str, str] = {}
    for name, value in raw:
        if _MARK.search(name) is not None:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            fields[key] = f"{fields[key]}, {text}" if key in fields else text
    return fields


def quotas(fields: Mapping[str, str], now: float) -> list[Quota]:
    """The limits that `fields` speak of, as far as they say when they end. `now` is in epoch seconds."""
    found = [quota for left, reset in _PAIRS if reset in fields for quota in _paired(left, reset, fields, now)]
    if "ratelimit" in fields:
        found += _structured(fields["ratelimit"], fields.get("ratelimit-policy", ""), now)
    return found


def exhausted_for(fields: Mapping[str, str], now: float) -> float | None:
    """How many seconds it takes until there are requests again, by what a refusal says of its limits; None where none
    of them is used up. A refusal that names only the reset of a limit means that one."""
    return max((quota.resets_in for quota in quotas(fields, now) if not quota.left), default=None)


def _paired(left: str, reset: str, fields: Mapping[str, str], now: float) -> Iterator[Quota]:
    """What two headers say. Some servers list several limits in them, in the same order in both."""
    # An HTTP date holds a comma too.
    whole = seconds_until(fields[reset], now)
    resets = [seconds_until(text, now) for text in fields[reset].split(",")] if whole is None else [whole]
    counts = [_count(text) for text in fields[left].split(",")] if left in fields else [None] * len(resets)
    if len(resets) < len(counts):
        resets = [max((r for r in resets if r is not None), default=None)] * len(counts)
    for index, (count, resets_in) in enumerate(zip(counts, resets, strict=False)):
        if resets_in is not None and (count is not None or left not in fields):
            yield Quota(f"{left} {index}", count, resets_in)


def _structured(text: str, policies: str, now: float) -> Iterator[Quota]:
    """What `RateLimit` says: `"default";r=50;t=30`, or in an older form `limit=100, remaining=50, reset=30`."""
    items = [_parameters(item) for item in _ITEMS.findall(text)]
    old = {name: value for head, _ in items if "=" in head for name, _, value in [head.partition("=")]}
    if "remaining" in old:
        items = [("", {"r": old["remaining"], "t": old.get("reset", "")})]
    known = dict(_parameters(item) for item in _ITEMS.findall(policies))
    for name, said in items:
        policy = known.get(name, {})
        if policy.get("qu", "requests") != "requests":
            continue  # bytes, or requests at the same time: nothing to count requests by
        # `t` may be missing; the limit then lasts for its window at most.
        count, resets_in = _count(said.get("r", "")), seconds_until(said.get("t", "") or policy.get("w", ""), now)
        if count is not None and resets_in is not None:
            yield Quota(f"ratelimit {name}", count, resets_in)


def _parameters(item: str) -> tuple[str, dict[str, str]]:
    """The head of a list's item, and its parameters; without their quotes."""
    head, *rest = [part.strip() for part in _PARTS.findall(item)] or [""]
    pairs = (part.partition("=") for part in rest)
    return head.strip('"'), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _count(text: str) -> int | None:
    number = number_of(text.strip())
    return None if number is None else max(0, int(number))
