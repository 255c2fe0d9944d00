"""A screenshot as a small picture: cut off below what it shows, and with no more colours than a palette holds."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}
"""Bytes of a pixel by PNG's type of colour: RGB, and RGB with alpha."""
_MOST_COLOURS = 256
_MARGIN = 24
"""Rows of pixels that stay below the last one that shows something."""


def shrunk(png: bytes) -> bytes:
    """A PNG of the same width with what `png` shows. Takes what browsers write: 8 bits, RGB or RGBA, not interlaced."""
    chunks = dict(_chunks(png))
    width, height, _, kind, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    rows = [_opaque(row, _CHANNELS[kind]) for row in _rows(chunks[b"IDAT"], width, height, _CHANNELS[kind])]
    last = max((number for number, row in enumerate(rows) if row != rows[-1]), default=height - 1)
    rows = rows[: last + 1 + _MARGIN]
    colours = [colour for colour, _ in Counter(pixel for row in rows for pixel in row).most_common(_MOST_COLOURS)]
    index = {colour: number for number, colour in enumerate(colours)}
    lines = bytearray()
    for row in rows:
        lines.append(0)
        for pixel in row:
            if pixel not in index:
                index[pixel] = index[_nearest(pixel, colours)]
            lines.append(index[pixel])
    head = struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", b"".join(colours)), (b"IDAT", zlib.compress(bytes(lines), 9)), (b"IEND", b""))
    return _MAGIC + b"".join(_chunk(name, content) for name, content in parts)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks by name, those of the image data as one."""
    assert png.startswith(_MAGIC)
    at, image = len(_MAGIC), b""
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        if name == b"IDAT":
            image += content
        else:
            yield name, content
        at += 12 + size
    yield b"IDAT", image


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _rows(image: bytes, width: int, height: int, channels: int) -> Iterator[bytes]:
    """Each row of pixels, as it was before each byte became a difference from its neighbours (PNG, chapter 9)."""
    data, size = zlib.decompress(image), width * channels
    above = bytes(size)
    for number in range(height):
        at = number * (size + 1)
        row = bytearray(data[at + 1 : at + 1 + size])
        match data[at]:
            case 1:
                for i in range(channels, size):
                    row[i] = (row[i] + row[i - channels]) & 255
            case 2:
                row = bytearray((one + up) & 255 for one, up in zip(row, above, strict=True))
            case 3:
                for i in range(size):
                    left = row[i - channels] if i >= channels else 0
                    row[i] = (row[i] + (left + above[i]) // 2) & 255
            case 4:
                for i in range(size):
                    left, corner = (row[i - channels], above[i - channels]) if i >= channels else (0, 0)
                    row[i] = (row[i] + _paeth(left, above[i], corner)) & 255
        above = bytes(row)
        yield above


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda one: abs(guess - one))


def _opaque(row: bytes, channels: int) -> list[bytes]:
    """The pixels of a row, without what they let through."""
    return [row[i : i + 3] for i in range(0, len(row), channels)]


def _nearest(pixel: bytes, colours: list[bytes]) -> bytes:
    return min(colours, key=lambda one: sum((a - b) ** 2 for a, b in zip(one, pixel, strict=True)))
