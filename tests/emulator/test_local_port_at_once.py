"""Several who write into one file at once, in one process and in several, and processes that are killed meanwhile."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from portsync.emulator.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BATCH = 20
ROUNDS = 12
# A server of its own: it says where it is, and ends with its input.
SERVER = """
import sys
from portsync.emulator.app import create_app
from portsync.loopback import serving

app = create_app(database=f"sqlite:///{sys.argv[1]}", client_id="id", client_secret="secret")
with serving(app) as url:
    print(url, flush=True)
    sys.stdin.read()
"""
RECORD = {
    "identifier": "record",
    "title": "Record",
    "schema": {"properties": {"batch": {"type": "string"}, "place": {"type": "number"}, "more": {"type": "object"}}},
    "relations": {"twin": {"target": "record"}},
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], tuple[str, subprocess.Popen[str]]]]:
    """Start a local Port on the file `port.db` of the test; gives its address and its process."""
    running: list[subprocess.Popen[str]] = []

    def begin() -> tuple[str, subprocess.Popen[str]]:
        command = [sys.executable, "-c", SERVER, str(tmp_path / "port.db")]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip(), process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@contextmanager
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/v1", trust_env=False, verify=False, timeout=60) as made:
        token = made.post("/auth/access_token", json={"clientId": "id", "clientSecret": "secret"})
        made.headers["authorization"] = f"Bearer {token.json()['accessToken']}"
        yield made


def batch(name: str, size: int = BATCH) -> dict[str, Any]:
    """Entities that relate to each other within the batch, so that half of one would show."""
    entities = [
        {
            "identifier": f"{name}-{place}",
            "properties": {"batch": name, "place": place, "more": {"of": [name] * 3}},
            "relations": {"twin": f"{name}-{size - 1 - place}"},
        }
        for place in range(size)
    ]
    return {"entities": entities}


def write(url: str, name: str, rounds: int) -> set[int]:
    """The statuses of so many bulk upserts, half of which write what others write too."""
    path = "/blueprints/record/entities/bulk?upsert=true&merge=true&create_missing_related_entities=true"
    with client(url) as port:
        bodies = [batch(f"{name}-{each}" if each % 2 else f"shared-{each}") for each in range(rounds)]
        return {port.post(path, json=body).status_code for body in bodies}


def stored(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The entities of a file by their batch, read by another program; AssertionError for a file that is damaged."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT body, wide FROM entities WHERE blueprint = 'record'").fetchall()
    batches: dict[str, list[dict[str, Any]]] = {}
    for body, wide in rows:
        values = {**orjson.loads(body)["properties"], **orjson.loads(wide)}
        batches.setdefault(values["batch"], []).append(values)
    return batches


def assert_whole(batches: dict[str, list[dict[str, Any]]]) -> None:
    for name, entities in batches.items():
        assert sorted(each["place"] for each in entities) == list(range(BATCH)), name
        assert all(each["more"] == {"of": [name] * 3} for each in entities)


def test_two_local_ports_on_one_file_lose_nothing_of_what_many_clients_write(
    start: Callable[[], tuple[str, subprocess.Popen[str]]], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(2) as starting:
        urls = [url for url, _ in starting.map(lambda _: start(), range(2))]
    assert all(urls), "a local Port did not start beside the other"
    with client(urls[0]) as port:
        port.post("/blueprints", json=RECORD).raise_for_status()

    with ThreadPoolExecutor(6) as writers:
        statuses = writers.map(lambda n: write(urls[n % 2], f"client{n}", ROUNDS), range(6))

    assert set().union(*statuses) == {200}
    batches = stored(tmp_path / "port.db")
    expected = {f"client{n}-{each}" for n in range(6) for each in range(1, ROUNDS, 2)}
    assert batches.keys() == expected | {f"shared-{each}" for each in range(0, ROUNDS, 2)}
    assert_whole(batches)
    with client(urls[1]) as port:
        assert port.get("/blueprints/record/entities-count").json()["count"] == len(batches) * BATCH


@pytest.mark.parametrize("after", [3, 30])
def test_a_local_port_that_is_killed_leaves_whole_batches_and_opens_again(
    start: Callable[[], tuple[str, subprocess.Popen[str]]], tmp_path: Path, after: int
) -> None:
    url, process = start()
    with client(url) as port:
        port.post("/blueprints", json=RECORD).raise_for_status()
    answered: list[str] = []
    reached = threading.Event()

    def write_on(name: str) -> None:
        path = "/blueprints/record/entities/bulk?upsert=true&create_missing_related_entities=true"
        # One of them may still sign in when the other has reached what is waited for.
        with contextlib.suppress(httpx.TransportError), client(url) as port:
            for each in range(10_000):
                port.post(path, json=batch(f"{name}-{each}")).raise_for_status()
                answered.append(f"{name}-{each}")
                if len(answered) >= after:
                    reached.set()

    with ThreadPoolExecutor(2) as writers:
        running = [writers.submit(write_on, name) for name in ("one", "two")]
        assert reached.wait(60)
        process.kill()
        for each in running:
            each.result()

    again, _ = start()
    with client(again) as port:
        count = port.get("/blueprints/record/entities-count").json()["count"]
    batches = stored(tmp_path / "port.db")
    assert_whole(batches)
    assert batches.keys() >= set(answered), "what was answered is gone"
    assert count == len(batches) * BATCH


def test_who_reads_a_file_neither_waits_for_a_write_nor_sees_half_of_it(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/port.db", lambda: 0.0)
    count = "SELECT count(*) FROM pages"

    with store.transaction() as writing:
        writing.exec_driver_sql("INSERT INTO pages VALUES ('a', '{}')")
        with store.snapshot() as reading:
            before = reading.exec_driver_sql(count).scalar_one()

    with store.snapshot() as reading:
        assert (before, reading.exec_driver_sql(count).scalar_one()) == (0, 1)


def test_what_another_process_wrote_is_a_change(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/port.db", lambda: 0.0)
    before = store.changes()
    unchanged = store.changes()

    with closing(sqlite3.connect(tmp_path / "port.db")) as other, other:
        other.execute("INSERT INTO pages VALUES ('a', '{}')")

    assert before == unchanged != store.changes()


def test_a_file_from_before_wide_values_had_a_column_is_read_and_written(
    local_port: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    body: dict[str, Any] = {
        "title": "Old",
        "icon": None,
        "team": [],
        "properties": {"batch": "b", "more": {"of": ["x"]}},
        "relations": {},
    }
    with closing(sqlite3.connect(tmp_path / "old.db")) as old, old:
        old.execute(
            "CREATE TABLE entities (blueprint VARCHAR NOT NULL, identifier VARCHAR NOT NULL, body TEXT NOT NULL, "
            "datasource VARCHAR NOT NULL, created_at VARCHAR NOT NULL, created_by VARCHAR NOT NULL, "
            "updated_at VARCHAR NOT NULL, updated_by VARCHAR NOT NULL, PRIMARY KEY (blueprint, identifier)) "
            "WITHOUT ROWID"
        )
        at = "2025-01-01T00:00:00.000Z"
        row = ("record", "old", orjson.dumps(body).decode(), "somebody", at, "id", at, "id")
        old.execute("INSERT INTO entities VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    port = local_port(database=f"sqlite:///{tmp_path}/old.db")
    port.post("/blueprints", json=RECORD).raise_for_status()

    found = port.post(
        "/blueprints/record/entities/search",
        json={"query": {"combinator": "and", "rules": [{"property": "batch", "operator": "=", "value": "b"}]}},
    ).json()["entities"]
    change = {"identifier": "old", "properties": {"place": 1}}
    port.post("/blueprints/record/entities?upsert=true&merge=true", json=change).raise_for_status()

    assert found[0]["properties"] == {"batch": "b", "more": {"of": ["x"]}}
    entity = port.get("/blueprints/record/entities/old").json()["entity"]
    assert entity["properties"] == {"batch": "b", "more": {"of": ["x"]}, "place": 1}
