"""Ocean's environment, row by row: what each variable does to a run that a source and a local Port see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from portsync.errors import SettingsError
from portsync.settings import read_settings
from tests.conftest import PORT_SECRET, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, LocalPort, Run, Source

CONFIG = "OCEAN__INTEGRATION__CONFIG__"
SECRETS = "OCEAN__INTEGRATION__SECRETS__"
RESOURCES = """
resources:
  - kind: /things
    selector: {query: 'true', data_path: .data}
    port:
      entity:
        mappings:
          identifier: .id
          blueprint: '"thing"'
          properties: {size: .size}
"""


@pytest.fixture
def ocean(portsync: Callable[..., Run], local_port: LocalPort, source: Source, tmp_path: Any) -> Callable[..., Run]:
    """A sync of a file with nothing but `resources`, in Ocean's environment alone."""

    def run(*, text: str = RESOURCES, **variables: str) -> Run:
        environment = {
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "PORTSYNC_JQ_WORKERS": "1",
            "OCEAN__PORT__CLIENT_ID": "cid",
            "OCEAN__PORT__CLIENT_SECRET": PORT_SECRET,
            "OCEAN__PORT__BASE_URL": local_port.url,
            "OCEAN__INITIALIZE_PORT_RESOURCES": "false",
            f"{CONFIG}BASE_URL": source.url,
            **variables,
        }
        return portsync("sync", text, env=environment)

    return run


def _pages(asked: Asked) -> Any:
    number = int(dict(asked.query).get("page", "1"))
    return {"data": [{"id": f"p{number}", "size": 1}], "has_more": number < 3, "last": number == 3, "meta": {}}


def test_its_names_alone_are_enough(ocean: Callable[..., Run], source: Source, local_port: LocalPort) -> None:
    source.answer = lambda _: {"data": [{"id": "ada", "size": 1}]}
    assert ocean().exit_code == 0
    assert list(local_port.entities("thing")) == ["ada"]


@pytest.mark.parametrize(
    ("variables", "header", "value"),
    [
        ({f"{CONFIG}AUTH_TYPE": "bearer", f"{CONFIG}API_TOKEN": TOKEN}, "authorization", f"Bearer {TOKEN}"),
        ({f"{CONFIG}AUTH_TYPE": "bearer_token", f"{CONFIG}API_TOKEN": TOKEN}, "authorization", f"Bearer {TOKEN}"),
        ({f"{CONFIG}AUTH_TYPE": "bearer", f"{SECRETS}TOKEN": TOKEN}, "authorization", f"Bearer {TOKEN}"),
        (
            {f"{CONFIG}AUTH_TYPE": "basic", f"{CONFIG}USERNAME": "ada", f"{SECRETS}PASSWORD": "pass-1"},
            "authorization",
            "Basic YWRhOnBhc3MtMQ==",
        ),
        ({f"{CONFIG}AUTH_TYPE": "api_key", f"{SECRETS}API_KEY": TOKEN}, "x-api-key", TOKEN),
        (
            {f"{CONFIG}AUTH_TYPE": "api_key", f"{CONFIG}API_KEY": TOKEN, f"{CONFIG}API_KEY_HEADER": "X-Mine"},
            "x-mine",
            TOKEN,
        ),
        ({f"{CONFIG}AUTH_TYPE": "none"}, "authorization", None),
        ({f"{CONFIG}CUSTOM_HEADERS": '{"X-Team": "${TEAM}"}', "TEAM": "core"}, "x-team", "core"),
    ],
    ids=["bearer", "bearer_token", "secrets token", "basic", "api_key", "api_key header", "none", "custom headers"],
)
def test_what_requests_carry(
    ocean: Callable[..., Run], source: Source, variables: dict[str, str], header: str, value: str | None
) -> None:
    source.answer = lambda _: {"data": []}
    run = ocean(**variables)
    assert run.exit_code == 0
    assert source.asked[0].headers.get(header) == value
    assert TOKEN not in run.out + run.err


