"""What the source answered so far: every look at the mapping is taken from it, and only a click asks the source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import orjson

from portsync.transport.exchange import KeptAnswers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.flow import Json
    from portsync.transport.exchange import Exchange

_MOST_BYTES = 256 * 2**20
"""Of answers that are kept; the oldest go first."""
_Key = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the mapping makes it."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def key(self) -> _Key:
        return (self.method, self.url, self.content)


@dataclass
class Answers:
    """The answers, each under its request. Credentials are no part of either."""

    _kept: dict[_Key, Exchange] = field(default_factory=dict)
    _read: dict[_Key, Json] = field(default_factory=dict)
    """Bodies as values, read once: a large one takes longer than a keystroke may."""

    def take(self, exchange: Exchange) -> None:
        """Keep an answer in place of an older one to the same request."""
        key = (exchange.method, exchange.url, exchange.content or b"")
        self._kept.pop(key, None)
        self._read.pop(key, None)
        self._kept[key] = exchange
        total = sum(len(one.answer) for one in self._kept.values())
        while total > _MOST_BYTES and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._read.pop(oldest, None)
            total -= len(self._kept.pop(oldest).answer)

    def value_of(self, exchange: Exchange) -> Json:
        """The body of an answer. Raises JSONDecodeError where it is no JSON."""
        key = (exchange.method, exchange.url, exchange.content or b"")
        if key not in self._read:
            value = orjson.loads(exchange.answer)
            if key not in self._kept:
                return value
            self._read[key] = value
        return self._read[key]

    def of(self, request: Request) -> Exchange | None:
        return self._kept.get(request.key)

    def all(self) -> list[Exchange]:
        """In the order in which they came."""
        return list(self._kept.values())

    def playing(self) -> Playing:
        """What stands in place of the network for one look."""
        return Playing(self)


@dataclass
class Playing:
    """One look at the mapping: which requests it made, and what was kept for them."""

    answers: Answers
    given: list[Exchange] = field(default_factory=list)
    missed: list[Request] = field(default_factory=list)
    """Those that the source was not asked yet."""

    def wire(self) -> KeptAnswers:
        return KeptAnswers(self._answer_to)

    def _answer_to(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, Sequence[tuple[str, str]], bytes] | None:
        request = Request(method, url, dict(headers), content)
        exchange = self.answers.of(request)
        if exchange is None:
            self.missed.append(request)
            return None
        self.given.append(replace(exchange, headers=request.headers))
        kept = {name: value for name, value in exchange.answer_headers.items() if name not in _OF_THE_BYTES}
        return exchange.status, tuple(kept.items()), exchange.answer


_OF_THE_BYTES = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers of an answer as it went over the wire; what is kept is decompressed."""
