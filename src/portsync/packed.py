"""Bodies that are packed: as their headers say, or as a gzip file that is served as it lies there. What ends too early,
or goes on with something else, is an error, and no shorter answer."""

from __future__ import annotations

import io
import zlib

from portsync.errors import DecodeError, Problem

_GZIP = b"\x1f\x8b\x08"
_WITH_GZIP_HEADER = zlib.MAX_WBITS | 16
_MOST_LAYERS = 3
_STEP = 2**16
"""Bytes that are taken at once, in and out."""


def unpacked(body: bytes, largest: int) -> bytes:
    """`body` without its layers of gzip. `largest` is what any of them may unpack to, in bytes. Raises DecodeError."""
    for _ in range(_MOST_LAYERS):
        if not body.startswith(_GZIP):
            return body
        body = _gunzipped(body, largest)
    if body.startswith(_GZIP):
        raise _broken_gzip(f"is packed more than {_MOST_LAYERS} times")
    return body


def decoded_as(body: bytes, encodings: str, largest: int) -> bytes:
    """`body` without the layers that a `Content-Encoding` names. Raises DecodeError."""
    for encoding in reversed([name.strip().lower() for name in encodings.split(",")]):
        match encoding:
            case "gzip" | "x-gzip":
                body = _gunzipped(body, largest) if body else body
            case "deflate":
                body = _inflated(body, largest) if body else body
            case "" | "identity":
                pass
            case _:
                problem = Problem("broken-gzip", "the answer is packed in a way that nobody asked for")
                raise DecodeError(problem)
    return body


def _inflated(body: bytes, largest: int) -> bytes:
    """What a zlib stream says (RFC 9110, 8.4.1.2), or the bare deflate stream that some servers send in its place."""
    bits = zlib.MAX_WBITS if body[0] & 15 == _DEFLATE and int.from_bytes(body[:2], "big") % 31 == 0 else -zlib.MAX_WBITS
    stream = zlib.decompressobj(wbits=bits)
    output = Output(largest)
    try:
        packed = body
        while not stream.eof:
            part = stream.decompress(packed, _STEP)
            packed = stream.unconsumed_tail
            if not part and not packed and not stream.eof:
                raise _broken_gzip("ends too early")
            output.add(part)
    except zlib.error as error:
        raise _broken_gzip(f"cannot be unpacked: {error}") from error
    if stream.unused_data.strip(b"\0"):
        raise _broken_gzip("goes on with something else")
    return output.value()


_DEFLATE = 8
"""The method in the first byte of a zlib stream (RFC 1950, 2.2)."""


def _gunzipped(body: bytes, largest: int) -> bytes:
    """What the members of a gzip file say together (RFC 1952, 2.2)."""
    output = Output(largest)
    view = memoryview(body)
    position = 0
    try:
        while body.startswith(_GZIP, position):
            member = zlib.decompressobj(wbits=_WITH_GZIP_HEADER)
            while not member.eof:
                packed: bytes | memoryview = member.unconsumed_tail
                if not packed:
                    packed = view[position : position + _STEP]
                    position += len(packed)
                if not packed:
                    raise _broken_gzip("ends too early")
                output.add(member.decompress(packed, _STEP))
            position -= len(member.unused_data)
    except zlib.error as error:
        raise _broken_gzip(f"cannot be unpacked: {error}") from error
    if position == 0:
        raise _broken_gzip("cannot be unpacked: incorrect header check")
    if body[position:].strip(b"\0"):
        raise _broken_gzip("goes on with something else")
    return output.value()


def _broken_gzip(what: str) -> DecodeError:
    hint = "fetch it with another tool: where that gets the same, the source is at fault"
    return DecodeError(Problem("broken-gzip", f"the answer is a packed file that {what}", hint=hint))


class Output:
    """Takes what a decoder gives, up to so many bytes: a small answer can unpack to gigabytes."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._buffer = io.BytesIO()

    def add(self, part: bytes) -> None:
        if self._buffer.tell() + len(part) > self._largest:
            message = f"the answer has more than {self._largest // 2**20} MiB"
            problem = Problem("answer-too-large", message, hint="ask for smaller pages")
            raise DecodeError(problem, reason="too-large")
        self._buffer.write(part)

    def value(self) -> bytes:
        return self._buffer.getvalue()
