"""What a run tells Port's page of data sources, and that a Port that does not want to know costs it nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from structlog.testing import capture_logs

from portsync import __version__
from portsync.integration import Installation, Integration, installation_of, status_of
from portsync.logs import Redactor, log_of
from portsync.mapping.loader import parse
from portsync.port.client import PortClient
from portsync.port.owner import Owner
from portsync.runtime import Runtime
from portsync.settings import read_settings
from portsync.surroundings import Surroundings
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.trouble import Timeouts
from portsync.wiring import port_client
from tests.conftest import NOW, TOKEN, LocalPort

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

NAME = "portsync-m"
AT = "2026-11-22T12:00:00+00:00"
INSTALLATION = Installation(NAME, "custom", "m", {"resources": [{"kind": "/things"}]})
RECORDS = [{"id": n, "api_key": "sk-1", "who": TOKEN} for n in range(7)]


async def whole_run(integration: Integration) -> None:
    """Everything that a run tells, in its order."""
    await integration.begin()
    await integration.example("/v1/things?a=b", RECORDS)
    await integration.example("/others", [{"id": "x"}])
    await integration.end("completed")


@pytest.fixture
def tell(port_env: dict[str, str]) -> Callable[..., None]:
    """Run `act` with the integration of a run against the local Port: `tell(act, installation, **options)`."""

    def run(
        act: Callable[[Integration], Awaitable[None]], installation: Installation = INSTALLATION, **options: Any
    ) -> None:
        async def main() -> None:
            settings, runtime = read_settings(port_env), Runtime(port_env, clock=lambda: NOW)
            owner = Owner("portsync", settings.type, installation.identifier)
            async with port_client(settings, owner, Surroundings(settings, runtime, Redactor())) as port:
                await port.sign_in()
                await act(Integration(port, installation, Redactor([TOKEN]), runtime.clock, log_of(), **options))

        asyncio.run(main())

    return run


def held(port: LocalPort) -> dict[str, Any]:
    integration = port.api("GET", f"/integration/{NAME}")["integration"]
    assert isinstance(integration, dict)
    return integration


def test_a_run_is_told_from_its_beginning_to_its_end(local_port: LocalPort, tell: Callable[..., None]) -> None:
    states: list[Any] = []

    async def act(integration: Integration) -> None:
        await integration.begin()
        states.append(await asyncio.to_thread(lambda: held(local_port)["resyncState"]))
        await integration.end("completed")

    with capture_logs() as logs:
        tell(act, interval_min=120)

    integration = held(local_port)
    (running,) = states
    assert running["status"] == "running"
    assert (running["lastResyncStart"], running["lastResyncEnd"], running["nextResync"]) == (AT, None, None)
    expected = {
        "installationId": NAME,
        "installationAppType": "custom",
        "version": __version__,
        "title": "m",
        "config": {"resources": [{"kind": "/things"}]},
        "changelogDestination": {},
    }
    assert expected.items() <= integration.items()
    state = {key: value for key, value in integration["resyncState"].items() if key != "updatedAt"}
    assert state == {
        "status": "completed",
        "lastResyncStart": AT,
        "lastResyncEnd": AT,
        "nextResync": "2026-11-22T14:00:00+00:00",
        "intervalInMinuets": 120,
    }
    assert logs == []


def test_raw_records_come_as_examples_five_of_each_kind_without_secrets(
    local_port: LocalPort, tell: Callable[..., None]
) -> None:
    tell(whole_run)

    kinds = local_port.api("GET", f"/integration/{NAME}/kinds")["data"]
    assert set(kinds) == {"/v1/things?a=b", "/others"}
    found = [example["data"] for example in kinds["/v1/things?a=b"]["examples"]]
    assert found == [{"id": n, "api_key": "***", "who": "***"} for n in range(5)]


def test_examples_can_be_turned_off(local_port: LocalPort, tell: Callable[..., None]) -> None:
    tell(whole_run, sends_examples=False)

    assert local_port.api("GET", f"/integration/{NAME}/kinds")["data"] == {}
    assert held(local_port)["resyncState"]["status"] == "completed"


@pytest.mark.parametrize("name", ["PORTSYNC_RAW_EXAMPLES", "OCEAN__SEND_RAW_DATA_EXAMPLES"])
def test_the_environment_turns_examples_off_by_either_name(name: str) -> None:
    assert read_settings({}).raw_examples
    assert not read_settings({name: "false"}).raw_examples


def test_an_integration_that_is_as_it_should_be_is_left_alone(local_port: LocalPort, tell: Callable[..., None]) -> None:
    tell(whole_run)
    before = held(local_port)

    tell(whole_run)

    after = held(local_port)
    assert after["updatedAt"] == before["updatedAt"]
    assert after["resyncState"]["updatedAt"] >= before["resyncState"]["updatedAt"]


@pytest.mark.parametrize(
    ("changed", "key", "value"),
    [
        (Installation(NAME, "other", "m", INSTALLATION.config), "installationAppType", "other"),
        (Installation(NAME, "custom", "m", {"resources": []}), "config", {"resources": []}),
        (Installation(NAME, "custom", "m", INSTALLATION.config, "9.9"), "version", "9.9"),
    ],
)
def test_what_differs_is_changed_and_asks_for_no_resync(
    changed: Installation, key: str, value: Any, local_port: LocalPort, tell: Callable[..., None]
) -> None:
    tell(whole_run)

    tell(whole_run, changed)

    assert held(local_port)[key] == value
    assert local_port.api("GET", f"/integration/{NAME}/resync-request")["request"] == {}


def test_the_installation_of_a_mapping_holds_no_secret(mapping: Callable[..., str]) -> None:
    loaded = parse(mapping(selector='headers: {x: "${SRC_TOKEN}"}'), Path("some.yaml"), {"SRC_TOKEN": TOKEN})

    installation = installation_of(loaded, "me", "custom", Redactor())

    assert (installation.identifier, installation.title, installation.type) == ("me", "some", "custom")
    assert installation.config is not None
    assert installation.config["resources"][0]["selector"]["headers"] == {"x": "${SRC_TOKEN}"}
    assert TOKEN not in str(installation)
    assert "source" not in installation.config


@pytest.mark.parametrize(("code", "status"), [(0, "completed"), (1, "failed"), (4, "failed"), (130, "aborted")])
def test_the_exit_code_says_how_the_run_ended(code: int, status: str) -> None:
    assert status_of(code) == status


Answers = dict[tuple[str, str], Any]
"""What a scripted Port answers, by method and the end of the path: a status, or one for each time."""


def told(answers: Answers, otherwise: int = 200, **options: Any) -> tuple[list[str], list[Any]]:
    """The requests that a whole run sends to a Port that answers so, and what it logs."""
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("access_token"):
            return httpx.Response(200, json={"accessToken": "t", "expiresIn": 3600, "tokenType": "Bearer"})
        end = request.url.path.rsplit("/", 1)[-1]
        asked.append(f"{request.method} {end}")
        said = answers.get((request.method, end), otherwise)
        said = said.pop(0) if isinstance(said, list) else said
        if said == "hang":
            await asyncio.Event().wait()
        if said == "break":
            raise httpx.ReadError("broken")
        return httpx.Response(said, json={"ok": said < 400, "error": "e", "message": f"said {said}", "integration": {}})

    async def no_sleep(_seconds: float) -> None:
        return

    async def main() -> None:
        policy = RetryPolicy(6, 60, lambda: NOW, no_sleep, lambda: 0.0)
        transport = httpx.MockTransport(answer)
        async with Client(policy=policy, timeouts=Timeouts(), user_agent="ua", transport=transport) as http:
            port = PortClient(http, "https://port.test", "cid", "secret", lambda: NOW)
            await port.sign_in()
            await whole_run(Integration(port, INSTALLATION, Redactor(), lambda: NOW, log_of(), **options))

    with capture_logs() as logs:
        asyncio.run(main())
    return asked, logs


@pytest.mark.parametrize("status", [400, 401, 403, 405, 422, 429, 500, 502, 503])
def test_a_port_that_refuses_is_asked_once_and_never_again(status: int) -> None:
    asked, logs = told({}, status)

    assert set(asked) == {f"GET {NAME}"}
    assert len(asked) == (2 if status == 401 else 1), "a token may have ended"
    (line,) = logs
    assert (line["event"], line["log_level"], line["part"]) == ("integration.refused", "warning", "begin")
    assert str(status) in line["reason"]


def test_a_port_without_these_routes_is_asked_twice_because_they_may_only_lack_the_integration() -> None:
    asked, logs = told({}, 404)

    assert asked == [f"GET {NAME}", "POST integration"]
    assert len(logs) == 1


def test_a_connection_that_breaks_is_a_warning() -> None:
    asked, logs = told({("GET", NAME): "break"})

    assert set(asked) == {f"GET {NAME}"}
    assert [line["event"] for line in logs] == ["integration.refused"]


def test_a_port_that_does_not_answer_is_not_waited_for() -> None:
    asked, logs = told({("GET", NAME): "hang"}, patience_s=0.05)

    assert asked == [f"GET {NAME}"]
    assert [line["reason"] for line in logs] == ["no answer within 0.05 s"]


def test_a_refused_example_ends_the_examples_and_not_the_rest() -> None:
    asked, logs = told({("POST", "examples"): 404})

    assert asked == [
        f"GET {NAME}", f"PATCH {NAME}", "PATCH resync-state", "POST examples", "PATCH resync-state",
    ]  # fmt: skip
    assert [line["part"] for line in logs] == ["example"]


def test_a_refused_end_is_a_warning() -> None:
    asked, logs = told({("PATCH", "resync-state"): [200, 500]})

    assert asked[-1] == "PATCH resync-state"
    assert [line["part"] for line in logs] == ["end"]


def test_an_answer_that_is_no_json_is_a_warning(port_env: dict[str, str]) -> None:
    async def main() -> None:
        transport = httpx.MockTransport(
            lambda request: (
                httpx.Response(200, json={"accessToken": "t", "expiresIn": 3600})
                if "access_token" in request.url.path
                else httpx.Response(200, text="<html>hello</html>")
            )
        )
        async with Client(
            policy=RetryPolicy(1, 0, lambda: NOW, asyncio.sleep, lambda: 0.0),
            timeouts=Timeouts(),
            user_agent="ua",
            transport=transport,
        ) as http:
            port = PortClient(http, port_env["PORT_BASE_URL"], "cid", "secret", lambda: NOW)
            await whole_run(Integration(port, INSTALLATION, Redactor(), lambda: NOW, log_of()))

    with capture_logs() as logs:
        asyncio.run(main())

    assert [line["part"] for line in logs] == ["begin"]


def test_records_of_any_kind_do_no_harm(tell: Callable[..., None], local_port: LocalPort) -> None:
    async def act(integration: Integration) -> None:
        await integration.begin()
        for records in ([], [None, 5, "x"], [{"half": "\ud800", "big": 10**30}]):
            await integration.example("kind \ud800", records)
        await integration.end("failed")

    tell(act)

    kinds = local_port.api("GET", f"/integration/{NAME}/kinds")["data"]
    assert [e["data"] for e in kinds["kind ?"]["examples"]] == [{"half": "?", "big": "…"}]
    assert held(local_port)["resyncState"]["status"] == "failed"