def test_a_custom_login(ocean: Callable[..., Run], source: Source) -> None:
    def answer(asked: Asked) -> Any:
        return {"access_token": "t-4711"} if asked.path == "/login" else {"data": [{"id": "a", "size": 1}]}

    source.answer = answer
    request = {"endpoint": "/login", "method": "POST", "body": {"user": "ada"}}
    template = {"headers": {"authorization": "Bearer {{.access_token}}"}}
    run = ocean(
        **{
            f"{CONFIG}AUTH_TYPE": "custom",
            f"{CONFIG}CUSTOM_AUTH_REQUEST": json.dumps(request),
            f"{CONFIG}CUSTOM_AUTH_REQUEST_TEMPLATE": json.dumps(template),
        }
    )
    assert run.exit_code == 0
    assert [a.headers.get("authorization") for a in source.asked if a.path == "/things"] == ["Bearer t-4711"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PAGINATION_TYPE": "none"}, [[]]),
        (
            {"PAGINATION_TYPE": "page", "PAGE_SIZE": "1"},
            [[("page", str(n)), ("size", "1")] for n in (1, 2, 3)],
        ),
        (
            {"PAGINATION_TYPE": "page", "PAGE_SIZE": "1", "START_PAGE": "2", "SIZE_PARAM": "n"},
            [[("page", str(n)), ("n", "1")] for n in (2, 3)],
        ),
        (
            {"PAGINATION_TYPE": "page", "PAGE_SIZE": "1", "LAST_PAGE_PATH": "last"},
            [[("page", str(n)), ("size", "1")] for n in (1, 2, 3)],
        ),
    ],
    ids=["none", "page", "start page and size", "last page path"],
)
def test_paging(
    ocean: Callable[..., Run], source: Source, variables: dict[str, str], expected: list[list[tuple[str, str]]]
) -> None:
    source.answer = _pages
    assert ocean(**{f"{CONFIG}{name}": value for name, value in variables.items()}).exit_code == 0
    assert [sorted(asked.query) for asked in source.asked] == [sorted(query) for query in expected]


def test_what_the_file_says_of_the_source_wins(ocean: Callable[..., Run], source: Source) -> None:
    text = f"source: {{base_url: {source.url}, headers: {{X-Team: file}}, concurrency: 2}}\n{RESOURCES}"
    run = ocean(
        text=text,
        **{f"{CONFIG}BASE_URL": "http://127.0.0.1:1", f"{CONFIG}CUSTOM_HEADERS": '{"X-Team": "env", "X-Other": "env"}'},
    )
    assert run.resource["verdict"] == "complete"
    assert (source.asked[0].headers["x-team"], source.asked[0].headers["x-other"]) == ("file", "env")


def test_its_time_out_ends_a_silent_source(ocean: Callable[..., Run], source: Source) -> None:
    text = f"source: {{retry: {{attempts: 1}}}}\n{RESOURCES}"

    source.answer = lambda _: _Silent()
    run = ocean(text=text, **{f"{CONFIG}TIMEOUT": "0.2"})
    assert (run.exit_code, run.resource["reason"]) == (3, "timeout")


