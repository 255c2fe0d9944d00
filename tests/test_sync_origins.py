"""Where a whole sync sends requests, and how fast: what the mapping says of origins and limits is what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from portsync.mapping.loader import parse
from portsync.plan import plan_source
from portsync.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import LocalPort, Run, Source

THINGS = [{"id": f"t{i}", "size": i} for i in range(3)]


def other(source: Source) -> str:
    """The same server by another name, which makes it another origin."""
    return source.url.replace("127.0.0.1", "localhost")


def with_source(text: str, line: str) -> str:
    """The mapping with one more key of `source`."""
    return text.replace("source:\n", f"source:\n  {line}\n", 1)


def leading_to(target: str) -> Callable[[Any], Any]:
    return lambda asked: {"data": THINGS} if asked.path == "/end" else Response(None, 302, {"location": target})


def test_a_redirect_within_the_origin_is_followed_with_the_credentials(
    source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    source.answer = leading_to("/end")

    run = sync()

    assert (run.exit_code, run.resource["created"]) == (0, 3)
    assert (run.resource["requests"], run.resource["retries"]) == (1, 0)
    assert "authorization" in source.asked[1].headers
    assert len(local_port.entities("thing")) == 3


def test_a_redirect_to_another_origin_leaves_the_resource_incomplete_and_asks_nothing_there(
    source: Source, sync: Callable[..., Run]
) -> None:
    source.answer = leading_to(f"{other(source)}/end")

    run = sync()

    assert (run.exit_code, run.resource["verdict"], run.resource["reason"]) == (1, "incomplete", "origin")
    assert run.codes == ["foreign-origin"]
    assert other(source) in run.report["problems"][0]["hint"]
    assert [asked.path for asked in source.asked] == ["/things"]


def test_an_allowed_origin_is_asked_without_credentials(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    source.answer = leading_to(f"{other(source)}/end")
    text = mapping(selector='headers: {x-key: "${SRC_TOKEN}", accept: text/json}')

    run = portsync("sync", with_source(text, f"allow_origins: [{other(source)}]"), env=port_env)

    assert (run.exit_code, run.resource["created"]) == (0, 3)
    here, there = (asked.headers for asked in source.asked)
    assert ("authorization" in here, "x-key" in here) == (True, True)
    assert ("authorization" in there, "x-key" in there, there["accept"]) == (False, False, "text/json")


@pytest.mark.parametrize("command", ["check", "sync"])
def test_a_kind_of_another_origin_is_found_before_anything_is_sent(
    command: str, source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    run = portsync(command, mapping(kind=f"{other(source)}/end"), env=port_env)

    assert run.exit_code == 2
    assert "error[foreign-origin]" in run.err
    assert f"{other(source)} is neither the source's own, {source.url}, nor in `allow_origins`" in run.err
    assert source.asked == []


@pytest.mark.parametrize("kind", ["http://[bad/x", "https://host:port/x"])
def test_a_kind_that_is_no_url_is_a_mistake_and_no_bug(
    kind: str, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    run = portsync("check", mapping(kind=f"'{kind}'"), env=port_env)

    assert run.exit_code == 2
    assert "error[foreign-origin]" in run.err
    assert "m.yaml:" in run.err


def test_a_kind_of_an_allowed_origin_is_read_without_credentials(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    source.answer = lambda _: {"data": THINGS}
    text = with_source(mapping(kind=f"{other(source)}/end"), f"allow_origins: [{other(source)}/]")

    assert portsync("check", text, env=port_env).exit_code == 0
    assert portsync("sync", text, env=port_env).resource["created"] == 3
    assert "authorization" not in source.asked[0].headers


def test_the_own_origin_in_other_letters_is_the_own_one(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: {"data": THINGS}
    kind = f"{source.url.replace('http:', 'HTTP:')}/things"

    run = sync(kind=kind)

    assert run.exit_code == 0
    assert "authorization" in source.asked[0].headers


def test_the_budget_of_the_mapping_is_kept_and_the_wait_is_in_the_report(
    source: Source, mapping: Callable[..., str], portsync: Callable[..., Run], port_env: dict[str, str]
) -> None:
    def answer(asked: Any) -> Any:
        offset = int(dict(asked.query)["offset"])
        return {"data": THINGS[offset : offset + 1]}

    source.answer = answer
    text = mapping(pagination="{type: offset, page_size: 1}")

    run = portsync("sync", with_source(text, "rate_limit: {requests: 2, per: 100}"), env=port_env)

    assert (run.exit_code, run.resource["requests"]) == (0, 4)
    assert run.resource["waited_s"] == 100, "two at once, then two more; nobody sleeps, but the gate counts"


def test_what_an_answer_says_of_limits_holds_the_next_request_back(source: Source, sync: Callable[..., Run]) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4"}
    source.answer = lambda asked: (
        Response('{"data": []}')
        if ("offset", "1") in asked.query
        else Response('{"data": [{"id": "a"}]}', 200, headers)
    )

    run = sync(pagination="{type: offset, page_size: 1}")

    assert (run.exit_code, run.resource["waited_s"]) == (0, 4)


def test_limits_and_origins_of_the_mapping_are_those_of_the_plan(mapping: Callable[..., str], tmp_path: Path) -> None:
    lines = "concurrency: 3\n  rate_limit: {requests: 5}\n  allow_origins: [HTTPS://Files.Example.com:443]"
    text = with_source(mapping(base_url="https://api.example.com/v1"), lines)

    plan = plan_source(parse(text, tmp_path, {"SRC_TOKEN": "abcdefgh"}).file, read_settings({}))

    assert plan.concurrency == 3
    assert plan.rate_limit is not None
    assert (plan.rate_limit.requests, plan.rate_limit.per) == (5, 60)
    assert (plan.origins.own, plan.origins.allowed) == (
        "https://api.example.com",
        frozenset({"https://files.example.com"}),
    )


def test_a_body_of_text_goes_out_as_text(source: Source, sync: Callable[..., Run]) -> None:
    selector = 'method: POST\nbody: \'"12" + "34"\'\nbody_type: text'

    run = sync(selector=selector)

    assert run.exit_code == 0
    assert (source.asked[0].body, source.asked[0].headers["content-type"]) == (1234, "text/plain; charset=utf-8")
