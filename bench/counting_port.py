"""The Port of the throughput bench: takes every entity, keeps none, and counts which were exactly right.

`GET /tally` gives `{"entities": ..., "distinct": ..., "wrong": ...}`: how many came, how many identifiers those were,
and how many were not what their record says, property by property.
"""

from __future__ import annotations

from typing import Any

import orjson

from bench.wire import answer, serve
from bench.workload import BLUEPRINT, blueprint, number_of, properties_of

_BULK = f"/v1/blueprints/{BLUEPRINT}/entities/bulk?"


class CountingPort:
    """The answers, and what was counted while giving them."""

    def __init__(self) -> None:
        self._entities = 0
        self._wrong = 0
        self._numbers: set[int] = set()
        self._blueprint = answer("200 OK", orjson.dumps({"ok": True, "blueprint": blueprint()}))
        token = {"ok": True, "accessToken": "bench", "expiresIn": 10800, "tokenType": "Bearer"}
        self._token = answer("200 OK", orjson.dumps(token))

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """The answer to one request."""
        if method == "POST" and target.startswith(_BULK):
            return self._upsert(orjson.loads(body)["entities"])
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
        results = [
            {"created": self._count(entity), "identifier": entity["identifier"], "index": index}
            for index, entity in enumerate(entities)
        ]
        return answer("200 OK", orjson.dumps({"ok": True, "entities": results, "errors": []}))

    def _count(self, entity: dict[str, Any]) -> bool:
        """Count an entity; whether it came for the first time."""
        self._entities += 1
        try:
            number = number_of(entity["identifier"])
        except ValueError:
            self._wrong += 1
            return True
        if entity["blueprint"] != BLUEPRINT or entity["properties"] != properties_of(number):
            self._wrong += 1
        is_new = number not in self._numbers
        self._numbers.add(number)
        return is_new


if __name__ == "__main__":
    serve(CountingPort().answer)
