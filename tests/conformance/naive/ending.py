"""How a chain of requests ends before its last record."""

from __future__ import annotations


class Gone(Exception):  # noqa: N818 - it ends a chain, and is no mistake of the program
    """This means that a chain cannot be read on."""

    def __init__(self, reason: str, code: str, text: str = "") -> None:
        super().__init__(text)
        self.reason = reason
        self.code = code
        self.text = text


class Skipped(Exception):  # noqa: N818 - the same
    """This means that the mapping says to leave the resource out."""
