"""What a page claims about the pages around it. Read strictly: what makes no sense is an error, never a guess."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from portsync.pagination.error import PaginationError
from portsync.pagination.paths import DIGITS, FAILED, TYPE

if TYPE_CHECKING:
    from portsync.flow import Json, PageFacts

UNKNOWN = "unknown"
"""What an expression gives where the page does not say; null is an error, because that is what a typing mistake
gives."""

_INTEGER = re.compile(r"-?[0-9]{1,1000}")
_COUNT = re.compile(r"[0-9]{1,15}")
_MOST_SHOWN = 60


def value_of(facts: PageFacts, name: str) -> Json:
    """What the expression `<name>_path` gave: null, a boolean, a number or a text; an object or an array only stands
    for one, without its content. Raises PaginationError where the expression failed."""
    value = facts.values.get(name)
    match value:
        case {**members} if isinstance(message := members.get(FAILED), str):
            raise PaginationError(f"`{name}_path` failed: {message}")
        case {**members} if isinstance(digits := members.get(DIGITS), str):
            if _INTEGER.fullmatch(digits) is None:
                raise PaginationError(f"`{name}_path` gave a number of too many digits")
            return int(digits)
        case _:
            return value


def has_more(facts: PageFacts) -> bool | None:
    """Whether there are more pages; None where the source does not say. Raises PaginationError.

    `last_page_path` says the opposite, and is heard only where `has_more_path` is silent, as in Ocean.
    """
    said = _flag(facts, "has_more")
    if said is not None:
        return said
    is_last = _flag(facts, "last_page")
    return None if is_last is None else not is_last


def total(facts: PageFacts) -> int | None:
    """How many records there are in all; None where the source does not say. Raises PaginationError.

    None too where more came than it says. Then records went away meanwhile, or it counts something else than records,
    and either way it proves nothing.
    """
    said = _count(facts, "total", "a number of records")
    return None if said is not None and facts.received > said else said


def total_pages(facts: PageFacts) -> int | None:
    """How many pages there are in all; None where the source does not say. Raises PaginationError."""
    said = _count(facts, "total_pages", "a number of pages")
    if said == 0 and facts.records > 0:
        raise PaginationError("`total_pages_path` gave 0, but the page has records")
    return said


def check_end(facts: PageFacts) -> None:
    """Raise PaginationError where the source claims that there is more after the page of `facts`, which is the last."""
    said = total(facts)
    if said is not None and facts.received < said:
        raise PaginationError(
            f"the pages end after {facts.received} of the {said} records that `total_path` speaks of",
            reason="truncated",
        )
    if has_more(facts) is True:
        raise PaginationError(
            f"the pages end after {facts.received} records, while the source says that there are more",
            reason="truncated",
        )


def shown(value: Json) -> str:
    """`value` as messages show it: texts and numbers themselves, of all else what it is."""
    match value:
        case {**members}:
            return "an array" if members.get(TYPE) == "array" else "an object"
        case [*_]:
            return "an array"
        case _:
            text = json.dumps(value, ensure_ascii=False)
            return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _flag(facts: PageFacts, name: str) -> bool | None:
    if name not in facts.values:
        return None  # nobody asked, or the answer had no body
    value = value_of(facts, name)
    match value.lower() if isinstance(value, str) else value:
        case True | "true":
            return True
        case False | "false":
            return False
        case "unknown":
            return None
        case _:
            raise PaginationError(f"`{name}_path` gave {shown(value)}, which is neither true nor false")


def _count(facts: PageFacts, name: str, meaning: str) -> int | None:
    if name not in facts.values:
        return None
    value = value_of(facts, name)
    match value:
        case bool():
            pass
        case "unknown":
            return None
        case str() if _COUNT.fullmatch(value.strip()):
            return int(value)
        case int() if value >= 0:
            return value
        case _:
            pass
    raise PaginationError(f"`{name}_path` gave {shown(value)}, which is not {meaning}")
