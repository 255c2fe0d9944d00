"""The service and the integration's page in Port: whose mapping counts, and who asks there for a run."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from portsync.demo.source import create_source
from portsync.serve.port_page import is_unanswered
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, LocalPort, Run, Source, Stage

PEOPLE = {"data": [{"id": "ada", "size": 1}, {"id": "bob", "size": 2}]}
NAME = "portsync-m"
_POLL_S = 90


def config_of(identifier: str = ".id", **more: Any) -> dict[str, Any]:
    """What somebody writes on Port's page."""
    entity = {"mappings": {"identifier": identifier, "blueprint": '"thing"', "properties": {"size": ".size"}}}
    resource = {"kind": "/things", "selector": {"query": "true", "data_path": ".data"}, "port": {"entity": entity}}
    return {"resources": [resource], **more}


def install(port: LocalPort, config: dict[str, Any] | None, name: str = NAME) -> None:
    body = {"installationId": name, "installationAppType": "custom", "config": config, "changelogDestination": {}}
    assert port.api("POST", "/integration", body)["ok"]


def config_in(port: LocalPort, name: str = NAME) -> Any:
    return port.api("GET", f"/integration/{name}?byField=installationId")["integration"]["config"]


@pytest.fixture
def only_source(source: Source) -> str:
    """A local file that says where to read, and nothing of what."""
    source.answer = lambda _: PEOPLE
    return f'source: {{base_url: "{source.url}", auth: {{type: bearer, token: "${{SRC_TOKEN}}"}}}}'


async def _next_poll(served: Any) -> None:
    await served.asleep()
    served.clock.pass_by(_POLL_S)


def test_resources_on_ports_page_go_with_the_source_of_a_local_file(
    serving_of: Any, only_source: str, source: Source, local_port: LocalPort
) -> None:
    # What would be masked, were the mapping shown there as that of a file is.
    config = _with_header("a-literal-${TEAM}", "X-Team-Token")
    install(local_port, config)

    async def scenario() -> None:
        async with serving_of(only_source, env={"PORTSYNC_PORT_MAY_READ": "TEAM", "TEAM": "t"}) as served:
            first = await served.next_run()
            assert (first["status"], first["totals"]["created"]) == ("ok", 2)

    asyncio.run(scenario())
    assert source.asked[0].headers["authorization"].startswith("Bearer ")
    assert config_in(local_port) == config


def test_a_config_that_is_changed_in_port_is_run(serving_of: Any, only_source: str, local_port: LocalPort) -> None:
    install(local_port, config_of())

    async def scenario() -> None:
        async with serving_of(only_source) as served:
            await served.next_run()
            await served.asleep()
            local_port.api("PATCH", f"/integration/{NAME}", {"config": config_of('"x-" + .id')})
            await _next_poll(served)
            second = await served.next_run()
            assert (second["reasons"], second["totals"]["created"]) == (["mapping"], 2)

    asyncio.run(scenario())
    assert config_in(local_port) == config_of('"x-" + .id')


def test_the_file_counts_where_it_has_resources_and_port_where_the_environment_says_so(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: PEOPLE
    install(local_port, config_of('"port-" + .id'))

    async def scenario() -> None:
        async with serving_of(mapping(), env={"PORTSYNC_MAPPING_FROM": "port"}) as served:
            await served.next_run()
        assert sorted(local_port.entities("thing")) == ["port-ada", "port-bob"]
        assert config_in(local_port) == config_of('"port-" + .id')
        async with serving_of(mapping()) as served:
            await served.next_run()

    asyncio.run(scenario())
    assert {"ada", "bob"} <= set(local_port.entities("thing"))
    assert config_in(local_port)["resources"][0]["port"]["entity"]["mappings"]["identifier"] == ".id"


def _with_header(value: str, name: str = "X-Team") -> dict[str, Any]:
    config = config_of()
    config["resources"][0]["selector"]["headers"] = {name: value}
    return config


def _with_live() -> dict[str, Any]:
    config = config_of()
    config["resources"][0]["live"] = {"hook": "things", "record": ".thing", "signature": "none"}
    return config


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (config_of(source={"base_url": "https://elsewhere.example"}), "forbidden-key"),
        (config_of(context={"org": {"path": "/org"}}), "forbidden-key"),
        (_with_live(), "forbidden-key"),
        (_with_header("${SRC_TOKEN}"), "forbidden-variable"),
        (_with_header("${TEAM:core}"), "forbidden-variable"),
        (_with_header("${file:/run/secrets/token}"), "forbidden-variable"),
    ],
    ids=["source", "context", "live", "a secret", "a default", "a file"],
)
def test_who_may_edit_ports_page_gets_at_no_credentials(
    serving_of: Any, only_source: str, source: Source, local_port: LocalPort, config: dict[str, Any], code: str
) -> None:
    install(local_port, config)

    async def scenario() -> dict[str, Any]:
        async with serving_of(only_source, env={"PORTSYNC_PORT_MAY_READ": "OTHER, file"}) as served:
            run = await served.next_run()
            assert run["exit_code"] == 2
            report = orjson.loads(served.history.run(run["run_id"]))
            assert report is not None
            assert (await served.ask("GET", "/readyz", token=None)).status_code == 503
            found: dict[str, Any] = report
            return found

    assert [problem["code"] for problem in asyncio.run(scenario())["problems"]] == [code]
    assert not source.asked


