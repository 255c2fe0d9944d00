"""The names of groups of entities on the page."""

from __future__ import annotations

from portsync.emulator.page.texts import clipped

EMPTY = "—"


def as_name(value: object) -> str:
    """The name of those that have this value."""
    if value is None or value == "":
        return EMPTY
    return ("true" if value else "false") if isinstance(value, bool) else clipped(str(value), 80)
