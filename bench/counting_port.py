"""The Port of the benches: takes every entity, counts which were exactly right, and knows which there are.

`counting_port.py [--latency MS] [--limit N --period S] [--fields N]`: each answer takes so long, and so many requests
are taken in so many seconds; what goes beyond is answered with 429. Records have so many fields.

`GET /tally` gives `{"entities": ..., "distinct": ..., "wrong": ...}`: how many came, how many identifiers those were,
and how many were not what their record says, property by property, in its first or its second revision.
`GET /traffic` gives `{"writes": ..., "refused": ..., "refused_later": ..., "taken": ..., "span_s": ..., "cpu_s": ...}`:
the bulk requests, how many requests were answered with 429, and how many of them after the first window; how many were
taken before the last window began, and how many seconds that was after the first of them; what all of it took of CPU.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import orjson

from bench.wire import answer, serve, with_headers
from bench.workload import BLUEPRINT, USUAL_FIELDS, blueprint, identifier_of, number_of, properties_of
from portsync.emulator.rate import RateWindow

_BULK = f"/v1/blueprints/{BLUEPRINT}/entities/bulk?"
_SEARCH = f"/v1/blueprints/{BLUEPRINT}/entities/search?"


class Limited:
    """A Port that takes so many requests in a time, and says so in every answer."""

    def __init__(self, port: CountingPort, limit: int, period: int) -> None:
        self._port = port
        self._limit = limit
        self._period = period
        self._window = RateWindow(limit=limit, period=period, clock=time.monotonic)
        self._taken = 0
        self._windows: list[tuple[float, int]] = []
        """When each began, and how many requests were taken before it."""
        self._refused: list[float] = []

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """The answer to one request."""
        if target == "/traffic":
            return self._traffic()
        if not target.startswith("/v1/"):
            return self._port.answer(method, target, body)
        budget, now = self._window.take(), time.monotonic()
        headers = budget.headers(reset_as_epoch=False)
        if budget.exceeded:
            self._refused.append(now)
            refusal = {"ok": False, "error": "too_many_requests", "message": "the rate limit is exceeded"}
            return with_headers(answer("429 Too Many Requests", orjson.dumps(refusal)), headers)
        if budget.remaining == self._limit - 1:
            self._windows.append((now, self._taken))
        self._taken += 1
        return with_headers(self._port.answer(method, target, body), headers)

    def _traffic(self) -> bytes:
        (first, _), (last, taken) = (self._windows or [(0.0, 0)])[0], (self._windows or [(0.0, 0)])[-1]
        traffic = {
            "writes": self._port.writes,
            "refused": len(self._refused),
            "refused_later": sum(moment > first + self._period for moment in self._refused),
            "taken": taken,
            "span_s": last - first,
            "cpu_s": time.process_time(),
        }
        return answer("200 OK", orjson.dumps(traffic))


class CountingPort:
    """The answers, and what was counted while giving them."""

    def __init__(self, fields: int = USUAL_FIELDS) -> None:
        self._fields = fields
        self.writes = 0
        """Bulk requests."""
        self._entities = 0
        self._wrong = 0
        self._numbers: dict[int, None] = {}
        """The records that came as entities, in the order in which they did."""
        self._blueprint = answer("200 OK", orjson.dumps({"ok": True, "blueprint": blueprint(fields)}))
        token = {"ok": True, "accessToken": "bench", "expiresIn": 10800, "tokenType": "Bearer"}
        self._token = answer("200 OK", orjson.dumps(token))

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """The answer to one request."""
        if method == "POST" and target.startswith(_BULK):
            return self._upsert(orjson.loads(body)["entities"])
        if method == "POST" and target.startswith(_SEARCH):
            return self._search(orjson.loads(body))
        match method, target:
            case "POST", "/v1/auth/access_token":
                return self._token
            case "GET", path if path == f"/v1/blueprints/{BLUEPRINT}":
                return self._blueprint
            case "GET", "/tally":
                tally = {"entities": self._entities, "distinct": len(self._numbers), "wrong": self._wrong}
                return answer("200 OK", orjson.dumps(tally))
            case _:
                refusal = {"ok": False, "error": "not_found", "message": f"no answer to {method} {target}"}
                return answer("404 Not Found", orjson.dumps(refusal))

    def _upsert(self, entities: list[dict[str, Any]]) -> bytes:
        self.writes += 1
        results = [
            {"created": self._count(entity), "identifier": entity["identifier"], "index": index}
            for index, entity in enumerate(entities)
        ]
        return answer("200 OK", orjson.dumps({"ok": True, "entities": results, "errors": []}))

    def _search(self, question: dict[str, Any]) -> bytes:
        """Those of the entities that are asked for by identifier, or all of them: they have one owner."""
        rules = question.get("query", {}).get("rules", [])
        asked = [rule["value"] for rule in rules if rule["property"] == "$identifier"]
        numbers = map(number_of, asked[0]) if asked else self._numbers
        start, limit = int(question.get("from", 0)), question.get("limit", 200)
        found = [number for number in numbers if number in self._numbers]
        only_names = question.get("include") == ["$identifier"]
        entities = [
            {"identifier": identifier_of(number), "blueprint": BLUEPRINT}
            | ({} if only_names else {"properties": properties_of(number, self._fields), "relations": {}})
            for number in found[start : start + limit]
        ]
        more = {"next": str(start + limit)} if len(found) > start + limit else {}
        return answer("200 OK", orjson.dumps({"ok": True, "entities": entities, **more}))

    def _count(self, entity: dict[str, Any]) -> bool:
        """Count an entity; whether it came for the first time."""
        self._entities += 1
        try:
            number = number_of(entity["identifier"])
        except ValueError:
            self._wrong += 1
            return True
        if entity["blueprint"] != BLUEPRINT or not self._is_right(number, entity["properties"]):
            self._wrong += 1
        is_new = number not in self._numbers
        self._numbers[number] = None
        return is_new

    def _is_right(self, number: int, properties: dict[str, Any]) -> bool:
        return any(properties == properties_of(number, self._fields, revision) for revision in (0, 1))


def main() -> None:
    """Serve, with the limits that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0, help="milliseconds")
    parser.add_argument("--limit", type=int, default=10**9, help="requests in a window")
    parser.add_argument("--period", type=int, default=300, help="seconds of a window")
    parser.add_argument("--fields", type=int, default=USUAL_FIELDS, help="of a record")
    given = parser.parse_args()
    serve(Limited(CountingPort(given.fields), given.limit, given.period).answer, given.latency / 1000)


if __name__ == "__main__":
    main()
