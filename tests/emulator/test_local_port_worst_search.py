"""A search that takes long keeps nobody else waiting."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import httpx

from portsync.emulator.app import create_app
from portsync.emulator.query import MAX_RULES
from portsync.loopback import serving

if TYPE_CHECKING:
    from pathlib import Path

ENTITIES = 2000
THING: dict[str, Any] = {
    "identifier": "thing",
    "title": "Thing",
    "schema": {"properties": {"name": {"type": "string"}}},
}
# Nothing of it can be left to the database.
RULE = {"property": "name", "operator": "doesNotContains", "value": "z"}
WORST = {"combinator": "and", "rules": [RULE] * MAX_RULES}


def test_others_are_served_while_the_worst_search_runs(tmp_path: Path) -> None:
    app = create_app(database=f"sqlite:///{tmp_path / 'port.db'}", client_id="id", client_secret="secret")
    with serving(app) as url, httpx.Client(base_url=f"{url}/v1", trust_env=False, verify=False, timeout=60) as client:
        token = client.post("/auth/access_token", json={"clientId": "id", "clientSecret": "secret"})
        client.headers["authorization"] = f"Bearer {token.json()['accessToken']}"
        client.post("/blueprints", json=THING).raise_for_status()
        for start in range(0, ENTITIES, 20):
            some = [{"identifier": f"e{start + each}", "properties": {"name": "x" * 2000}} for each in range(20)]
            client.post("/blueprints/thing/entities/bulk", json={"entities": some}).raise_for_status()
        ended: list[float] = []

        def search() -> None:
            answer = client.post("/entities/search", json=WORST, params={"include": "identifier"})
            assert len(answer.json()["entities"]) == ENTITIES
            ended.append(time.monotonic())

        searching = threading.Thread(target=search)
        searching.start()
        answers = []
        while searching.is_alive():
            assert client.get("/blueprints/thing/entities-count").json()["count"] == ENTITIES
            answers.append(time.monotonic())
        searching.join()

    # Were the search in the way, one answer at most would have come before its own.
    assert sum(at < ended[0] for at in answers) > 3
