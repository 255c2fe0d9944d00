"""Patterns that others write, matched so that none holds up the local Port.

Python's `re` cannot be stopped, and for some patterns takes time that doubles with every character (`(a+)+$`). AJV,
which Port's messages show, runs patterns on the engine of JavaScript, which has the same weakness; so they are no
mistake. What may take long runs behind the fence of the calculations, on the engine of JQ, and with a deadline.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from portsync.errors import ExpressionError

if TYPE_CHECKING:
    from portsync.emulator.calculations.fenced import Fence

DEADLINE_S = 0.5
_SHORT = 200
"""Characters. Of texts up to here, one repetition beside others costs little; a repeated repetition any time."""
_REPEATED = re.compile(r"(?<!\\)[*+{]")


def is_harmless(pattern: str) -> bool:
    """Whether no group is repeated, nothing refers back and few parts are repeated: then time is no matter on short
    texts. A plain look at the text, which sees too many rather than too few."""
    return re.search(r"\)[*+{]|\\[1-9]|\(\?P=", pattern) is None and len(_REPEATED.findall(pattern)) <= 2  # noqa: PLR2004


class Patterns:
    """Matches texts with the patterns of blueprints. One that has taken too long once matches nothing from then on."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._given_up: set[str] = set()

    def found(self, pattern: str, text: str) -> bool:
        """Whether the pattern is found in the text; not where that cannot be told within the deadline."""
        if len(text) <= _SHORT and is_harmless(pattern):
            return re.search(pattern, text) is not None
        if pattern in self._given_up:
            return False
        program = f"test({orjson.dumps(pattern).decode()})"
        try:
            (line,) = self._fence.run(program, [orjson.dumps(text)], 0.0, DEADLINE_S)
        except ExpressionError:
            self._given_up.add(pattern)
            return False
        return line == b"true"
