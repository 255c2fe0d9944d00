"""A source of any shape: `shaped_source.py --chains C --records R --page P [--fields F] [--latency MS] [--changed S]`.

`GET /parents` gives C parents, and `GET /parents/{parent}/records?offset=...&limit=P` the R records of each. With
`--changed`, this share of all records is in its second revision. Answers are rendered before the first request, and
each takes so long to come. `GET /spent` gives `{"cpu_s": ..., "requests": ...}`: what answering took so far.
"""

from __future__ import annotations

import argparse
import time
from urllib.parse import parse_qs, urlsplit

import orjson

from bench.wire import answer, serve
from bench.workload import USUAL_FIELDS, record


def is_changed(number: int, share: float) -> bool:
    """Whether a record is among the changed ones, of which there are `int(share * n)` among the first n."""
    return int((number + 1) * share) > int(number * share)


def pages(chains: int, records: int, page: int, fields: int, changed: float) -> dict[tuple[int, int], bytes]:
    """Whole answers by parent and offset."""
    found: dict[tuple[int, int], bytes] = {}
    for parent in range(chains):
        for offset in range(0, max(records, 1), page):
            end = min(offset + page, records)
            numbers = range(parent * records + offset, parent * records + end)
            some = [record(number, fields, int(is_changed(number, changed))) for number in numbers]
            found[parent, offset] = answer("200 OK", orjson.dumps({"data": some, "has_more": end < records}))
    return found


def main() -> None:
    """Serve the parents and their records."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--chains", type=int, required=True)
    parser.add_argument("--records", type=int, required=True, help="of each chain")
    parser.add_argument("--page", type=int, required=True, help="records of a page")
    parser.add_argument("--fields", type=int, default=USUAL_FIELDS, help="of a record")
    parser.add_argument("--latency", type=float, default=0, help="milliseconds")
    parser.add_argument("--changed", type=float, default=0, help="share of the records")
    given = parser.parse_args()
    ready = pages(given.chains, given.records, given.page, given.fields, given.changed)
    parents = answer("200 OK", orjson.dumps({"data": [{"id": number} for number in range(given.chains)]}))
    refusal = answer("404 Not Found", b'{"error": "there is nothing here"}')
    begun, requests = time.process_time(), 0

    def answerer(_method: str, target: str, _body: bytes) -> bytes:
        nonlocal requests
        url = urlsplit(target)
        if url.path == "/spent":
            return answer("200 OK", orjson.dumps({"cpu_s": time.process_time() - begun, "requests": requests}))
        requests += 1
        match url.path.strip("/").split("/"):
            case ["parents"]:
                return parents
            case ["parents", parent, "records"]:
                query = parse_qs(url.query)
                if query["limit"] != [str(given.page)]:
                    return refusal
                return ready.get((int(parent), int(query["offset"][0])), refusal)
            case _:
                return refusal

    serve(answerer, given.latency / 1000)


if __name__ == "__main__":
    main()
