"""Batches on their way to a Port that has its troubles: what is sent again, what is cut, and that nothing is lost."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.batch import bulk_body
from portsync.errors import PortUnreachableError
from portsync.flow import Batch, BatchResult, Entity, Fate
from portsync.port.client import PortClient
from portsync.port.entities import UpsertSwitches
from portsync.port.sizes import Sizes
from portsync.sinks.port import PortSink
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.tls import closed_context
from portsync.transport.trouble import Timeouts
from tests.conftest import PORT_SECRET

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conftest import LocalPort

BULK = "/v1/blueprints/thing/entities/bulk"


def batch(*identifiers: str, size: int = 0) -> Batch:
    def body(identifier: str) -> bytes:
        return json.dumps({"identifier": identifier, "properties": {"name": "x" * size}}).encode()

    return Batch("thing", tuple(Entity("thing", i, body(i), b"", 1, n) for n, i in enumerate(identifiers)))


@dataclass
class Sent:
    """What batches came to, and how long was waited between attempts."""

    results: list[BatchResult] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def fates(self) -> dict[str, Fate]:
        return {o.entity.identifier: o.fate for result in self.results for o in result.outcomes}


def with_sink(port: LocalPort, act: Callable[[PortSink, Sent], Awaitable[None]], *, read_s: float = 5) -> Sent:
    """Run `act` with a sink that writes to the local Port. Nobody sleeps."""
    sent = Sent()

    async def no_sleep(seconds: float) -> None:
        sent.slept.append(seconds)

    async def run() -> None:
        policy = RetryPolicy(3, 60, lambda: 1000.0, no_sleep, lambda: 1.0)
        async with Client(
            policy=policy,
            timeouts=Timeouts(read=read_s),
            user_agent="portsync/custom/1/me/exporter",
            tls=closed_context(),
            use_proxies=False,
        ) as http:
            client = PortClient(http, port.url, "cid", PORT_SECRET, lambda: 1000.0)
            await client.sign_in()
            switches = UpsertSwitches(merge=True, create_missing_related_entities=False)
            await act(PortSink(client, switches), sent)

    asyncio.run(run())
    return sent


def upserted(port: LocalPort, *batches: Batch, read_s: float = 5) -> Sent:
    """What becomes of batches that are sent one after the other."""

    async def act(sink: PortSink, sent: Sent) -> None:
        for one in batches:
            sent.results.append(await sink.upsert(one))

    return with_sink(port, act, read_s=read_s)


def test_a_connection_cut_after_the_write_loses_nothing_and_counts_what_was_created_as_updated(
    local_port: LocalPort,
) -> None:
    local_port.script({"path": BULK, "cut": "after"})

    sent = upserted(local_port, batch("a", "b"))

    assert sent.fates == {"a": Fate.UPDATED, "b": Fate.UPDATED}
    assert local_port.writes() == [(None, 2), (200, 2)]
    assert local_port.entities("thing").keys() == {"a", "b"}
    assert not sent.results[0].went_well


@pytest.mark.parametrize("fault", [{"cut": "before"}, {"status": 502}, {"status": 429, "retry_after": 2}])
def test_a_write_that_was_not_carried_out_is_sent_again(local_port: LocalPort, fault: dict[str, object]) -> None:
    local_port.script({"path": BULK, **fault})

    sent = upserted(local_port, batch("a", "b"), batch("c"))

    assert sent.fates == dict.fromkeys("abc", Fate.CREATED)
    assert [entities for _, entities in local_port.writes()] == [2, 2, 1]
    assert [result.went_well for result in sent.results] == [False, True]


def test_a_port_that_hangs_is_asked_again_after_the_time_out(local_port: LocalPort) -> None:
    local_port.script({"path": BULK, "hang": True})

    sent = upserted(local_port, batch("a"), read_s=0.3)

    assert sent.fates == {"a": Fate.CREATED}
    assert not sent.results[0].went_well


def test_sixteen_401_at_once_are_one_call_for_a_token(local_port: LocalPort) -> None:
    async def act(sink: PortSink, sent: Sent) -> None:
        local_port.script({"path": BULK, "status": 401})
        sent.results += await asyncio.gather(*(sink.upsert(batch(f"e{n}")) for n in range(16)))

    sent = with_sink(local_port, act)

    assert list(sent.fates.values()) == [Fate.CREATED] * 16
    assert sorted(status or 0 for status, _ in local_port.writes()) == [200] * 16 + [401] * 16
    assert [r["path"] for r in local_port.requests() if "auth" in r["path"]] == ["/v1/auth/access_token"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_entities_that_port_cannot_take_now_are_sent_again_alone_and_keep_their_place(
    local_port: LocalPort, status: int
) -> None:
    local_port.script(
        {"path": BULK, "entity": ["b", "d"], "items": {"statusCode": status}},
        {"path": BULK, "entity": "d", "items": {"statusCode": status}},
    )

    sent = upserted(local_port, batch(*"abcde"))

    (result,) = sent.results
    assert [(o.entity.identifier, o.fate) for o in result.outcomes] == [(i, Fate.CREATED) for i in "abcde"]
    assert local_port.writes() == [(207, 5), (207, 2), (200, 1)]
    assert sent.slept == [1.0, 2.0]
    assert not result.went_well


def test_an_entity_that_port_cannot_take_for_long_is_rejected_with_ports_last_word(local_port: LocalPort) -> None:
    item = {"statusCode": 503, "error": "busy", "message": "not now"}
    local_port.script({"path": BULK, "entity": "b", "items": item, "times": None})

    sent = upserted(local_port, batch(*"abc"))

    (result,) = sent.results
    assert sent.fates == {"a": Fate.CREATED, "b": Fate.REJECTED, "c": Fate.CREATED}
    assert result.outcomes[1].message == "Port refused the entity: 503 busy: not now"
    assert local_port.writes() == [(207, 3), (207, 1), (207, 1), (207, 1)]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
def test_an_entity_that_port_will_never_take_is_sent_once(local_port: LocalPort, status: int) -> None:
    local_port.script({"path": BULK, "entity": "b", "items": {"statusCode": status}, "times": None})

    sent = upserted(local_port, batch(*"abc"))

    assert sent.fates == {"a": Fate.CREATED, "b": Fate.REJECTED, "c": Fate.CREATED}
    assert local_port.writes() == [(207, 3)]
    assert sent.slept == []
    assert sent.results[0].went_well


def test_what_was_accepted_stays_so_where_sending_the_rest_again_fails(local_port: LocalPort) -> None:
    local_port.script(
        {"path": BULK, "entity": "b", "items": {"statusCode": 429, "error": "e", "message": "m"}},
        {"path": BULK, "status": 503, "times": None},
    )

    sent = upserted(local_port, batch(*"abc"))

    assert sent.fates == {"a": Fate.CREATED, "b": Fate.REJECTED, "c": Fate.CREATED}
    assert sent.results[0].outcomes[1].message == "Port refused the entity: 429 e: m"


def test_what_was_accepted_stays_so_where_another_piece_of_the_batch_fails(local_port: LocalPort) -> None:
    local_port.script(
        {"path": BULK, "more_than": 2, "status": 413, "times": None},
        {"path": BULK, "entity": "c", "status": 503, "times": None},
    )

    sent = upserted(local_port, batch(*"abcd"))

    assert sent.fates == {"a": Fate.CREATED, "b": Fate.CREATED, "c": Fate.REJECTED, "d": Fate.REJECTED}
    assert {o.code for o in sent.results[0].outcomes} == {None, "port-trouble"}


def test_the_size_that_was_taken_is_remembered(local_port: LocalPort) -> None:
    local_port.script({"path": BULK, "more_than": 5, "status": 413, "times": None})

    sent = upserted(local_port, *(batch(*(f"{n}-{i:02}" for i in range(20))) for n in range(3)))

    assert list(sent.fates.values()) == [Fate.CREATED] * 60
    assert local_port.writes() == [(413, 20), (413, 10), *[(200, 5)] * 12]


def test_an_entity_that_is_too_large_alone_says_so_and_the_others_are_written(local_port: LocalPort) -> None:
    local_port.script({"path": BULK, "entity": "c", "status": 413, "times": None})

    sent = upserted(local_port, batch(*"abcd"), batch(*"efgh"), batch(*"ijkl"))

    assert [i for i, fate in sent.fates.items() if fate is Fate.REJECTED] == ["c"]
    refused = sent.results[0].outcomes[2]
    assert (refused.code, refused.hint) == ("entity-too-large", "map fewer or shorter properties")
    assert "47 bytes" in (refused.message or "")
    # It was not for their size that smaller ones were refused, which is found out soon.
    assert local_port.writes()[-1] == (200, 4)


def test_a_page_of_html_in_place_of_an_answer_is_asked_again(local_port: LocalPort) -> None:
    local_port.script({"path": BULK, "body": "<h1>One moment</h1>", "times": 2})

    sent = upserted(local_port, batch("a", "b"))

    assert sent.fates == {"a": Fate.CREATED, "b": Fate.CREATED}
    assert [status for status, _ in local_port.writes()] == [200, 200, 200]


def test_something_that_is_not_port_ends_the_run_after_three_batches(local_port: LocalPort) -> None:
    local_port.script({"path": BULK, "body": "<h1>Log in</h1>", "times": None})

    async def act(sink: PortSink, sent: Sent) -> None:
        sent.results += [await sink.upsert(batch("a")), await sink.upsert(batch("b"))]
        with pytest.raises(PortUnreachableError, match="<h1>Log in</h1>"):
            await sink.upsert(batch("c"))

    sent = with_sink(local_port, act)

    assert {(o.fate, o.code) for r in sent.results for o in r.outcomes} == {(Fate.REJECTED, "port-unusable")}


@settings(deadline=None)
@given(
    limit=st.integers(120, 700),
    batches=st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=20), max_size=8),
)
def test_pieces_come_down_to_what_is_taken_and_always_get_on(limit: int, batches: list[list[int]]) -> None:
    """A Port that takes bodies of less than `limit` bytes: each entity is taken, or refused alone."""
    sizes = Sizes()
    for lengths in batches:
        entities = [Entity("t", str(n), b"x" * length, b"", 1, n) for n, length in enumerate(lengths)]
        rest, tries = entities, 0
        while rest:
            tries += 1
            count = sizes.fitting(rest)
            size = len(bulk_body(rest[:count]))
            if size < limit:
                sizes.took(size)
            else:
                sizes.refused(size)
                if count > 1:
                    continue
            rest = rest[count:]
        assert tries <= 2 * len(entities) + 5


def test_a_size_that_was_refused_is_not_tried_again() -> None:
    sizes = Sizes()
    entities = batch(*"abcdefgh", size=100).entities
    before = sizes.fitting(entities)
    sizes.refused(len(bulk_body(entities)))
    after = sizes.fitting(entities)
    sizes.took(len(bulk_body(entities[:4])))

    assert (before, after, sizes.fitting(entities)) == (8, 4, 4)
    # Between what was taken and what was refused, it is asked.
    assert sizes.fitting(entities[:6]) == 6
    sizes.refused(len(bulk_body(entities[:6])))
    assert sizes.fitting(entities[:6]) == 4
