"""Why a text is not a usable expression."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an expression, and where in it."""

    code: str
    message: str
    hint: str | None = None
    offset: int | None = None
    """Characters before the spot, in the text as the user wrote it; None where nobody knows it."""
