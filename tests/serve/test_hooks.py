"""Webhooks as their senders see them, and what becomes of those that are taken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.conftest import NOW
from tests.serve.hooks import HOOK_SECRET, Sender, event, signed, with_live

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import LocalPort, Source

ENV = {"HOOK_SECRET": HOOK_SECRET, "PORTSYNC_RUN_AT_START": "false"}


def number(served: Any, name: str, **labels: str) -> float:
    """A number of /metrics; 0 where it is not there."""
    text = served.metrics.text().decode()
    shown = ",".join(f'{key}="{value}"' for key, value in labels.items())
    found = re.search(rf"(?m)^portsync_{name}{{{re.escape(shown)}}} (\S+)$", text)
    return 0.0 if found is None else float(found[1])


def applied(served: Any) -> float:
    return number(served, "hook_applied_total", mapping="m")


def failed(served: Any) -> float:
    return number(served, "hook_failed_total", mapping="m")


async def ready(served: Any) -> Sender:
    """The service, once it knows its hooks."""
    sender = Sender(served.url)
    await served.until(lambda: "portsync_hook_queue{" in served.metrics.text().decode())
    return sender


def test_a_webhook_is_an_upsert_and_a_later_one_a_deletion(
    serving_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    async def scenario() -> None:
        async with serving_of(with_live(mapping()), env=ENV) as served:
            sender = await ready(served)
            assert (await sender.send(event("ada", 1))).status_code == 202
            await sender.send(event("bob", 2))
            await served.until(lambda: applied(served) == 2)
            sizes = {name: thing["properties"] for name, thing in local_port.entities("thing").items()}
            assert sizes == {"ada": {"size": 1}, "bob": {"size": 2}}

            await sender.send(event("ada", 1, "deleted"))
            await sender.send({"action": "ping"})
            await served.until(lambda: applied(served) == 4)
            assert sorted(local_port.entities("thing")) == ["bob"]
            assert number(served, "hook_queue", mapping="m") == 0

    asyncio.run(scenario())


def test_what_is_not_signed_rightly_is_refused_and_counted(
    serving_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    async def scenario() -> None:
        async with serving_of(with_live(mapping()), env=ENV) as served:
            sender = await ready(served)
            body = json.dumps(event("ada", 1)).encode()
            wrong = [signed(body, "another-secret"), signed(body + b" "), "", signed(body)[7:], "sha256=", "sha256=ä"]
            for signature in wrong:
                answer = await sender.send(body, headers={"x-hub-signature-256": signature.encode()})  # type: ignore[dict-item]
                assert answer.status_code == 401, signature
            assert number(served, "hook_events_total", hook="things", result="bad-signature") == len(wrong)
            assert number(served, "hook_events_total", hook="things", result="accepted") == 0
            assert local_port.entities("thing") == {}

    asyncio.run(scenario())


def test_what_cannot_be_an_event_is_refused_with_its_reason(
    serving_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    async def scenario() -> None:
        env = {**ENV, "PORTSYNC_HOOK_BODY": "100"}
        async with serving_of(with_live(mapping()), env=env) as served:
            sender = await ready(served)
            assert (await Sender(served.url, "others").send({})).status_code == 404
            assert (await sender.send(b"a=1")).status_code == 400
            assert (await sender.send(b'"' + b"x" * 98 + b'"')).status_code == 202
            assert (await sender.send(b'"' + b"x" * 99 + b'"')).status_code == 413
            assert (await served.ask("GET", "/hooks/things")).status_code == 405
            assert number(served, "hook_events_total", hook="", result="unknown") == 1
            assert local_port.entities("thing") == {}
            assert number(served, "hook_events_total", hook="things", result="refused") == 2

    asyncio.run(scenario())


def test_a_body_that_never_ends_is_not_read_to_its_end(serving_of: Any, mapping: Callable[..., str]) -> None:
    async def scenario() -> None:
        async with serving_of(with_live(mapping()), env=ENV) as served:
            await ready(served)
            sent = 0

            async def endless() -> Any:
                nonlocal sent
                while True:
                    sent += 1 << 16
                    yield b"x" * (1 << 16)

            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=20) as client:
                # Who goes on sending may not come to read the answer before the connection is closed.
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.post(f"{served.url}/hooks/things", content=endless())
                    assert answer.status_code == 413
            assert sent < 64 << 20
            await served.until(lambda: number(served, "hook_events_total", hook="things", result="refused") == 1)

    asyncio.run(scenario())


def test_a_delivery_that_came_before_is_not_taken_again_unless_it_failed(
    serving_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    async def scenario() -> None:
        async with serving_of(with_live(mapping()), env=ENV) as served:
            sender = await ready(served)
            await sender.send(event("ada", 1), delivery="one")
            await sender.send(event("ada", 2), delivery="two")
            again = await sender.send(event("ada", 1), delivery="one")
            assert (again.status_code, again.json()) == (202, {"status": "accepted before"})
            await served.until(lambda: applied(served) == 2)
            assert local_port.entities("thing")["ada"]["properties"] == {"size": 2}
            assert number(served, "hook_events_total", hook="things", result="duplicate") == 1

            await sender.send({"action": "edited", "thing": {"size": 1}}, delivery="three")
            await served.until(lambda: failed(served) == 1)
            await sender.send(event("bob", 1), delivery="three")
            await served.until(lambda: applied(served) == 3)

    asyncio.run(scenario())


def test_when_too_many_wait_the_sender_is_told_to_come_again(
    serving_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    async def scenario() -> None:
        local_port.script({"path": "/v1/auth", "status": 503, "times": None})
        async with serving_of(with_live(mapping()), env={**ENV, "PORTSYNC_HOOK_QUEUE": "2"}) as served:
            sender = await ready(served)
            answers = [await sender.send(event("ada", size)) for size in range(3)]
            assert [answer.status_code for answer in answers] == [202, 202, 503]
            assert int(answers[-1].headers["retry-after"]) > 0
            assert number(served, "hook_queue", mapping="m") == 2
            served.clock.now += 7
            assert number(served, "hook_oldest_seconds", mapping="m") == 7

    asyncio.run(scenario())


def test_while_port_is_away_events_wait_and_then_come_in_their_order(
    serving_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    async def scenario() -> None:
        local_port.script({"path": "/v1/blueprints/thing/entities/bulk", "status": 503, "times": None})
        async with serving_of(with_live(mapping()), env=ENV) as served:
            sender = await ready(served)
            for size in range(1, 4):
                await sender.send(event("ada", size))
            # Seven attempts are one try, and after five tries a refusal that does not pass would be a dead letter.
            async with asyncio.timeout(20):
                while len(local_port.writes()) < 7 * 6:
                    served.clock.pass_by(400)
                    await asyncio.sleep(0.005)
            assert applied(served) == failed(served) == 0
            local_port.script()
            while applied(served) < 3:
                served.clock.pass_by(400)
                await asyncio.sleep(0.005)
            assert local_port.entities("thing")["ada"]["properties"] == {"size": 3}
            assert failed(served) == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action": "edited", "thing": {"id": "b c", "size": 1}}, "identifier"),
        ({"action": "edited", "thing": {"size": 1}}, "identifier"),
        ({"action": "edited", "thing": {"id": "eve", "size": "large"}}, "port-rejected"),
        ({"action": "edited"}, "hook"),
        ([], "hook"),
    ],
)
def test_what_can_never_be_applied_is_a_dead_letter_and_does_not_hold_up_the_others(
    serving_of: Any, mapping: Callable[..., str], local_port: LocalPort, tmp_path: Path, body: Any, code: str
) -> None:
    async def scenario() -> None:
        async with serving_of(with_live(mapping()), env=ENV) as served:
            sender = await ready(served)
            await sender.send(event("ada", 1))
            await sender.send(body)
            await sender.send(event("bob", 2))
            await served.until(lambda: applied(served) == 2 and failed(served) == 1)

    asyncio.run(scenario())
    assert sorted(local_port.entities("thing")) == ["ada", "bob"]
    (path,) = tmp_path.rglob("*.live.jsonl")
    header, letter = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert header["identifier"] == "portsync-m"
    assert (letter["code"], letter["kind"], letter["resource"]) == (code, "/things", 0)
    assert (letter["entity"] is not None) == (code == "port-rejected")


def test_without_a_signature_everybody_is_let_in_who_can_reach_it(
    serving_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    async def scenario() -> None:
        live = "\n    live: {hook: things, signature: none, record: .thing}\n"
        async with serving_of(with_live(mapping(), live), env=ENV) as served:
            sender = await ready(served)
            assert (await sender.send(event("ada", 1), headers={"x-hub-signature-256": ""})).status_code == 202
            await served.until(lambda: applied(served) == 1)
            assert sorted(local_port.entities("thing")) == ["ada"]

    asyncio.run(scenario())


def test_what_is_to_be_deleted_need_not_be_what_the_query_takes(
    serving_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    async def scenario() -> None:
        async with serving_of(with_live(mapping(selector="query: .size < 5")), env=ENV) as served:
            sender = await ready(served)
            await sender.send(event("ada", 1))
            await sender.send(event("bob", 1))
            await sender.send(event("eve", 9))
            await served.until(lambda: applied(served) == 3)
            assert sorted(local_port.entities("thing")) == ["ada", "bob"]
            await sender.send(event("ada", 9, "deleted"))
            await served.until(lambda: applied(served) == 4)
            assert sorted(local_port.entities("thing")) == ["bob"]

    asyncio.run(scenario())


def test_without_a_state_no_event_is_taken(serving_of: Any, mapping: Callable[..., str]) -> None:
    async def scenario() -> None:
        async with serving_of(with_live(mapping()), env={**ENV, "PORTSYNC_STATE": "none"}) as served:
            await served.until(lambda: "mapping_valid" in served.metrics.text().decode())
            assert (await Sender(served.url).send(event("ada", 1))).status_code == 503

    asyncio.run(scenario())


def test_a_webhook_that_is_older_than_its_signature_allows_is_refused(
    serving_of: Any, mapping: Callable[..., str]
) -> None:
    live = """
    live:
      hook: things
      record: .thing
      signature: {header: X-Sig, algorithm: sha256, timestamp_header: X-Time, tolerance: 1m, secret: "${HOOK_SECRET}"}
