"""Sources that mean no good, or answer with something else than records; and secrets, which go nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from portsync.mapping.loader import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.authoring.discover.conftest import Proposed
    from tests.conftest import Asked, LocalPort, Run, Source

HELD = [{"id": i, "name": f"thing {i}"} for i in range(1, 8)]


async def hundred_megabytes() -> AsyncIterator[bytes]:
    yield b"["
    for _ in range(100):
        yield b'"' + b"x" * 1_000_000 + b'",'
    yield b"0]"


def deep(levels: int) -> Response:
    return Response("[" * levels + "]" * levels, media_type="application/json")


def status(code: int, **headers: str) -> Response:
    return JSONResponse({"message": "no"}, code, headers={name.replace("_", "-"): v for name, v in headers.items()})


@pytest.mark.parametrize(
    ("answer", "exit_code", "said"),
    [
        (lambda _: HTMLResponse("<html><title>Sign in</title></html>"), 1, "an HTML page"),
        (lambda _: Response("", media_type="application/json"), 1, "the answer is empty"),
        (lambda _: Response(status_code=204), 1, "204"),
        (lambda _: {"data": []}, 1, "the array at `.data` is empty"),
        (lambda _: [], 1, "the array at `.` is empty"),
        (lambda _: {"ok": True, "error": "no"}, 1, "holds no array of records"),
        (lambda _: 5, 1, "holds no array of records"),
        (lambda _: deep(100_000), 1, "not JSON"),
        (lambda _: deep(900), 1, "holds no array of records"),
        (lambda _: StreamingResponse(hundred_megabytes(), media_type="application/json"), 3, "32 MiB"),
        (lambda _: status(401), 3, "--auth-env NAME"),
        (lambda _: status(403), 3, "--auth-env NAME"),
        (lambda _: status(404), 1, "404"),
        (lambda _: status(429, retry_after="86400"), 3, "no more requests until"),
        (lambda _: RedirectResponse("https://elsewhere.example/things"), 3, "https://elsewhere.example"),
        (lambda _: [{"amount": 1.5}, {"amount": 1.5}], 1, "tell its 2 records apart"),
        (lambda _: {"data": [[1, 2], [3, 4]]}, 1, "holds no array of records"),
    ],
    ids=[
        "html", "empty", "204", "empty array", "empty root", "error", "number", "too deep", "deep", "100 MB", "401",
        "403", "404", "429", "redirect", "no identifier", "arrays",
    ],
)  # fmt: skip
def test_what_holds_no_records_gives_no_mapping_and_a_reason(
    answer: Callable[[Asked], Any], exit_code: int, said: str, source: Source, discover: Callable[..., Proposed]
) -> None:
    source.answer = answer
    proposed = discover(f"{source.url}/things")

    assert proposed.run.exit_code == exit_code, proposed.run.out + proposed.run.err
    assert said in proposed.run.out + proposed.run.err
    assert proposed.found["resources"] == []
    assert not proposed.folder.exists()


def nested(levels: int) -> str:
    return f'{{"id": 1, "inside": {"[" * levels}{"]" * levels}}}'


@pytest.mark.parametrize("levels", [300, 900])
def test_records_that_nest_deeply_are_no_trouble(
    levels: int, source: Source, discover: Callable[..., Proposed]
) -> None:
    text = f"[{nested(levels)}, {nested(levels).replace('1', '2', 1)}]"
    source.answer = lambda _: Response(text, media_type="application/json")
    proposed = discover(f"{source.url}/things")

    assert proposed.run.exit_code in (0, 1), proposed.run.err
    assert "error[bug]" not in proposed.run.err


def test_records_of_very_many_fields_and_very_long_texts_take_no_long_time(
    source: Source, discover: Callable[..., Proposed]
) -> None:
    wide = {f"field_{i}": i for i in range(3_000)}
    source.answer = lambda _: [{"id": i, "text": "a@" + "a" * 500_000, **wide} for i in range(3)]
    proposed = discover(f"{source.url}/things", "--requests", "3")

    assert len(proposed.resource["properties"]) == 250
    assert proposed.resource["left_out"][-1]["name"] == "2752 fields"


def test_a_source_that_is_not_there_is_an_error(discover: Callable[..., Proposed]) -> None:
    proposed = discover("http://127.0.0.1:9/things")

    assert proposed.run.exit_code == 3


def test_a_redirect_within_the_source_is_followed(source: Source, discover: Callable[..., Proposed]) -> None:
    source.answer = lambda asked: RedirectResponse("/new/things") if asked.path == "/things" else HELD
    assert discover(f"{source.url}/things").resource["records"] == len(HELD)


def test_odd_names_and_mixed_values_come_into_the_catalog_untouched(
    source: Source, discover: Callable[..., Proposed], in_port: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    odd = [
        {
            "my id": f"a {i}#",
            'it\'s "q"': i,
            "a.b": {"c": i},
            "😀": "smile",
            "😀😀": "twice",
            "${HOME}": "{{ x }}",
            "mixed": [1, "one", {"n": 1}, None, [1]][i % 5],
            "# not: a comment": "line\nbreak",
            "": "nameless",
            "big": 2**60 + i,
        }
        for i in range(12)
    ]
    source.answer = lambda _: {"it's. ${odd}": {"😀 list": odd}}
    entities = in_port(discover(f"{source.url}/oddities"), "oddity")

    assert sorted(entities) == sorted(f"a_{i}_" for i in range(12))
    properties = entities["a_1_"]["properties"]
    assert properties["it_s_q"] == 1
    assert properties["a_b"] == {"c": 1}
    assert properties["mixed"] == "one"
    assert entities["a_2_"]["properties"]["mixed"] == '{"n":1}'
    assert {"smile", "twice", "nameless", "{{ x }}", "line\nbreak"} <= {
        value for value in properties.values() if isinstance(value, str)
    }


def test_nothing_of_the_source_can_be_more_than_a_comment_or_a_text_in_the_mapping(
    source: Source, discover: Callable[..., Proposed]
) -> None:
    hostile = "x\nresources: []\n# \u2028\x1b[31m"
    source.answer = lambda _: {
        hostile: [{"id": i, hostile: hostile, f"{hostile} none": None} for i in range(3)],
        "other\nsource: {}": [{}],
    }
    proposed = discover(f"{source.url}/things")

    loaded = load(proposed.mapping, {})
    assert [resource.kind for resource in loaded.file.resources] == ["/things"]
    assert "\x1b" not in proposed.mapping.read_text(encoding="utf-8")


def test_secrets_are_neither_shown_nor_written(source: Source, discover: Callable[..., Proposed]) -> None:
    secret = "sEcReT-8471"
    source.answer = lambda asked: [
        {
            "id": i,
            "token": secret,
            "echo": dict(asked.headers).get("authorization", ""),
            "note": f"uses {secret}",
            "kind": (secret, "other")[i % 2],
        }
        for i in range(40)
    ]
    proposed = discover(f"{source.url}/things", "--auth-env", "KEY", env={"KEY": secret})

    files = [path for path in proposed.folder.rglob("*") if path.is_file()]
    assert len(files) == 3
    said = "".join(path.read_text(encoding="utf-8") for path in files) + proposed.run.out + proposed.run.err
    assert secret not in said
    assert "${KEY}" in proposed.mapping.read_text(encoding="utf-8")
    assert source.asked[0].headers["authorization"] == f"Bearer {secret}"


@pytest.mark.parametrize(
    ("url", "options", "auth"),
    [
        ("/things?api_key=sEcReT-8471&x=1", (), {"type": "api_key", "query": "api_key", "key": "${API_KEY}"}),
        ("/things", ("--header", "X-Api-Key: sEcReT-8471"), None),
    ],
)
def test_a_secret_on_the_command_line_becomes_a_variable(
    url: str, options: tuple[str, ...], auth: Any, source: Source, discover: Callable[..., Proposed]
) -> None:
    source.answer = lambda _: HELD
    proposed = discover(source.url + url, *options)

    text = proposed.mapping.read_text(encoding="utf-8")
    assert "sEcReT-8471" not in text + proposed.run.out + proposed.run.err
    assert proposed.written()["source"].get("auth") == auth
    assert "sEcReT-8471" in json.dumps([source.asked[0].query, dict(source.asked[0].headers)])
    if auth is None:
        assert proposed.written()["source"]["headers"] == {"X-Api-Key": "${X_API_KEY}"}
    else:
        assert proposed.written()["resources"][0]["kind"] == "/things?x=1"


@pytest.mark.parametrize(
    ("what", "options", "said"),
    [
        ("ftp://a.example/x", (), "neither a URL nor a file"),
        ("https://user:pw@a.example/x", (), "holds credentials"),
        ("nowhere.yaml", (), "neither a URL nor a file"),
        ("https://a.example/x", ("--auth-env", "sk-1234!"), "not a credential"),
        ("https://a.example/x", ("--auth-env", "A", "--auth-as", "magic"), "no way to carry credentials"),
        ("https://a.example/x", ("--header", "nonsense"), "not of the form"),
        ("https://a.example/x", ("--auth-env", "UNSET_NAME"), "`UNSET_NAME` is not set"),
        ("https://a.example/x", ("--body", "{"), "--body is not JSON"),
    ],
)
def test_an_order_that_cannot_be_is_refused_before_anything_is_sent(
    what: str, options: tuple[str, ...], said: str, portsync: Callable[..., Run]
) -> None:
    run = portsync("discover", None, what, *options)

    assert run.exit_code == 2
    assert said in run.err
    assert "sk-1234" not in run.err


def test_files_are_not_replaced_unless_that_is_said(source: Source, discover: Callable[..., Proposed]) -> None:
    source.answer = lambda _: HELD
    first = discover(f"{source.url}/things")
    first.mapping.write_text("# mine", encoding="utf-8")

    assert (again := discover(f"{source.url}/things").run).exit_code == 2
    assert "error[file-exists]" in again.err
    assert first.mapping.read_text(encoding="utf-8") == "# mine"
    assert discover(f"{source.url}/things", "--force").run.exit_code == 0
    assert first.mapping.read_text(encoding="utf-8") != "# mine"


def test_nothing_is_written_without_out(source: Source, portsync: Callable[..., Run], tmp_path: Path) -> None:
    source.answer = lambda _: HELD
    run = portsync("discover", None, f"{source.url}/things")

    assert run.exit_code == 0
    assert list(tmp_path.iterdir()) == []
    assert "identifier" in run.out
    assert "requests sent" in run.out


def test_a_mapping_gives_its_source_and_its_resources(
    source: Source,
    discover: Callable[..., Proposed],
    mapping: Callable[..., str],
    tmp_path: Path,
    local_port: LocalPort,
) -> None:
    del local_port
    source.answer = lambda _: {"data": HELD}
    file = tmp_path / "mine.yaml"
    file.write_text(mapping(), encoding="utf-8")
    proposed = discover(str(file), env={"SRC_TOKEN": "source-token"})

    assert proposed.resource["kind"] == "/things"
    assert proposed.resource["data_path"]["value"] == ".data"
    assert source.asked[0].headers["authorization"] == "Bearer source-token"
    assert proposed.written()["source"]["auth"] == {"type": "bearer", "token": "${SRC_TOKEN}"}


def test_a_mapping_of_a_source_alone_says_how_a_url_is_asked(
    source: Source, discover: Callable[..., Proposed], tmp_path: Path
) -> None:
    source.answer = lambda _: HELD
    file = tmp_path / "source.yaml"
    file.write_text(f"source: {{base_url: {source.url}, headers: {{x-team: a}}}}\n", encoding="utf-8")

    assert discover(f"{source.url}/things", "--mapping", str(file)).run.exit_code == 0
    assert source.asked[0].headers["x-team"] == "a"
    refused = discover("https://elsewhere.example/things", "--mapping", str(file)).run
    assert refused.exit_code == 2
    assert "not below the base URL" in refused.err


def test_settings_of_the_environment_are_used_and_not_written(
    source: Source, discover: Callable[..., Proposed]
) -> None:
    source.answer = lambda _: HELD
    env = {
        "PORTSYNC_SOURCE_BASE_URL": source.url,
        "PORTSYNC_SOURCE_AUTH": json.dumps({"type": "bearer", "token": "env-token-1"}),
    }
    proposed = discover("/things", env=env)

    assert proposed.run.exit_code == 0, proposed.run.err
    assert source.asked[0].headers["authorization"] == "Bearer env-token-1"
    assert proposed.written()["source"] == {"base_url": source.url}
