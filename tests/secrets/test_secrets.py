"""No secret in any output: planted wherever a configuration can hold one, and looked for in everything that came out
of commands against a source and a Port that repeat what they were told."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote

import pytest

from tests.secrets.conftest import AUTHS, Lab
from tests.secrets.echo import MANNERS
from tests.secrets.planted import Planted

REPEATED = ", name: .note, title: .id"


def write(lab: Lab, text: str) -> str:
    path = lab.folder / "m.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("auth", "manner"),
    [
        *((auth, manner) for auth in AUTHS for manner in ("records", "refusal")),
        *(("login", each) for each in MANNERS[2:]),
    ],
)
def test_a_source_that_repeats_what_it_was_told_gets_nothing_out(lab: Lab, auth: str, manner: str) -> None:
    lab.answer(manner)
    mapping = write(lab, lab.mapping(auth))
    report = str(lab.folder / "report.json")
    lab.run("sync", mapping, "--report", report)
    assert lab.source.asked
    assert lab.planted.leaks(lab.outputs()) == []


@pytest.mark.parametrize(
    "command", [("check",), ("check", "--format", "json"), ("plan",), ("plan", "--format", "json")]
)
def test_commands_that_only_look(lab: Lab, command: tuple[str, ...]) -> None:
    lab.answer("records")
    # A plan shows identifiers; a sync would bring them into the catalog.
    text = lab.mapping("login", REPEATED).replace("identifier: .id", "identifier: .note")
    mapping = write(lab, text)
    lab.run(command[0], mapping, *command[1:])
    assert lab.planted.leaks(lab.outputs()) == []


@pytest.mark.parametrize("manner", ["records", "refusal"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_commands_that_show_what_a_source_says(lab: Lab, manner: str, form: str) -> None:
    lab.answer(manner)
    text = lab.mapping("login", REPEATED).replace("identifier: .id", "identifier: .note")
    mapping = write(lab, text)
    for name, command in (
        ("preview", ("preview", mapping, "--save", str(lab.folder / "kept"))),
        ("again", ("preview", mapping, "--from", str(lab.folder / "kept"))),
        ("explain", ("explain", mapping, "a")),
    ):
        lab.run(*command, "--format", form, name=name)
    assert any("file kept/" in path for path in lab.outputs()) or manner != "records"
    assert lab.planted.leaks(lab.outputs()) == []


@pytest.mark.parametrize("auth", ["login", "oauth2 in the body"])
def test_a_login_that_refuses_and_repeats(lab: Lab, auth: str) -> None:
    lab.answer("login")
    run = lab.run("sync", write(lab, lab.mapping(auth)), "--format", "json")
    assert "no-token" in run.out or "token-refused" in run.out
    assert lab.planted.leaks(lab.outputs()) == []


@pytest.mark.parametrize(
    ("paths", "status"),
    [
        (("/entities/bulk",), 422),
        (("/entities/bulk",), 500),
        (("/auth/access_token",), 401),
        (("/auth/access_token",), 200),
        (("/integration",), 422),
        (("/entities/search", "/blueprints/thing"), 422),
        (("/entities/bulk",), 401),
    ],
    ids=["entities", "a broken Port", "credentials", "a token that is none", "integration", "search", "the token"],
)
def test_a_port_that_repeats_what_it_was_told(lab: Lab, paths: tuple[str, ...], status: int) -> None:
    lab.answer("records")
    mapping = write(lab, lab.mapping("bearer", REPEATED))
    lab.refuse("/entities/bulk")
    lab.run("sync", mapping, "--dead-letters", "dead.jsonl")
    lab.refuse(*paths, status=status)
    lab.run("sync", mapping, "--format", "json", "--full", name="again")
    lab.run("plan", mapping)
    for options in ((), ("--dry-run",), ("--format", "json")):
        lab.run("replay", "dead.jsonl", *options)
    blueprints = lab.folder / "blueprints"
    blueprints.mkdir()
    text = '{"identifier": "other", "title": "Other", "schema": {"properties": {}, "required": []}}'
    (blueprints / "other.json").write_text(text, encoding="utf-8")
    lab.refuse("/blueprints", *paths, status=status)
    lab.run("provision", str(blueprints))
    assert lab.planted.leaks(lab.outputs()) == []


def test_entities_as_lines(lab: Lab) -> None:
    lab.answer("records")
    lab.run("sync", write(lab, lab.mapping("basic")), "--sink", "jsonl", "--format", "json", "--output", "out.jsonl")
    assert lab.planted.leaks(lab.outputs()) == []


WRONG = {
    "a key that is none": "source: {{base_url: '{url}', auth: {{type: bearer, tokn: '{secret}'}}}}",
    "a type that is none": "source: {{base_url: '{url}', auth: {{type: '{secret}', token: x}}}}",
    "a header that is none": "source: {{base_url: '{url}', headers: {{X-Api-Key: ['{secret}']}}}}",
    "a query in the base URL": "source: {{base_url: '{url}/api?key={secret}'}}",
    "a password in the base URL": "source: {{base_url: 'https://ada:{secret}@acme.example'}}",
    "a body that is no JQ": "",
    "a variable in the wrong place": "source: {{base_url: '{url}', concurrency: '${{SRC}}'}}",
    "a type from a variable": "source: {{base_url: '{url}', auth: {{type: '${{SRC}}'}}}}",
    "a secret over two lines": "source:\n  base_url: '{url}'\n  auth:\n    type: bearer\n    token:\n     - '{secret}'",
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("command", ["check", "sync"])
def test_a_mapping_that_is_wrong(lab: Lab, wrong: str, command: str) -> None:
    secret = lab.planted.plant("literal in a wrong mapping", plain=True)
    body = f"""'{{"password": "{secret}" + }}'""" if "JQ" in wrong else "null"
    text = WRONG[wrong].format(url=lab.source.url, secret=secret)
    port = "port: {entity: {mappings: {identifier: .id, blueprint: '\"thing\"'}}}"
    text += f"\nresources: [{{kind: /a, selector: {{body: {body}}}, {port}}}]\n"
    assert lab.run(command, write(lab, text)).exit_code == 2
    assert lab.planted.leaks(lab.outputs()) == []


OCEAN = "OCEAN__INTEGRATION__"
RESOURCES = """
resources:
  - kind: /things
    selector: {method: POST, query: 'true', data_path: .data}
    port: {entity: {mappings: {identifier: .id, blueprint: '"thing"', properties: {size: '.size | tonumber'}}}}
