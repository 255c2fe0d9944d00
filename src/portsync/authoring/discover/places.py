"""Places in JSON values: walking to them, and the JQ that leads there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portsync.authoring.discover.proposal import Path
    from portsync.flow import Json

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEEPEST = 6
_MOST_MEMBERS = 500
"""Objects with more members are tables, and nothing about the page."""


def jq_path(path: Sequence[str]) -> str:
    """The expression for what stands at `path`, whatever the names hold: quotes, dots, spaces, emoji."""
    if not path:
        return "."
    steps = (f".{name}" if _PLAIN.fullmatch(name) else f".[{json.dumps(name)}]" for name in path)
    return "".join(steps).replace("].[", "][")


def at(value: Json, path: Sequence[str]) -> Json:
    """What stands at `path`; None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def members(value: Json, without: Path | None = None) -> Iterator[tuple[Path, Json]]:
    """Every member of the objects in `value`, those in the nearest first, with its path. Arrays are not entered, nor
    is what stands at `without`."""
    waiting: list[tuple[Path, Json]] = [((), value)]
    for path, here in waiting:
        if not isinstance(here, dict) or len(path) >= _DEEPEST or len(here) > _MOST_MEMBERS:
            continue
        for name, member in here.items():
            below = (*path, name)
            if below == without:
                continue
            yield below, member
            waiting.append((below, member))


def key_of(name: str) -> str:
    """A name as names are compared: `nextPageToken`, `next_page_token` and `next-page-token` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case: `ownerId`, `owner_id` and `OWNER-ID` have two."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]
