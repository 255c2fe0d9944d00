"""The source of the fetch bench: `slow_source.py LATENCY_MS`. Every answer takes so long to come.

`/cursor` and `/pages` hold 200 pages of 100 records, `/parents` 2,000 parents with a page each, and `/large?mb=200`
is one document of so many megabytes. The answers are made before they are timed.
"""

from __future__ import annotations

import functools
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from bench.wire import answer, serve
from bench.workload import identifier_of, properties_of

PAGES = 200
PAGE_SIZE = 100
PARENTS = 2000
LARGE_ITEMS = 1_000_000


def _records(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {"id": identifier_of(number), "n": number, **properties_of(number)} for number in range(first, first + count)
    ]


def _json(value: Any) -> bytes:
    return answer("200 OK", orjson.dumps(value))


def _page(number: int) -> dict[str, Any]:
    return {"data": _records((number - 1) * PAGE_SIZE, PAGE_SIZE), "total_pages": PAGES}


@functools.cache
def _large(megabytes: int) -> bytes:
    """A document of a million items that has about so many megabytes."""
    size = megabytes * 1_000_000 // LARGE_ITEMS
    items = (b'{"id":"item-%07d","n":%d,"text":"%s"}' % (n, n, b"x" * (size - 46)) for n in range(LARGE_ITEMS))
    return answer("200 OK", b'{"data":[' + b",".join(items) + b'],"has_more":false}')


def main() -> None:
    """Serve the ways of paging."""
    pages = {number: _json(_page(number)) for number in range(1, PAGES + 1)}
    cursors = {
        number: _json({**_page(number), "next": f"c{number + 1}" if number < PAGES else None})
        for number in range(1, PAGES + 1)
    }
    parents = _json({"data": [{"id": number} for number in range(PARENTS)]})
    refusal = answer("404 Not Found", b'{"error": "there is nothing here"}')

    def answerer(_method: str, target: str, _body: bytes) -> bytes:
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path.strip("/").split("/"):
            case ["cursor"]:
                return cursors[int(query.get("cursor", "c1")[1:])]
            case ["pages"]:
                return pages[int(query["page"])]
            case ["parents"]:
                return parents
            case ["parents", parent, "children"]:
                return _json({"data": _records(int(parent), 1)})
            case ["large"]:
                return _large(int(query["mb"]))
            case _:
                return refusal

    serve(answerer, float(sys.argv[1]) / 1000)


if __name__ == "__main__":
    main()
