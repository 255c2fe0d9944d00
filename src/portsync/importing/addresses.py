"""One base URL for all resources, and the path of each from there."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_URL = re.compile(r"(?P<origin>(?:https?://|\$\{)[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the source is."""

    base_url: str | None
    kinds: tuple[str | None, ...]
    """For each address its path from there, or a full URL elsewhere; None where it cannot be said."""
    elsewhere: tuple[str, ...] = ()
    """The other origins among them."""


def addresses(given: Sequence[tuple[str | None, str]]) -> Addresses:
    """The addresses of pairs of base and path. The origin that most of them have becomes that of the base URL; a base
    may hold `${NAME}`, which no path can."""
    parts = [_parts(base, path) for base, path in given]
    origins = Counter(part[0] for part in parts if part is not None)
    if not origins:
        return Addresses(None, tuple(_rooted(path) if base is None else None for base, path in given))
    origin = origins.most_common(1)[0][0]
    common = _common([part[1] for part in parts if part is not None and part[0] == origin])
    kinds: list[str | None] = []
    elsewhere: dict[str, None] = {}
    for part in parts:
        if part is None:
            kinds.append(None)
        elif part[0] == origin:
            kinds.append(_sayable(_rooted("/".join([*part[1][len(common) :], part[2]]))))
        else:
            kinds.append(_sayable(part[0] + _rooted("/".join([*part[1], part[2]]))))
            elsewhere |= {part[0]: None} if "${" not in part[0] else {}
    return Addresses("/".join([origin, *common]), tuple(kinds), tuple(elsewhere))


def _parts(base: str | None, path: str) -> tuple[str, list[str], str] | None:
    """Origin, the base's own path, and the path; None where the base is no URL."""
    if path.startswith(("http://", "https://")):
        found = _URL.fullmatch(path.strip())
        return None if found is None else (found["origin"], [], found["path"].lstrip("/") + (found["query"] or ""))
    found = None if base is None else _URL.fullmatch(base.strip())
    if found is None:
        return None
    segments = [segment for segment in found["path"].split("/") if segment]
    if not path.strip() and segments:
        path = segments.pop()
    return found["origin"], segments, path.strip().lstrip("/") + (found["query"] or "")


def _common(paths: list[list[str]]) -> list[str]:
    """The segments with which all paths begin."""
    first, last = min(paths), max(paths)
    count = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:count]


def _rooted(path: str) -> str:
    return f"/{path.lstrip('/')}" if not path.startswith("?") else path


def _sayable(kind: str) -> str | None:
    return None if "${" in kind else kind
