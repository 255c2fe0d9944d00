"""Pictures are cut and get a palette, and show what they showed."""

from __future__ import annotations

import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from tests.library.picture import shrunk

WHITE = b"\xff\xff\xff"


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(rows: list[list[bytes]], filters: list[int]) -> bytes:
    """An RGB PNG whose rows are written with these filters (PNG, chapter 9)."""
    lines, above = b"", bytes(3 * len(rows[0]))
    for pixels, kind in zip(rows, filters, strict=True):
        row = b"".join(pixels)
        lines += bytes([kind])
        for i, value in enumerate(row):
            left, corner = (row[i - 3], above[i - 3]) if i >= 3 else (0, 0)
            up = above[i]
            near = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            lines += bytes([(value - (0, left, up, (left + up) // 2, near)[kind]) & 255])
        above = row
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    body = zlib.compress(lines)
    # In two pieces, as browsers write it.
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*each) for each in ((b"IHDR", head), (b"IDAT", body[:5]), (b"IDAT", body[5:]), (b"IEND", b""))
    )


def read(picture: bytes) -> list[list[bytes]]:
    """The pixels of a PNG with a palette and without filters."""
    chunks, at = {}, 8
    while at < len(picture):
        (size,) = struct.unpack_from(">I", picture, at)
        chunks[picture[at + 4 : at + 8]] = picture[at + 8 : at + 8 + size]
        at += 12 + size
    width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, kind) == (8, 3)
    lines, table = zlib.decompress(chunks[b"IDAT"]), chunks[b"PLTE"]
    starts = [number * (width + 1) for number in range(height)]
    assert all(lines[start] == 0 for start in starts)
    return [[table[3 * i : 3 * i + 3] for i in lines[start + 1 : start + 1 + width]] for start in starts]


PIXELS = st.binary(min_size=3, max_size=3)
ROWS = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(PIXELS, min_size=width, max_size=width), min_size=1))


@given(rows=ROWS, data=st.data())
def test_every_pixel_stays_where_it_was_whatever_the_filters(rows: list[list[bytes]], data: st.DataObject) -> None:
    rows = rows[:50]
    filters = data.draw(st.lists(st.integers(0, 4), min_size=len(rows), max_size=len(rows)))

    found = read(shrunk(png(rows, filters)))

    assert found == rows[: len(found)]
    assert all(row == rows[-1] for row in rows[len(found) :])


def test_what_is_empty_below_is_cut_off() -> None:
    black = [b"\0\0\0"] * 4
    found = read(shrunk(png([black, *[[WHITE] * 4] * 200], [2] * 201)))

    assert found[0] == black
    assert len(found) == 25


def test_colours_beyond_a_palette_become_the_nearest_of_it() -> None:
    often = [bytes([0, level, 0]) for level in range(256)]
    rows = [often, often, [*often[:-1], bytes([0, 100, 1])]]

    found = read(shrunk(png(rows, [0, 1, 2])))

    assert found[0] == often
    assert found[2][-1] == bytes([0, 100, 0])
