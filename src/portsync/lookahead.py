"""Requests that are sent before their turn, because their answers will probably be wanted."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import TYPE_CHECKING, Generic, TypeVar

import orjson

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from portsync.flow import PageFacts, RequestSpec

R = TypeVar("R")


class Step(Generic[R]):
    """One request under way: the facts of its page as soon as they are known, and what it comes to in the end."""

    def __init__(self, read: Callable[[Step[R]], Awaitable[R]], request: RequestSpec, number: int) -> None:
        self.request = request
        self.number = number
        """Of its page, counted from 1 within its chain."""
        self._known: asyncio.Future[PageFacts | None] = asyncio.get_running_loop().create_future()
        self.result = asyncio.ensure_future(read(self))
        self.result.add_done_callback(lambda _: self.know(None))

    def know(self, facts: PageFacts | None) -> None:
        """Take the facts; the first time counts."""
        if not self._known.done():
            self._known.set_result(facts)

    async def early_facts(self) -> PageFacts | None:
        """The facts, where they are known before the result is."""
        facts = await self._known
        return None if self.result.done() else facts

    async def aclose(self) -> None:
        """Give the step up. What it comes to, be it an error, is of no interest any more."""
        if not self.result.done():
            self.result.cancel()
            await asyncio.gather(self.result, return_exceptions=True)
        elif not self.result.cancelled():
            self.result.exception()


class Lookahead(Generic[R]):
    """The steps under way whose turn has not come. What was expected in vain is given up."""

    def __init__(self, read: Callable[[Step[R]], Awaitable[R]]) -> None:
        self._read = read
        self._under_way: dict[bytes, Step[R]] = {}

    def take(self, request: RequestSpec, number: int) -> Step[R]:
        """The step of `request`, whose turn it is; begun now unless it is under way."""
        return self._under_way.pop(fingerprint(request), None) or Step(self._read, request, number)

    async def expect(self, requests: Iterable[RequestSpec], number: int) -> None:
        """Begin the steps of the pages from `number` on, as far as they are not under way."""
        wanted = {fingerprint(request): (request, number + i) for i, request in enumerate(requests)}
        if self._under_way:
            await self._drop([key for key in self._under_way if key not in wanted])
        for key, (request, page) in wanted.items():
            if key not in self._under_way:
                self._under_way[key] = Step(self._read, request, page)

    async def close(self) -> None:
        """Give up whatever is under way."""
        await self._drop(list(self._under_way))

    async def _drop(self, keys: list[bytes]) -> None:
        await asyncio.gather(*(self._under_way.pop(key).aclose() for key in keys))


def fingerprint(request: RequestSpec) -> bytes:
    """A hash of all that makes a request what it is."""
    said = [request.method, request.url, request.params, request.headers, request.body]
    return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
