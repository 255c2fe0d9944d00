"""Secrets in what others say: found however it is escaped, wherever it was cut."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.excerpts import CUT
from portsync.logs import Redactor
from portsync.settings import read_settings

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
