"""Compile one expression to find out whether it is one. Nothing is run here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import jq

from portsync.jq.fence import REFUSED, prelude, without_values
from portsync.jq.scan import calls, with_double_quotes

_WHERE = re.compile(r" at <top-level>, line (\d+), column (\d+):")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is not a usable expression."""

    code: str
    message: str
    hint: str | None = None
    column: int | None = None
    """Counted from 1 within the expression, where it is a single line and libjq knows."""


def normalised(text: str) -> str:
    """The JQ text that is run for what the user wrote."""
    return with_double_quotes(text.strip())


@lru_cache(maxsize=4096)
def find_fault(text: str) -> Fault | None:
    """The first thing that is wrong with the expression `text`, or None.

    Remembered: libjq reads its whole library for every text, 1 ms each, and resources say the same things.
    """
    if not text.strip():
        return Fault("jq-syntax", "the expression is empty", hint="write `.` for the record itself, or remove the key")
    for name, offset in calls(text, REFUSED):
        return Fault(
            "jq-forbidden",
            f"`{name}` is not available to expressions",
            hint="an expression sees the record, `$context`, `$params` and `$window`, and nothing else",
            column=offset + 1,
        )
    code = normalised(text)
    # Alone: `.a) | (.b` is no expression, but would be one between parentheses.
    if (fault := _compile_fault(code)) is not None:
        return fault
    # Between parentheses, as programs have it: only a comment or a definition without an end can differ there.
    return _compile_fault(f"({code}\n\n)") if "#" in code or "def" in code else None


def _compile_fault(source: str) -> Fault | None:
    try:
        jq.compile(f"{prelude(0.0)}{without_values()}\n{source}")
    except ValueError as error:
        return _read_fault(str(error), source)
    return None


def _read_fault(report: str, source: str) -> Fault:
    first = next((line for line in report.splitlines() if line.startswith("jq: error: ")), report.splitlines()[0])
    message = first.removeprefix("jq: error: ").replace("INVALID_CHARACTER", "character")
    column = None
    if where := _WHERE.search(message):
        message = message[: where.start()]
        # The program's first line is the prelude.
        column = int(where[2]) if int(where[1]) == 2 and "\n" not in source else None  # noqa: PLR2004
    return Fault("jq-syntax", message.strip(), column=column, hint=_hint(message))


def _hint(message: str) -> str | None:
    if "/0 is not defined" in message:
        name = message.split("/", 1)[0].strip()
        return f'for the text write "{name}" in double quotes inside the expression; for the field, .{name}'
    return None
