"""Connections, and one request on one of them. Knows nothing of retries, redirects and credentials."""

from __future__ import annotations

import io
import ssl
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx

from portsync.errors import DecodeError
from portsync.packed import decoded_as

_OF_THE_WIRE = (b"content-encoding", b"content-length", b"transfer-encoding")
_DEEPEST_CAUSE = 10
"""Chains of causes can be circles."""
_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class TooLargeError(Exception):
    """This means that an answer has more bytes than anybody can have meant."""


class Connections:
    """Straight to httpx's transports: its client spends a third of the time of a small request on what is not used
    here."""

    def __init__(
        self,
        tls: ssl.SSLContext | None,
        *,
        use_proxies: bool,
        transport: httpx.AsyncBaseTransport | None,
        largest_answer: int,
    ) -> None:
        """`use_proxies` takes those that the environment names. `transport` takes the place of all that are made here.
        `largest_answer` is in bytes, after decompression."""
        self._tls: ssl.SSLContext | bool = tls or True
        self._use_proxies = use_proxies
        self._given = transport
        self._largest_answer = largest_answer
        self._started: list[httpx.AsyncBaseTransport] = []

    async def aclose(self) -> None:
        for transport in self._started:
            await transport.aclose()

    async def answer(
        self, request: httpx.Request, idle: list[httpx.AsyncBaseTransport]
    ) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body of the answer, decompressed. `idle` holds the transports to the request's origin
        that nobody uses just now. Raises TooLargeError and what httpx raises."""
        transport = idle.pop() if idle else self._new_transport(request.url)
        try:
            response = await transport.handle_async_request(request)
            parser = _parser_of(transport)
            body = await self._read(response)
            if parser is not None and (surplus := parser.trailing_data[0]):
                # On this connection, it would be read as the answer to the next request.
                await transport.aclose()
                if surplus.strip():
                    raise httpx.RemoteProtocolError("the answer goes on after its end")
        except ssl.SSLError as error:
            # A TLS alert after the handshake comes through bare: httpx does not translate it.
            raise httpx.ReadError(str(error)) from error
        finally:
            idle.append(transport)
        headers = response.headers
        if "content-encoding" in headers:
            body = self._unpacked(body, headers["content-encoding"])
            # Who reads the body with its headers must not unpack it again.
            headers = httpx.Headers([pair for pair in headers.raw if pair[0].lower() not in _OF_THE_WIRE])
        return response.status_code, headers, body

    def _unpacked(self, body: bytes, encodings: str) -> bytes:
        """httpx would do it, but takes a stream without its end, and the first of several, for the whole."""
        try:
            return decoded_as(body, encodings, self._largest_answer)
        except DecodeError as error:
            if error.reason == "too-large":
                raise TooLargeError from error
            raise httpx.DecodingError(str(error)) from error

    def _new_transport(self, url: httpx.URL) -> httpx.AsyncBaseTransport:
        """A transport of one connection. One with many looks after all of them at every request, which costs more than
        the request; how many there are is up to the gate, which lets so many requests begin at most."""
        transport = self._given
        if transport is None:
            proxy = _proxy_for(url) if self._use_proxies else None
            transport = httpx.AsyncHTTPTransport(verify=self._tls, limits=_ONE_CONNECTION, proxy=proxy)
        self._started.append(transport)
        return transport

    async def _read(self, response: httpx.Response) -> bytes:
        """The body, as it came. Raises TooLargeError as soon as it is too large: a small answer can unpack to
        gigabytes."""
        # Gives its bytes away without a copy, which joining parts would not.
        whole = io.BytesIO()
        try:
            assert isinstance(response.stream, httpx.AsyncByteStream)
            async for part in response.stream:
                if whole.tell() + len(part) > self._largest_answer:
                    raise TooLargeError
                whole.write(part)
        finally:
            await response.aclose()
        return whole.getvalue()


def _proxy_for(url: httpx.URL) -> str | None:
    """The proxy that the environment names for `url`, or None."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    exceptions = {name.strip() for name in proxies.get("no", "").split(",")}
    if not proxy or "*" in exceptions or proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _parser_of(transport: httpx.AsyncBaseTransport) -> Any:
    """The parser of the connection that an answer is arriving on, or None.

    Neither httpx nor httpcore tells of bytes after the end of an answer, although h11 knows them; without this they
    are lost, or taken for another answer. Where the way to it changes, the guard is off, and its test says so.
    """
    connections = getattr(getattr(transport, "_pool", None), "connections", None) or (None,)
    connection = getattr(connections[0], "_connection", None)
    # A connection through a proxy wraps another one.
    connection = getattr(connection, "_connection", connection)
    return getattr(connection, "_h11_state", None)


def tls_fault(error: httpx.RequestError) -> ssl.SSLError | None:
    """What was wrong with the encryption, where that is why there is no connection."""
    cause: BaseException | None = error
    for _ in range(_DEEPEST_CAUSE):
        if cause is None or isinstance(cause, ssl.SSLError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
