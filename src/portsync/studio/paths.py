"""JQ paths from the keys that somebody clicked on."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Key = str | int
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_WORDS = frozenset(
    "def if then elif else end as reduce foreach try catch label import include and or not __loc__".split()  # noqa: SIM905
)
"""What JQ before 1.7 did not take behind a dot."""


def path_of(keys: Sequence[Key]) -> str:
    """The path that leads along `keys`: `.a."odd key"[0]`; `.` for none."""
    path = "".join(_step(key) for key in keys)
    return path if path.startswith(".") else f".{path}"


def each_of(keys: Sequence[Key]) -> str | None:
    """The list of what stands at the same place in every element of the last list on the way, or None where there is
    none: `[.labels[].name]`."""
    last = max((place for place, key in enumerate(keys) if isinstance(key, int)), default=None)
    if last is None:
        return None
    rest = "".join(_step(key) for key in keys[last + 1 :])
    return f"[{path_of(keys[:last])}[]{rest}]" if keys[:last] else f"[.[]{rest}]"


def _step(key: Key) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if _PLAIN.fullmatch(key) and key not in _WORDS:
        return f".{key}"
    return f".{json.dumps(key, ensure_ascii=False)}"


def name_of(keys: Sequence[Key]) -> str:
    """A name for the property that gets the value at `keys`: of letters, digits and `_`."""
    texts = [key for key in keys if isinstance(key, str)]
    name = re.sub(r"[^A-Za-z0-9_]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", texts[-1])) if texts else ""
    return name.strip("_").lower() or "value"
