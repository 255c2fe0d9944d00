"""Secrets in what others say: found however it is escaped, wherever it was cut."""

from __future__ import annotations

import asyncio
import gc
import html
import json
import logging
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portsync.excerpts import CUT
from portsync.logs import OfLibraries, Redactor, configure_logs
from portsync.settings import read_settings
from tests.conftest import TOKEN

SECRETS = st.from_regex(r"[A-Za-z0-9]{4}[!-~]{4,40}", fullmatch=True)
ESCAPES = [
    str,
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text)),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    html.escape,
]
PACKED = [b64encode, urlsafe_b64encode]


@settings(deadline=None)
@example("0000000\\", [ESCAPES[-3], ESCAPES[-6]])
@given(SECRETS, st.lists(st.sampled_from(ESCAPES), min_size=1, max_size=3))
def test_a_secret_is_found_however_often_it_was_escaped(secret: str, escapes: list[object]) -> None:
    said = secret
    for escape in escapes:
        assert callable(escape)
        said = escape(said)
    assert Redactor([secret]).clean(f"a [{said}] z") == "a [***] z"


@settings(deadline=None)
@given(SECRETS, st.binary(max_size=9), st.binary(max_size=9), st.sampled_from(PACKED))
def test_a_secret_is_found_in_base64_of_a_longer_text(secret: str, before: bytes, after: bytes, packed: object) -> None:
    assert callable(packed)
    said = packed(before + secret.encode() + after).decode()
    assert len(Redactor([secret]).clean(said)) <= len(said) - len(secret) + len("***")


@settings(deadline=None)
@given(SECRETS, st.sampled_from(ESCAPES), st.integers(6, 200), st.sampled_from([CUT, "..."]))
def test_of_a_secret_that_was_cut_the_beginning_is_found(secret: str, escape: object, length: int, mark: str) -> None:
    assert callable(escape)
    said = escape(secret)[:length]
    shown = Redactor([secret]).clean(f"a [{said}{mark} z")
    assert shown == f"a [***{mark} z"


@pytest.mark.parametrize("secret", ["abc", "", "x"])
def test_what_is_too_short_for_a_secret_is_left_alone(secret: str) -> None:
    assert Redactor([secret]).clean("x abc x") == "x abc x"


def test_secrets_are_found_deep_within_an_event() -> None:
    event = {"reasons": ("start", {"a": ["hush-hush"]}), "hush-hush": 1, "n": 2, "error": ValueError("hush-hush")}
    shown = Redactor(["hush-hush"]).process(None, "info", event)
    assert shown == {"reasons": ["start", {"a": ["***"]}], "***": 1, "n": 2, "error": "***"}


@pytest.mark.parametrize(
    "state",
    ["postgresql://u:hush%2Fhush@h/db", "postgresql://h/db?user=u&password=hush%2Fhush", "postgresql://u:hush/hush@h"],
)
def test_the_password_of_a_state_is_a_secret(state: str) -> None:
    assert "hush/hush" in read_settings({"PORTSYNC_STATE": state}).secrets()


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logging_on(capsys: pytest.CaptureFixture[str]) -> Callable[..., Lines]:
    """Begin to log, with a redactor that knows a secret; gives what tells the lines so far. Not before the test begins,
    because pytest takes away handlers that come before."""

    def begin(level: str = "WARNING") -> Lines:
        configure_logs(form="json", level=level, redactor=Redactor([TOKEN]))
        return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return begin


def _line(event: str, library: str, message: str) -> dict[str, str]:
    return {"event": event, "library": library, "message": message, "level": "warning" if "warn" in event else "error"}


@pytest.mark.parametrize("library", ["uvicorn.error", "sqlalchemy.engine", "httpx", "asyncio"])
def test_what_libraries_log_goes_the_same_way_less_the_secrets(library: str, logging_on: Callable[..., Lines]) -> None:
    shown = logging_on()
    logging.getLogger(library).info("of no interest: %s", TOKEN)
    logging.getLogger(library).warning("no answer from %s", f"https://x?key={TOKEN}")
    logging.getLogger(library).critical(TOKEN)

    found = shown()

    assert [{key: value for key, value in line.items() if key != "timestamp"} for line in found] == [
        _line("library.warned", library, "no answer from https://x?key=***"),
        _line("library.failed", library, "***"),
    ]


def test_an_exception_that_a_library_logs_is_shown_less_the_secrets(
    logging_on: Callable[..., Lines],
) -> None:
    shown = logging_on()
    try:
        int(TOKEN)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("in an application")

    (line,) = shown()
    assert line["message"].startswith("in an application\nTraceback")
    assert line["message"].endswith("ValueError: invalid literal for int() with base 10: '***'")


def test_a_message_whose_arguments_do_not_fit_is_shown_without_them(logging_on: Callable[..., Lines]) -> None:
    shown = logging_on()
    OfLibraries().handle(logging.LogRecord("httpx", logging.WARNING, "x.py", 1, "two: %s %s", (TOKEN,), None))

    assert [line["message"] for line in shown()] == ["two: %s %s"]


def test_who_logs_may_say_with_false_that_there_is_no_exception(logging_on: Callable[..., Lines]) -> None:
    shown = logging_on()
    logging.getLogger("asyncio").error("a task was destroyed", exc_info=False)

    assert [line["message"] for line in shown()] == ["a task was destroyed"]


def test_libraries_are_heard_once_however_often_logs_are_configured(
    logging_on: Callable[..., Lines],
) -> None:
    logging_on()
    shown = logging_on("ERROR")
    logging.getLogger("httpx").warning("not at this level")
    logging.getLogger("httpx").error("once")

    assert [line["message"] for line in shown()] == ["once"]


def test_a_task_that_nobody_asked_for_its_error_says_it_less_the_secrets(
    logging_on: Callable[..., Lines],
) -> None:
    async def failing() -> None:
        raise ConnectionError(TOKEN)

    async def main() -> None:
        task = asyncio.create_task(failing())
        await asyncio.wait({task})
        del task
        gc.collect()

    shown = logging_on()
    asyncio.run(main())

    (line,) = shown()
    assert line["library"] == "asyncio"
    assert "ConnectionError: ***" in line["message"]
