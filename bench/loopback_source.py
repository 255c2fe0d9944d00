"""The source of the throughput bench: `loopback_source.py RECORDS`. Its pages are rendered before the first request."""

from __future__ import annotations

import sys
from urllib.parse import parse_qs, urlsplit

import orjson

from bench.wire import answer, serve
from bench.workload import PAGE_SIZE, SOURCE_PATH, record


def pages(records: int) -> dict[int, bytes]:
    """Whole answers by offset."""
    found: dict[int, bytes] = {}
    for offset in range(0, max(records, 1), PAGE_SIZE):
        end = min(offset + PAGE_SIZE, records)
        page = {"data": [record(number) for number in range(offset, end)], "has_more": end < records}
        found[offset] = answer("200 OK", orjson.dumps(page))
    return found


def main() -> None:
    """Serve `GET /records?offset=...&limit=500`."""
    ready = pages(int(sys.argv[1]))
    refusal = answer("404 Not Found", b'{"error": "there is nothing here"}')

    def answerer(method: str, target: str, _body: bytes) -> bytes:
        url = urlsplit(target)
        query = parse_qs(url.query)
        if (method, url.path, query.get("limit")) != ("GET", SOURCE_PATH, [str(PAGE_SIZE)]):
            return refusal
        return ready.get(int(query["offset"][0]), refusal)

    serve(answerer)


if __name__ == "__main__":
    main()
