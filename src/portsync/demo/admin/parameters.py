"""The query of a request to the Admin API, read as strictly as the reference documents it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})")


class InvalidRequestError(ValueError):
    """The request is none that this source can answer; the text says which part of it, and why."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request, each of a name that its endpoint knows."""

    given: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, items: Iterable[tuple[str, str]], *, known: Collection[str]) -> Parameters:
        """Read `items`; a name that ends in `[]` may come several times. Raises InvalidRequestError."""
        given: dict[str, tuple[str, ...]] = {}
        for name, value in items:
            if name not in known:
                raise InvalidRequestError(f"{name}: Extra inputs are not permitted")
            if name in given and not name.endswith("[]"):
                raise InvalidRequestError(f"{name}: given more than once")
            given[name] = (*given.get(name, ()), value)
        return cls(given)

    def text(self, name: str) -> str | None:
        """The value of a parameter that comes once."""
        return self.given[name][0] if name in self.given else None

    def required(self, name: str) -> str:
        """The same, where it must be there. Raises InvalidRequestError."""
        value = self.text(name)
        if value is None:
            raise InvalidRequestError(f"{name}: Field required")
        return value

    def several(self, name: str, allowed: Collection[str] | None = None) -> tuple[str, ...]:
        """The values of an array, each once, in the order given. Raises InvalidRequestError for one that is not
        `allowed`."""
        values = tuple(dict.fromkeys(self.given.get(name, ())))
        for value in values:
            if allowed is not None and value not in allowed:
                raise InvalidRequestError(f"{name}: {value!r} is none of {', '.join(sorted(allowed))}")
        return values

    def number(self, name: str, *, default: int, most: int) -> int:
        """An integer from 1 to `most`. Raises InvalidRequestError."""
        text = self.text(name)
        if text is None:
            return default
        if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
            raise InvalidRequestError(f"{name}: must be an integer from 1 to {most}")
        return int(text)

    def one_of(self, name: str, *, default: str, allowed: Collection[str]) -> str:
        """One of a few words. Raises InvalidRequestError."""
        text = self.text(name)
        if text is not None and text not in allowed:
            raise InvalidRequestError(f"{name}: must be one of {', '.join(sorted(allowed))}")
        return text or default

    def day(self, name: str) -> date:
        """A date as YYYY-MM-DD. Raises InvalidRequestError."""
        text = self.required(name)
        # date.fromisoformat alone also takes 20250102 and 2025-W01-2.
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            try:
                return date.fromisoformat(text)
            except ValueError as error:
                raise InvalidRequestError(f"{name}: no such day") from error
        raise InvalidRequestError(f"{name}: must be a date as YYYY-MM-DD")

    def moment(self, name: str) -> datetime | None:
        """A time as RFC 3339 has it, with its zone, in UTC. Raises InvalidRequestError."""
        text = self.text(name)
        if text is None:
            return None
        if _TIME.fullmatch(text):
            try:
                return datetime.fromisoformat(text).astimezone(UTC)
            except (ValueError, OverflowError) as error:
                raise InvalidRequestError(f"{name}: no such time") from error
        raise InvalidRequestError(f"{name}: must be a time with its zone, as 2026-01-31T00:00:00Z")

    def digest_text(self) -> str:
        """What a token of a page is for: all parameters but the token itself."""
        return repr(sorted((name, values) for name, values in self.given.items() if name != "page"))