class _Silent(Response):
    """An answer that never begins."""

    async def __call__(self, _scope: Any, receive: Any, _send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


def test_an_identifier_of_its_own_is_taken_over(
    ocean: Callable[..., Run], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": [{"id": "ada", "size": 1}]}
    names = {"OCEAN__INTEGRATION__IDENTIFIER": "my-api", "OCEAN__INTEGRATION__TYPE": "custom"}
    assert ocean(**names).exit_code == 0
    rule = {"property": "$datasource", "operator": "beginsWith", "value": "port-ocean/custom/"}
    found = local_port.api("POST", "/entities/search", {"combinator": "and", "rules": [rule]})["entities"]
    assert [entity["identifier"] for entity in found] == ["ada"]


def test_adopting_updates_what_ocean_wrote_and_deletes_what_is_gone(
    portsync: Callable[..., Run], mapping: Callable[..., str], source: Source, local_port: LocalPort, port_env: Any
) -> None:
    source.answer = lambda _: {"data": [{"id": name, "size": 1} for name in "abcdefgh"]}
    assert portsync("sync", mapping(), env=port_env | {"OCEAN__INTEGRATION__IDENTIFIER": "old-one"}).exit_code == 0
    source.answer = lambda _: {"data": [{"id": name, "size": 2} for name in "abcdefg"]}
    elsewhere = port_env | {"XDG_STATE_HOME": port_env["XDG_STATE_HOME"] + "-2", "PORTSYNC_IDENTIFIER": "new-one"}

    plan = portsync("plan", mapping(), "--adopt", "old-one", "--format", "json", env=elsewhere)
    run = portsync("sync", mapping(), "--adopt", "old-one", env=elsewhere)

    assert json.loads(plan.out)["blueprints"] == {"thing": {"create": 0, "update": 7, "delete": 1}}
    assert (run.resource["created"], run.resource["updated"], run.report["totals"]["deleted"]) == (0, 7, 1)
    assert sorted(local_port.entities("thing")) == list("abcdefg")


@pytest.mark.parametrize(("said", "count"), [("true", 1), ("false", 0)])
def test_raw_examples(ocean: Callable[..., Run], source: Source, local_port: LocalPort, said: str, count: int) -> None:
    source.answer = lambda _: {"data": [{"id": "ada", "size": 1}]}
    assert ocean(OCEAN__SEND_RAW_DATA_EXAMPLES=said).exit_code == 0
    assert sum("/kinds/" in request["path"] for request in local_port.requests()) == count


def test_an_unknown_kind_of_authentication_is_refused(ocean: Callable[..., Run], source: Source) -> None:
    run = ocean(**{f"{CONFIG}AUTH_TYPE": "oauth2"})
    assert run.exit_code == 2
    assert f"{CONFIG}AUTH_TYPE: `oauth2` is none of" in run.err
    assert not source.asked


_LISTENER = "OCEAN__EVENT_LISTENER"


@pytest.mark.parametrize(
    ("environment", "listener", "poll_every", "runs_at_start"),
    [
        ({_LISTENER: "ONCE"}, "once", 60.0, True),
        ({_LISTENER: '{"type": "POLLING", "interval": 30, "resyncOnStart": false}'}, "poll", 30.0, False),
        ({_LISTENER: '{"type": "POLLING", "interval": "30"}'}, "poll", 30.0, True),
        ({f"{_LISTENER}__TYPE": "ONCE"}, "once", 60.0, True),
        ({f"{_LISTENER}__TYPE": "Kafka"}, "poll", 60.0, True),
        (
            {
                f"{_LISTENER}__TYPE": "POLLING",
                f"{_LISTENER}__INTERVAL": "45",
                f"{_LISTENER}__RESYNC_ON_START": "false",
            },
            "poll",
            45.0,
            False,
        ),
        ({_LISTENER: '{"type": "POLLING", "interval": 30}', f"{_LISTENER}__TYPE": "ONCE"}, "once", 30.0, True),
        ({_LISTENER: '{"interval": 30}', f"{_LISTENER}__TYPE": "POLLING"}, "poll", 30.0, True),
        ({f"{_LISTENER}__TYPE": "ONCE", "PORTSYNC_LISTENER": "poll"}, "poll", 60.0, True),
    ],
)
def test_its_listener_is_read_from_one_variable_and_from_those_of_its_parts(
    environment: dict[str, str], listener: str, poll_every: float, *, runs_at_start: bool
) -> None:
    settings = read_settings(environment)

    assert (settings.listener, settings.poll_every, settings.runs_at_start) == (listener, poll_every, runs_at_start)


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({_LISTENER: '{"interval": 30}'}, _LISTENER),
        ({_LISTENER: "WEBHOOKS_ONLY"}, _LISTENER),
        ({_LISTENER: '{"type": 7}', f"{_LISTENER}__TYPE": "ONCE"}, _LISTENER),
        ({f"{_LISTENER}__TYPE": "WEBHOOKS_ONLY"}, f"{_LISTENER}__TYPE"),
        ({_LISTENER: "ONCE", f"{_LISTENER}__INTERVAL": "soon"}, f"{_LISTENER}__INTERVAL"),
        ({_LISTENER: "ONCE", f"{_LISTENER}__RESYNC_ON_START": "perhaps"}, f"{_LISTENER}__RESYNC_ON_START"),
    ],
)
def test_a_listener_that_makes_no_sense_is_refused_by_the_name_of_its_variable(
    environment: dict[str, str], place: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(environment)

    assert [problem.place for problem in caught.value.problems] == [place]
