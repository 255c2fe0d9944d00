"""Values of entities as the page shows them: each with its kind, its text, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from portsync.emulator.page.links import entity_href, web_address
from portsync.emulator.page.texts import clipped, moment, number

if TYPE_CHECKING:
    from portsync.emulator.page.columns import Column

IN_TABLE = 120
ALONE = 20_000
"""The most characters of one value: a page must stay one that can be read, whatever is in the catalogue."""
_MOST_ITEMS = 100
_FEW_ITEMS = 4
COLOURS = frozenset(
    {
        "blue", "turquoise", "orange", "purple", "pink", "yellow", "green", "red", "gold", "silver", "paleBlue",
        "darkGray", "lightGray", "bronze", "lime", "olive", "brown",
    }
)  # fmt: skip
"""Port's API reference, blueprints: the colours of enum values."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A value for a template. `kind` chooses how it is drawn; `items` are those of a list."""

    kind: str
    text: str = ""
    href: str | None = None
    tint: str | None = None
    whole: str | None = None
    """What the text is short for, where it is."""
    items: tuple[Shown, ...] = ()
    left: int = 0
    """So many items are not shown."""


def show(value: Any, column: Column, *, most: int = IN_TABLE) -> Shown:
    """A column's value, with at most so many characters."""
    if value is None:
        return Shown("none")
    if isinstance(value, list):
        few = _FEW_ITEMS if most == IN_TABLE else _MOST_ITEMS
        if column.type == "relation" or all(not isinstance(item, dict | list) for item in value):
            shown = tuple(show(item, column, most=most) for item in value[:few])
            return Shown("list", items=shown, left=max(0, len(value) - few))
    if isinstance(value, dict | list):
        return _json(value, most)
    if column.target is not None:
        return Shown("link", clipped(str(value), most), entity_href(column.target, str(value)))
    tint = _tint(value, column)
    if isinstance(value, bool):
        return Shown("yes" if value else "no", "Yes" if value else "No", tint=tint)
    if isinstance(value, int | float):
        return Shown("tag" if tint else "number", number(value), tint=tint, whole=str(value))
    return _text(str(value), column, tint, most)


def pretty(value: Any, most: int = ALONE) -> str:
    """JSON over several lines."""
    return clipped(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), most)


def _text(text: str, column: Column, tint: str | None, most: int) -> Shown:
    short = clipped(text, most)
    whole = clipped(text, 1000) if short != text and most == IN_TABLE else None
    if column.format == "date-time":
        return Shown("date", moment(short), whole=short)
    if column.format == "url" and (address := web_address(text)) is not None:
        return Shown("url", clipped(address.split("://", 1)[1].rstrip("/"), most), address)
    if column.format in ("user", "email", "idn-email"):
        return Shown("person", short, whole=whole)
    if tint is not None or column.choices:
        return Shown("tag", clipped(text, 80), tint=tint)
    return Shown("text", short, whole=whole)


def _json(value: Any, most: int) -> Shown:
    if most != IN_TABLE:
        return Shown("json", pretty(value, most))
    noun = "key" if isinstance(value, dict) else "item"
    return Shown("object", f"{len(value):,} {noun}{'' if len(value) == 1 else 's'}")


def _tint(value: Any, column: Column) -> str | None:
    name = column.colors.get(str(value)) if column.colors else None
    return name if isinstance(name, str) and name in COLOURS else None