def test_a_variable_that_the_environment_allows_is_put_in(
    serving_of: Any, only_source: str, source: Source, local_port: LocalPort
) -> None:
    install(local_port, _with_header("${TEAM}"))

    async def scenario() -> None:
        async with serving_of(only_source, env={"PORTSYNC_PORT_MAY_READ": "TEAM", "TEAM": "core"}) as served:
            assert (await served.next_run())["status"] == "ok"

    asyncio.run(scenario())
    assert source.asked[0].headers["x-team"] == "core"
    assert config_in(local_port) == _with_header("${TEAM}")


def test_without_any_mapping_it_says_so_and_recovers_when_one_is_written(
    serving_of: Any, only_source: str, local_port: LocalPort
) -> None:
    async def scenario() -> None:
        async with serving_of(only_source) as served:
            run = await served.next_run()
            report = orjson.loads(served.history.run(run["run_id"]))
            assert report is not None
            assert [problem["code"] for problem in report["problems"]] == ["no-mapping"]
            await served.asleep()
            install(local_port, config_of())
            await _next_poll(served)
            second = await served.next_run()
            assert second["totals"]["created"] == 2
            assert (await served.ask("GET", "/readyz", token=None)).status_code == 200

    asyncio.run(scenario())


def test_who_asks_on_ports_page_during_a_run_gets_another_one(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    install(local_port, None)
    begun, gate = threading.Event(), threading.Event()

    def answer(_: Asked) -> Any:
        begun.set()
        gate.wait(10)
        return PEOPLE

    async def scenario() -> None:
        source.answer = answer
        async with serving_of(mapping()) as served:
            await served.until(begun.is_set)
            await _next_poll(served)
            await served.asleep()
            local_port.api("PATCH", f"/integration/{NAME}", {})
            served.clock.pass_by(_POLL_S)
            await served.asleep()
            gate.set()
            assert (await served.next_run())["reasons"] == ["start"]
            assert (await served.next_run())["reasons"] == ["port"]
            assert len(served.runs()) == 2

    asyncio.run(scenario())


def test_a_request_that_came_while_port_did_not_answer_is_not_lost(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: PEOPLE
    install(local_port, None)
    local_port.script({"path": "/v1/integration/portsync-m/resync-request", "status": 500, "times": None})

    async def scenario() -> None:
        async with serving_of(mapping()) as served:
            await served.next_run()
            await served.asleep()
            local_port.api("PATCH", f"/integration/{NAME}", {})
            local_port.script()
            served.clock.pass_by(_POLL_S)
            assert (await served.next_run())["reasons"] == ["port"]

    asyncio.run(scenario())


AT_REST = {"PORTSYNC_RUN_AT_START": "false"}


def _answered(port: LocalPort) -> None:
    """Let a run of another process answer whoever asked so far."""
    state = {"nextResync": None, "intervalInMinuets": None}
    began = {**state, "status": "running", "lastResyncStart": "2026-01-01T00:00:00Z", "lastResyncEnd": None}
    port.api("PATCH", f"/integration/{NAME}/resync-state", began)
    ended = {**state, "status": "completed", "lastResyncEnd": "2026-01-01T00:00:00Z"}
    assert port.api("PATCH", f"/integration/{NAME}/resync-state", ended)["ok"]


def test_who_asked_before_a_service_came_up_that_does_not_begin_with_a_run_gets_one_once(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: PEOPLE
    install(local_port, None)
    _answered(local_port)
    local_port.api("PATCH", f"/integration/{NAME}", {})

    async def scenario() -> None:
        async with serving_of(mapping(), env=AT_REST) as served:
            assert (await served.next_run())["reasons"] == ["port"]
            await _next_poll(served)
            await served.asleep()
            assert len(served.runs()) == 1
        async with serving_of(mapping(), env=AT_REST) as served:
            await _next_poll(served)
            await served.asleep()
            assert served.history.runs() == []

    asyncio.run(scenario())


@pytest.mark.parametrize("is_known", [True, False])
def test_who_was_answered_before_or_perhaps_was_gets_no_run(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort, *, is_known: bool
) -> None:
    source.answer = lambda _: PEOPLE
    install(local_port, None)
    local_port.api("PATCH", f"/integration/{NAME}", {})
    if is_known:
        _answered(local_port)

    async def scenario() -> None:
        async with serving_of(mapping(), env=AT_REST) as served:
            await _next_poll(served)
            await served.asleep()
            assert served.history.runs() == []
            local_port.api("PATCH", f"/integration/{NAME}", {})
            served.clock.pass_by(_POLL_S)
            assert (await served.next_run())["reasons"] == ["port"]

    asyncio.run(scenario())


def _state(began: str | None, ended: str | None = None, told: str | None = None) -> dict[str, Any]:
    times = {"lastResyncStart": began, "lastResyncEnd": ended, "updatedAt": told}
    return {name: f"2026-11-22T{time}Z" if time else None for name, time in times.items()}


@pytest.mark.parametrize(
    ("asked", "last", "is_open"),
    [
        ("12:30:00.000", _state("12:00:00", "12:10:00"), True),
        ("11:30:00.000", _state("12:00:00", "12:10:00"), False),
        # During the run, which may have read the source before.
        ("12:05:00.000", _state("12:00:00", "12:10:00"), True),
        # Of a run that never came to its end nobody knows whom it answered.
        ("11:30:00.000", _state("12:00:00", None), False),
        ("12:05:00.000", _state("12:00:00", None), True),
        # The clock of whoever ran is an hour slow, or fast.
        ("11:59:00.000", _state("11:00:00", "11:10:00", "12:10:01"), False),
        ("12:01:00.000", _state("11:00:00", "11:10:00", "12:10:01"), True),
        ("11:59:00.000", _state("13:00:00", "13:10:00", "12:10:01"), False),
        ("12:01:00.000", _state("13:00:00", "13:10:00", "12:10:01"), True),
        ("12:01:00.000", _state("11:00:00", None, "12:00:01"), True),
        ("12:30:00.000", _state(None), False),
        ("12:30:00.000", {}, False),
        ("12:30:00.000", {"lastResyncStart": "yesterday"}, False),
        ("12:30:00.000", {"lastResyncStart": 7, "updatedAt": {}}, False),
        ("noon", _state("12:00:00", "12:10:00"), False),
        ("12:30:00.000", {"lastResyncStart": "0001-01-01T00:00:00", "lastResyncEnd": "9999-12-31T00:00:00"}, True),
    ],
)
def test_somebody_still_waits_who_asked_after_the_last_run_began(
    asked: str, last: dict[str, Any], *, is_open: bool
) -> None:
    assert is_unanswered(f"2026-11-22T{asked}Z", last) is is_open


def test_oceans_docker_environment_as_it_stands_makes_one_run(
    portsync: Callable[..., Run], source_stage: tuple[Stage, str], local_port: LocalPort, tmp_path: Any
) -> None:
    """The names of the command in Port's guide to Claude; URLs and credentials are those of the test."""
    stage, url = source_stage
    stage.app = create_source(token="anthropic-key-51", today=datetime.fromtimestamp(NOW, UTC).date())
    run = portsync(
        "serve",
        env={
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "PORTSYNC_JQ_WORKERS": "1",
            "OCEAN__PORT__CLIENT_ID": "cid",
            "OCEAN__PORT__CLIENT_SECRET": local_port.secret,
            "OCEAN__PORT__BASE_URL": local_port.url,
            "OCEAN__INITIALIZE_PORT_RESOURCES": "true",
            "OCEAN__SEND_RAW_DATA_EXAMPLES": "true",
            "OCEAN__EVENT_LISTENER": '{"type": "ONCE"}',
            "OCEAN__INTEGRATION__CONFIG__BASE_URL": url,
            "OCEAN__INTEGRATION__CONFIG__AUTH_TYPE": "bearer",
            "OCEAN__INTEGRATION__SECRETS__TOKEN": "anthropic-key-51",
            "OCEAN__INTEGRATION__CONFIG__PAGINATION_TYPE": "none",
        },
    )
    assert run.exit_code == 0, run.err
    found = {blueprint["identifier"] for blueprint in local_port.api("GET", "/blueprints")["blueprints"]}
    assert "claude_usage_record" in found
    assert len(local_port.entities("claude_usage_record")) == 30
    # The page that the next run asks for its mapping.
    assert config_in(local_port, "portsync-custom")["resources"]
    assert local_port.api("GET", "/integration/portsync-custom/kinds")["data"]