"""

    async def scenario() -> None:
        async with serving_of(with_live(mapping(), live), env=ENV) as served:
            sender = await ready(served)
            body = json.dumps(event("ada", 1)).encode()
            for at, status in ((NOW - 60, 202), (NOW - 61, 401), (NOW + 61, 401)):
                time = str(int(at))
                signature = signed(f"{time}.".encode() + body).removeprefix("sha256=")
                answer = await sender.send(body, headers={"x-sig": signature, "x-time": time})
                assert answer.status_code == status, at

    asyncio.run(scenario())


def test_the_expressions_of_a_live_event_see_the_lookups(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    names = "context: {names: {path: /names, data_path: .data, index_by: .id}}\n"
    live = """
    live:
      hook: things
      filter: '$context.names[.thing.id] != null'
      record: .thing
      signature: none
"""
    source.answer = lambda _: {"data": [{"id": "ada", "name": "Ada L."}]}

    async def scenario() -> None:
        text = with_live(names + mapping(properties="name: $context.names[.id].name"), live)
        async with serving_of(text, env=ENV) as served:
            sender = await ready(served)
            await sender.send(event("ada", 1))
            await sender.send(event("bob", 1))
            await served.until(lambda: applied(served) + failed(served) == 2)
            assert failed(served) == 0

    asyncio.run(scenario())
    assert {name: thing["properties"] for name, thing in local_port.entities("thing").items()} == {
        "ada": {"size": 1, "name": "Ada L."}
    }
    assert [asked.path for asked in source.asked] == ["/names"]


def test_neither_body_nor_signature_of_a_webhook_is_in_any_log(
    serving_of: Any,
    mapping: Callable[..., str],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    """Nothing is set up here, so that all levels of the log are shown, and none of it is redacted."""
    mark = "mark-of-the-body-81"
    note = {"note": mark}
    good = [{**event("ada", 1), **note}, {**event("ada", 1, "deleted"), **note}, {"action": "ping", **note}]
    bad = [{"action": "edited", "thing": {**note, "size": 1}}, {"action": "edited", **note}, [note]]
    rejected = {"action": "edited", "thing": {"id": "eve", "size": [mark], **note}}
    refused = [f"not json {mark}".encode(), f'"{mark}{"x" * 400}"'.encode()]
    signatures = {signed(json.dumps(body).encode()) for body in [*good, *bad, rejected]} | set(map(signed, refused))
    forged = "sha256=" + "4711" * 16

    async def scenario() -> None:
        async with serving_of(with_live(mapping()), env={**ENV, "PORTSYNC_HOOK_BODY": "300"}) as served:
            sender = await ready(served)
            for number_, body in enumerate([*good, *bad, rejected]):
                assert (await sender.send(body, delivery=f"d{number_}")).status_code == 202
            assert (await sender.send(good[0], delivery="d0")).status_code == 202
            assert [(await sender.send(body)).status_code for body in refused] == [400, 413]
            answer = await sender.send(good[0], headers={"x-hub-signature-256": forged})
            assert answer.status_code == 401
            assert (await Sender(served.url, "made-up").send(good[0])).status_code == 404
            await served.until(lambda: applied(served) + failed(served) == 7)
            assert failed(served) == 4

    with caplog.at_level(logging.DEBUG):
        asyncio.run(scenario())
    out, err = capfd.readouterr()
    said = out + err + caplog.text
    for event_name in ("hook.applied", "hook.failed", "hook.refused"):
        assert event_name in said
    assert mark not in said
    assert "made-up" not in out + err
    for signature in {*signatures, forged}:
        assert signature.removeprefix("sha256=") not in said
    assert HOOK_SECRET not in said
    (letters,) = tmp_path.rglob("*.live.jsonl")
    assert HOOK_SECRET not in letters.read_text(encoding="utf-8")
