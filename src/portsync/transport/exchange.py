"""One request and its answer, as they can be kept and given again. Credentials are not in them: the request is as the
mapping made it, before it was signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked, and what came back in the end."""

    method: str
    url: str
    headers: Mapping[str, str]
    """Those of the request, names in lower case; without what the authentication adds."""
    content: bytes | None
    """The request's body."""
    status: int
    answer_headers: Mapping[str, str]
    """Names in lower case. Of several with one name they are joined, as HTTP allows."""
    answer: bytes
    """The answer's body, decompressed."""
    is_signed: bool = True
    """Whether credentials went along."""


class NotKeptError(httpx.RequestError):
    """This means that nothing is kept that would answer a request."""


class KeptAnswers(httpx.AsyncBaseTransport):
    """Stands in place of the network: answers each request with what `answer_to` finds for it.

    `answer_to` is given method, URL, headers and body, and gives status, headers and body, or None where it has none.
    """

    def __init__(
        self,
        answer_to: Callable[[str, str, Mapping[str, str], bytes], tuple[int, Sequence[tuple[str, str]], bytes] | None],
    ) -> None:
        self._answer_to = answer_to

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises NotKeptError where there is no answer."""
        body = await request.aread()
        found = self._answer_to(request.method, str(request.url), request.headers, body)
        if found is None:
            raise NotKeptError(f"no answer is kept for {request.method} {request.url}", request=request)
        status, headers, content = found
        return httpx.Response(status, headers=list(headers), content=content)