"""


@pytest.mark.parametrize("manner", ["records", "refusal"])
@pytest.mark.parametrize("kind", ["bearer_token", "basic", "api_key", "custom", "none"])
def test_secrets_under_oceans_names(lab: Lab, kind: str, manner: str) -> None:
    lab.answer(manner)
    plant = lab.planted.plant
    names = ("CONFIG__API_TOKEN", "SECRETS__TOKEN", "SECRETS__PASSWORD", "CONFIG__API_KEY")
    secrets = {f"{OCEAN}{name}": plant(f"Ocean's {name}") for name in names}
    request = json.dumps({"endpoint": "/login", "body": {"clientSecret": plant("login of Ocean", plain=True)}})
    lab.run(
        "sync",
        write(lab, RESOURCES),
        **secrets,
        **{
            f"{OCEAN}CONFIG__BASE_URL": lab.source.url,
            f"{OCEAN}CONFIG__AUTH_TYPE": kind,
            f"{OCEAN}CONFIG__USERNAME": "ada",
            f"{OCEAN}CONFIG__CUSTOM_AUTH_REQUEST": request,
            f"{OCEAN}CONFIG__CUSTOM_AUTH_REQUEST_TEMPLATE": '{"headers": {"X-Token": "{{.access_token}}"}}',
            f"{OCEAN}CONFIG__CUSTOM_HEADERS": '{"X-Api-Key": "${SRC}", "X-Trace": "${TRACE_TOKEN} x"}',
            "TRACE_TOKEN": plant("variable in Ocean's headers"),
        },
    )
    assert lab.source.asked
    assert lab.planted.leaks(lab.outputs()) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://state:{secret}@127.0.0.1:1/state",
        "postgresql://state:{quoted}@127.0.0.1:1/state",
        "postgresql://127.0.0.1:1/state?user=state&password={quoted}",
        "postgresql://state:{secret}@127.0.0.1:port/state",
        "mysql://state:{secret}@127.0.0.1:1/state",
    ],
)
def test_the_password_of_the_state(lab: Lab, url: str) -> None:
    lab.answer("records")
    secret = lab.planted.plant("password of the state")
    state = url.format(secret=secret.replace("/", "").replace("%", ""), quoted=quote(secret, safe=""))
    assert lab.run("sync", write(lab, lab.mapping("bearer")), PORTSYNC_STATE=state).exit_code == 2
    lab.run("serve", str(lab.folder / "m.yaml"), "--listener", "once", PORTSYNC_STATE=state)
    assert lab.planted.leaks(lab.outputs()) == []


@pytest.mark.parametrize(
    "said",
    [
        lambda secret: secret,
        lambda secret: f"half of it: {secret[:12]}",
        lambda secret: quote(secret, safe="").replace("%2F", "%2f"),
        lambda secret: b64encode(f"a{secret}b".encode()).decode(),
        lambda secret: b64encode(f"aa{secret}b".encode()).decode(),
        lambda secret: b64encode(f"aaa{secret}b".encode()).decode(),
    ],
    ids=["plain", "half", "percent", "base64 1", "base64 2", "base64 3"],
)
def test_the_search_finds_what_leaks(said: object) -> None:
    """So that the tests above cannot pass because the search has gone blind."""
    planted = Planted()
    secret = planted.plant("here")
    assert callable(said)
    assert planted.leaks({"out": f"x {said(secret)} y"})
