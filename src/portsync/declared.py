"""What a file wants against what Port has. Port adds members of its own, so only those that the file names count."""

from __future__ import annotations

from typing import Any


def says(existing: Any, wanted: Any) -> bool:
    """Whether Port's value says what the file wants: of objects, also those in lists, the members that the file names
    have to agree; empty is as good as absent."""
    match wanted:
        case {}:
            held = {} if existing is None else existing
            return isinstance(held, dict) and all(says(held.get(key), value) for key, value in wanted.items())
        case [_, *_]:
            is_as_long = isinstance(existing, list) and len(existing) == len(wanted)
            return is_as_long and all(map(says, existing, wanted))
        case []:
            return not existing
        case _:
            return bool(existing == wanted)


def merged(existing: Any, wanted: Any) -> Any:
    """The file's value over Port's: somebody may have added a property in Port, which a plain write would drop."""
    if isinstance(existing, dict) and isinstance(wanted, dict):
        return existing | {key: merged(existing.get(key), value) for key, value in wanted.items()}
    return wanted
