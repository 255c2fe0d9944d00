"""The one error of pagination."""

from __future__ import annotations


class PaginationError(Exception):
    """This means that a page says something about its successor that cannot be followed, or that cannot be true."""

    def __init__(self, message: str, *, reason: str = "pagination") -> None:
        """`message` never repeats a link: its query may hold a secret."""
        super().__init__(message)
        self.message = message
        self.reason = reason
