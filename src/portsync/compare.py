"""An entity as it would be sent against the entity as Port holds it: what would a write change?

Pure functions over parsed JSON. Where the two cannot be compared, they count as different: one write too many does no
harm, one too few leaves the catalog wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portsync.flow import Json

_DATE_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
"""RFC 3339, 5.6: date, time, fraction of a second, zone."""
_PLAIN = frozenset({str, int, float, bool, type(None)})


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of an entity that a write would change."""

    name: str
    """`title`, `icon`, `team`, `properties.size`, `relations.owner`."""
    old: Json
    """What Port holds; None where that is nothing."""
    new: Json
    """What it would hold; None where the write clears it."""


def differences(sent: Mapping[str, Json], held: Mapping[str, Json], *, is_merge: bool) -> tuple[Difference, ...]:
    """What upserting `sent` would change in `held`, in an order that does not depend on the order of keys.

    `sent` has the keys of an entity in a bulk upsert; `held` is what a search gives for it, without calculated
    properties. That both are one entity is the caller's word: identifiers are not compared. Without `is_merge` Port
    keeps nothing that is not sent, so what it holds beyond `sent` is a difference too (Port's API reference, create an
    entity: `merge`).
    """
    found = [
        *_of_keys("", sent, held, ("title", "icon"), _is_same, is_merge=is_merge),
        *_of_keys("", sent, held, ("team",), _is_same_team, is_merge=is_merge),
    ]
    for section, is_same in (("properties", _is_same), ("relations", _is_same_relation)):
        ours, theirs = sent.get(section) or {}, held.get(section) or {}
        names = sorted({*ours, *theirs})
        found += _of_keys(f"{section}.", ours, theirs, names, is_same, is_merge=is_merge)
    return tuple(found)


def _of_keys(
    prefix: str,
    sent: Mapping[str, Json],
    held: Mapping[str, Json],
    names: list[str] | tuple[str, ...],
    is_same: Callable[[Json, Json], bool],
    *,
    is_merge: bool,
) -> list[Difference]:
    """The differences in the values of some keys. A key that is not sent is left alone by a merge, and cleared else;
    null says the same as no key, on both sides."""
    return [
        Difference(f"{prefix}{name}", held.get(name), sent.get(name))
        for name in names
        if (name in sent or not is_merge) and not is_same(held.get(name), sent.get(name))
    ]


def _is_same_team(old: Json, new: Json) -> bool:
    """Teams are members of a set: their order says nothing, and one alone may stand without its list."""
    ours, theirs = _names_in(new), _names_in(old)
    return ours is not None and theirs is not None and set(ours) == set(theirs)


def _is_same_relation(old: Json, new: Json) -> bool:
    """A target and a list of that one target point to the same entity; no target and an empty list point to none.
    Several are a set: nothing says that Port keeps their order, and an order that the mapping changes is noticed by
    the state."""
    ours, theirs = _names_in(new), _names_in(old)
    return ours is not None and theirs is not None and set(ours) == set(theirs)


def _names_in(value: Json) -> list[str] | None:
    """The identifiers in a relation or team; None where it holds anything else, such as Ocean's search form, which is
    Port's to resolve."""
    match value:
        case None:
            return []
        case str():
            return [value]
        case list() if all(isinstance(item, str) for item in value):
            return value
        case _:
            return None


def _is_same(old: Json, new: Json) -> bool:
    """Whether two JSON values say the same. Not recursive: a value may nest more deeply than Python's stack."""
    if type(old) is type(new) and type(new) in _PLAIN and old == new:
        return True  # the usual case, at a third of the price
    pairs = [(old, new)]
    while pairs:
        match pairs.pop():
            case dict() as one, dict() as other:
                if one.keys() != other.keys():
                    return False
                pairs += [(value, other[key]) for key, value in one.items()]
            case list() as one, list() as other:
                if len(one) != len(other):
                    return False
                pairs += zip(one, other, strict=True)
            case str() as one, str() as other:
                if one != other and not _is_same_moment(one, other):
                    return False
            # In Python True is 1; in JSON it is not.
            case one, other if isinstance(one, bool) is not isinstance(other, bool) or one != other:
                return False
    return True


def _is_same_moment(one: str, other: str) -> bool:
    """Whether both texts are date-times of one moment: Port keeps UTC, whatever zone it was given."""
    moment = _moment_of(one)
    return moment is not None and moment == _moment_of(other)


def _moment_of(text: str) -> tuple[datetime, str] | None:
    """The second that a date-time lies in, and the digits of its fraction, all of them."""
    if (match := _DATE_TIME.fullmatch(text)) is None:
        return None
    date, time, fraction, zone = match.groups()
    try:
        second = datetime.fromisoformat(f"{date}T{time}{zone.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February, a leap second; a zone that leaves year 1 or 9999
        return None
    return second, (fraction or "").rstrip("0")
