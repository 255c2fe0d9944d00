"""What stands around every view: the catalogue's parts, to go from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.emulator.blueprints import SYSTEM_BLUEPRINTS
from portsync.emulator.page.links import blueprint_href, dashboard_href
from portsync.emulator.page.texts import clipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.workspace import Session

_MOST = 40
_TONES = 12


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the menu."""

    title: str
    href: str
    count: int | None = None
    letter: str = ""
    tone: int = 0


@dataclass(frozen=True, slots=True)
class Shell:
    """The menu; `more` blueprints are on the overview only."""

    blueprints: tuple[Item, ...]
    more: int
    dashboards: tuple[Item, ...]
    sources: int
    runs: int


def shell_of(session: Session) -> Shell:
    """The menu for the catalogue as it is."""
    blueprints = in_order(session.blueprints.all())
    counts = session.entities.counts()
    pages = [page for page in session.pages.all() if page.get("type") == "dashboard"]
    return Shell(
        tuple(blueprint_items(blueprints[:_MOST], counts).values()),
        max(0, len(blueprints) - _MOST),
        tuple(Item(page_title(page), dashboard_href(page["identifier"])) for page in pages[:_MOST]),
        len(session.integrations.all()),
        session.runs.count(),
    )


def in_order(blueprints: Sequence[Blueprint]) -> list[Blueprint]:
    """By title, those that every organisation has at the end."""
    return sorted(blueprints, key=lambda each: (each.identifier in SYSTEM_BLUEPRINTS, title_of(each).casefold()))


def title_of(blueprint: Blueprint) -> str:
    return clipped(str(blueprint.body.get("title") or blueprint.identifier), 100)


def page_title(page: Mapping[str, object]) -> str:
    return clipped(str(page.get("title") or page["identifier"]), 100)


def blueprint_items(blueprints: Sequence[Blueprint], counts: Mapping[str, int]) -> dict[str, Item]:
    """The entries of blueprints by identifier. The colours go round, so that neighbours differ."""
    return {
        each.identifier: Item(
            title_of(each),
            blueprint_href(each.identifier),
            counts.get(each.identifier, 0),
            _letters(title_of(each)),
            index % _TONES + 1,
        )
        for index, each in enumerate(blueprints)
    }


def _letters(title: str) -> str:
    """Two initials, of the last words: the first ones are often the same all over a catalogue."""
    words = [word for word in title.split() if word[0].isalnum()]
    return "".join(word[0] for word in words[-2:]).upper() or "·"
