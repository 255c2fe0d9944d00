"""Scripted faults of the local Port, over a real loopback server: who is struck, how often, and what then happens."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.emulator.app import create_app
from portsync.emulator.errors import ApiError
from portsync.emulator.faults import FAULT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Stage

NOON = 1_735_732_800.0
BULK = "/v1/blueprints/thing/entities/bulk"
THING = {"identifier": "thing", "title": "Thing", "schema": {"properties": {"n": {"type": "number"}}}}


class Client:
    """A signed-in client of a local Port."""

    def __init__(self, url: str, clock: SimpleNamespace) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False, verify=False)
        self.clock = clock

    def sign_in(self) -> None:
        keys = {"clientId": "id", "clientSecret": "secret"}
        token = self.http.post("/v1/auth/access_token", json=keys).json()["accessToken"]
        self.http.headers["authorization"] = f"Bearer {token}"

    def script(self, *faults: dict[str, Any]) -> None:
        answer = self.http.post("/_faults", json=faults)
        assert answer.status_code == 200, answer.text

    def struck(self) -> list[tuple[int, int | None]]:
        return [(one["struck"], one["left"]) for one in self.http.get("/_faults").json()["faults"]]

    def upsert(self, *identifiers: str, timeout: float = 5) -> httpx.Response:
        entities = [{"identifier": identifier, "properties": {"n": 1}} for identifier in identifiers]
        return self.http.post(f"{BULK}?upsert=true", json={"entities": entities}, timeout=timeout)

    def held(self) -> set[str]:
        found = self.http.get("/v1/blueprints/thing/entities").json()["entities"]
        return {entity["identifier"] for entity in found}

    def log(self) -> list[tuple[str, str, int | None, int]]:
        requests = self.http.get("/_requests").json()["requests"]
        return [(one["method"], one["path"], one["status"], one["entities"]) for one in requests]


@pytest.fixture
def port(port_stage: tuple[Stage, str]) -> Iterator[Client]:
    stage, url = port_stage
    clock = SimpleNamespace(now=NOON)
    stage.app = create_app(client_id="id", client_secret="secret", clock=lambda: clock.now)
    client = Client(url, clock)
    client.sign_in()
    client.http.post("/v1/blueprints", json=THING).raise_for_status()
    client.http.delete("/_requests")
    yield client
    client.http.close()


def test_a_status_strikes_once_and_says_when_to_come_back(port: Client) -> None:
    port.script({"method": "POST", "path": BULK, "status": 429, "retry_after": 7})

    first, second = port.upsert("a"), port.upsert("a")

    assert (first.status_code, first.headers["retry-after"], first.json()["error"]) == (429, "7", "too_many_requests")
    assert second.status_code == 200
    assert port.struck() == [(1, 0)]


@pytest.mark.parametrize("status", [413, 500, 502, 503, 504, 418])
def test_any_status_wears_the_envelope(port: Client, status: int) -> None:
    port.script({"status": status})

    answer = port.http.get("/v1/blueprints")

    assert answer.status_code == status
    assert (answer.json()["ok"], bool(answer.json()["error"])) == (False, True)


def test_a_rule_strikes_those_that_match_after_the_first_and_so_many_of_them(port: Client) -> None:
    port.script({"method": "POST", "path": BULK, "status": 503, "after": 2, "times": 3})

    port.http.get("/v1/blueprints")
    statuses = [port.upsert("a").status_code for _ in range(7)]

    assert statuses == [200, 200, 503, 503, 503, 200, 200]
    assert port.struck() == [(3, 0)]


@pytest.mark.parametrize(
    ("path", "is_struck"),
    [("/v1/blueprints", True), ("/v1/.*/thing/entities/bulk$", True), ("/bulk", False), ("/v1/blueprints/x", False)],
)
def test_a_path_is_a_pattern_from_its_beginning(port: Client, path: str, is_struck: bool) -> None:
    port.script({"path": path, "status": 500})

    assert (port.upsert("a").status_code == 500) is is_struck


def test_a_rule_for_so_many_seconds_counts_them_from_its_first_strike(port: Client) -> None:
    port.script({"path": BULK, "status": 503, "for_s": 10})
    port.clock.now += 100

    statuses = []
    for _ in range(4):
        statuses.append(port.upsert("a").status_code)
        port.clock.now += 4

    assert statuses == [503, 503, 503, 200]
    assert port.struck() == [(3, 0)]


def test_a_rule_without_a_limit_strikes_until_it_is_cleared(port: Client) -> None:
    port.script({"path": BULK, "status": 500, "times": None})

    assert [port.upsert("a").status_code for _ in range(5)] == [500] * 5
    assert port.struck() == [(5, None)]
    port.http.delete("/_faults")
    assert port.upsert("a").status_code == 200
    assert port.struck() == []


def test_the_first_rule_that_is_due_strikes_and_the_others_do_not_count_the_request(port: Client) -> None:
    port.script({"path": BULK, "status": 500}, {"path": BULK, "status": 503, "after": 1})

    assert [port.upsert("a").status_code for _ in range(4)] == [500, 200, 503, 200]


def test_rules_can_be_given_with_the_application(port_stage: tuple[Stage, str]) -> None:
    stage, url = port_stage
    stage.app = create_app(client_id="id", client_secret="secret", faults=[{"path": "/v1/auth", "status": 502}])

    assert httpx.post(f"{url}/v1/auth/access_token", json={}, trust_env=False, verify=False).status_code == 502


def test_chosen_entities_are_refused_and_the_others_written_under_their_own_index(port: Client) -> None:
    item = {"statusCode": 429, "error": "too_many", "message": "slow down"}
    port.script({"path": BULK, "entity": ["b", "d"], "items": item})

    first, second = port.upsert("a", "b", "c", "d", "e"), port.upsert("b", "d")

    assert first.status_code == 207
    assert [(one["identifier"], one["index"]) for one in first.json()["entities"]] == [("a", 0), ("c", 2), ("e", 4)]
    assert first.json()["errors"] == [
        {"identifier": "b", "index": 1, **item},
        {"identifier": "d", "index": 3, **item},
    ]
    assert (second.status_code, port.held()) == (200, {"a", "b", "c", "d", "e"})


def test_real_refusals_keep_their_index_beside_scripted_ones(port: Client) -> None:
    port.script({"path": BULK, "entity": "a", "items": {"statusCode": 500}})

    answer = port.upsert("a", "not an identifier", "c")

    assert [(one["index"], one["statusCode"]) for one in answer.json()["errors"]] == [(0, 500), (1, 422)]
    assert [one["index"] for one in answer.json()["entities"]] == [2]


def test_without_an_identifier_all_entities_of_the_batch_are_refused(port: Client) -> None:
    port.script({"path": BULK, "items": {"statusCode": 422}})

    answer = port.upsert("a", "b")

    assert (answer.status_code, len(answer.json()["errors"]), port.held()) == (207, 2, set())


def test_a_rule_for_an_entity_passes_requests_without_it(port: Client) -> None:
    port.script({"path": BULK, "entity": "b", "status": 413})

    assert [port.upsert("a").status_code, port.upsert("a", "b").status_code] == [200, 413]


def test_a_rule_for_large_batches_passes_small_ones(port: Client) -> None:
    port.script({"path": BULK, "more_than": 2, "status": 413, "times": None})

    assert [port.upsert(*names).status_code for names in ("ab", "abc", "a")] == [200, 413, 200]


def test_401_ends_the_life_of_the_token(port: Client) -> None:
    port.script({"path": BULK, "status": 401})

    assert [port.upsert("a").status_code for _ in range(2)] == [401, 401]
    before = port.http.headers["authorization"]
    port.sign_in()
    assert port.http.headers["authorization"] != before
    assert port.upsert("a").status_code == 200


def test_html_can_come_in_place_of_an_answer(port: Client) -> None:
    port.script({"path": BULK, "body": "<h1>Log in</h1>"}, {"path": BULK, "body": "<h1>Bad</h1>", "status": 502})

    first, second = port.upsert("a"), port.upsert("a")

    assert (first.status_code, first.text) == (200, "<h1>Log in</h1>")
    assert first.headers["content-type"].startswith("text/html")
    assert (second.status_code, second.text) == (502, "<h1>Bad</h1>")
    assert port.held() == set()


@pytest.mark.parametrize(("when", "held"), [("before", set()), ("after", {"a"})])
def test_a_cut_ends_the_connection_without_an_answer(port: Client, when: str, held: set[str]) -> None:
    port.script({"path": BULK, "cut": when})

    # A fresh connection, so that nobody takes the cut for the end of an idle one.
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as caught:
        port.upsert("a")

    assert "incomplete" not in str(caught.value), "part of an answer came"
    assert port.held() == held
    assert port.log()[0] == ("POST", BULK, None, 1)


def test_a_cut_ends_no_other_connection(port: Client) -> None:
    port.script({"path": "/v1/blueprints/slow", "hang": 0.2}, {"path": BULK, "cut": "before"})
    headers = {"authorization": port.http.headers["authorization"]}

    async def run() -> tuple[httpx.Response | BaseException, httpx.Response | BaseException]:
        async with httpx.AsyncClient(
            base_url=port.http.base_url, headers=headers, trust_env=False, verify=False
        ) as client:
            slow = asyncio.ensure_future(client.get("/v1/blueprints/slow"))
            cut = client.post(BULK, json={"entities": []})
            return await asyncio.gather(slow, cut, return_exceptions=True)

    slow, cut = asyncio.run(run())

    assert isinstance(slow, httpx.Response), slow
    assert slow.status_code == 404
    assert isinstance(cut, httpx.RemoteProtocolError | httpx.ReadError)


def test_a_server_without_a_way_to_cut_breaks_off_within_the_answer(clock: SimpleNamespace) -> None:
    """As far as ASGI goes: the head of an answer whose body never comes."""
    app = create_app(client_id="id", client_secret="secret", clock=lambda: clock.now, faults=[{"cut": "before"}])
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/v1/x", "query_string": b"", "headers": []}
    coroutine = app(scope, receive, send)
    with pytest.raises(StopIteration):
        coroutine.send(None)

    assert [message["type"] for message in sent] == ["http.response.start"]
    assert (b"content-length", b"1") in sent[0]["headers"]


def test_a_hanging_request_is_answered_by_nobody_and_not_carried_out(port: Client) -> None:
    port.script({"path": BULK, "hang": True})

    with pytest.raises(httpx.ReadTimeout):
        port.upsert("a", timeout=0.05)

    assert port.held() == set()
    assert port.upsert("b").status_code == 200


def test_a_request_can_hang_for_a_while_and_is_answered_then(port: Client) -> None:
    port.script({"path": BULK, "hang": 0.01})

    assert port.upsert("a").status_code == 200
    assert port.held() == {"a"}


@pytest.mark.parametrize(
    "rules",
    [
        {},
        [{}],
        [{"status": 500, "cut": "before"}],
        [{"items": {}}],
        [{"cut": "sometimes"}],
        [{"hang": 0}],
        [{"status": 99}],
        [{"status": 500, "times": 0}],
        [{"status": 500, "pfad": "/"}],
        [{"status": 500, "path": "("}],
    ],
    ids=str,
)
def test_a_rule_that_makes_no_sense_is_refused_and_none_is_added(port: Client, rules: Any) -> None:
    both = [{"status": 500}, *rules] if rules else rules

    answer = port.http.post("/_faults", json=both)

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert port.struck() == []


def test_a_wrong_rule_given_with_the_application_is_an_error() -> None:
    with pytest.raises(ApiError, match="must have one of status"):
        create_app(client_id="id", client_secret="secret", faults=[{"path": "/"}])


def test_the_requests_are_counted_with_their_entities_and_those_backstage_are_not(port: Client) -> None:
    port.upsert("a", "b")
    port.http.post("/v1/blueprints/thing/bulk/entities/delete", json={"entities": ["a"]})
    port.http.get("/v1/blueprints/a%2Fb")
    port.http.get("/_faults")

    found = port.http.get("/_requests").json()

    assert port.log() == [
        ("POST", BULK, 200, 2),
        ("POST", "/v1/blueprints/thing/bulk/entities/delete", 200, 1),
        ("GET", "/v1/blueprints/a%2Fb", 404, 0),
    ]
    assert found["requests"][0]["query"] == "upsert=true"
    assert (found["total"], found["most_at_once"]) == (3, 1)
    port.http.delete("/_requests")
    assert port.log() == []


def test_what_happens_backstage_costs_nothing_of_the_request_budget(port: Client) -> None:
    before = int(port.http.get("/v1/blueprints").headers["x-ratelimit-remaining"])
    answer = port.http.get("/_faults")

    assert "x-ratelimit-remaining" not in answer.headers
    assert int(port.http.get("/v1/blueprints").headers["x-ratelimit-remaining"]) == before - 1


def test_the_page_on_the_local_port_names_every_key_and_its_example_is_taken(port: Client) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "local-port.md").read_text(encoding="utf-8")
    (rules,) = re.findall(r"-d '(\[.*?\])'", page, re.DOTALL)
    faults = page.partition("## Faults")[2].partition("## Requests")[0]

    port.script(*json.loads(rules))

    assert len(port.struck()) == 3
    inner = {"retry_after", "statusCode", "error", "message"}
    named = set(re.findall(r"(?m)^\| `([a-z_]+)` \|", faults))
    assert named | inner == set(FAULT["properties"]) | set(FAULT["properties"]["items"]["properties"])
