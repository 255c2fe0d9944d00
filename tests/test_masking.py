"""What others may see: no secrets, nothing overlong, and nothing that cannot be written as JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.excerpts import CUT
from portsync.logs import Redactor
from portsync.masking import Masking, is_secret_name

USUAL = Masking(Redactor(["s3cr3t-value"]))
NAMES = st.sampled_from(["password", "clientSecret", "API_KEY", "nested", "a", "tokens"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "name",
    [
        "password", "Password", "userPassword", "db_password", "passwd", "secret", "client_secret", "clientSecret",
        "token", "access_token", "accessToken", "x-auth-token", "api_key", "apiKey", "APIKey", "X-Api-Key", "apikey",
        "private_key", "AWS_SECRET_ACCESS_KEY", "authorization", "Authorization", "auth", "set-cookie", "credentials",
        "password_hash", "secret.value", "Ocp-Apim-Subscription-Key", "webhook-signature", "pat", "jwt",
    ],
)  # fmt: skip
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "key", "keys", "issue_key", "api_key_id", "apiKeyId", "partial_key_hint", "token_type", "author", "authored_by",
        "public_key", "session_id", "passenger", "path", "compat", "tokenizer", "secretary", "", "123", "value",
        "secret_name", "monkey",
    ],
)  # fmt: skip
def test_names_of_harmless_things_are_left_alone(name: str) -> None:
    assert not is_secret_name(name)


def test_texts_under_the_name_of_a_secret_are_masked_and_numbers_are_not() -> None:
    record = {
        "password": "hunter2",
        "auth": {"user": "ada", "scopes": ["read"], "tries": 3},
        "tokens": ["abc", "def"],
        "input_tokens": 1200,
        "token": None,
        "secret": "",
        "name": "Ada",
    }

    assert USUAL.of(record) == {
        "password": "***",
        "auth": {"user": "***", "scopes": ["***"], "tries": 3},
        "tokens": ["***", "***"],
        "input_tokens": 1200,
        "token": None,
        "secret": "",
        "name": "Ada",
    }


def test_secrets_that_are_known_are_masked_wherever_they_stand_also_where_they_are_cut() -> None:
    masking = Masking(USUAL.redactor, longest_text=20)

    shown = masking.of({"a s3cr3t-value": ["x s3cr3t-value y"], "cut": "0123456789 s3cr3t-value"})

    assert shown == {"a ***": ["x *** y"], "cut": f"0123456789 ***{CUT}"}


def test_what_is_too_long_is_cut_and_what_is_too_deep_is_left_out() -> None:
    deep: Any = "end"
    for _ in range(500):
        deep = [deep]

    assert Masking(Redactor(), longest_text=3, longest_list=2).of({"t": "abcd", "l": [1, 2, 3]}) == {
        "t": f"abc{CUT}",
        "l": [1, 2],
    }
    assert orjson.dumps(USUAL.of(deep)).decode().count("[") < 60


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2**64 - 1, 2**64 - 1),
        (2**64, CUT),
        (-(10**5000), CUT),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        ({200: "skip"}, {"200": "skip"}),
        ("half \ud800", "half ?"),
        (b"x", CUT),
        (True, True),
    ],
    ids=["largest", "larger", "smaller", "date", "time", "number as key", "surrogate", "bytes", "boolean"],
)
def test_values_of_yaml_that_json_does_not_know_can_be_written(value: Any, shown: Any) -> None:
    assert USUAL.of(value) == shown
    orjson.dumps(USUAL.of(value))


@settings(deadline=None)
@given(JSON, st.integers(0, 5))
def test_anything_can_be_written_and_says_no_secret(value: Any, at: int) -> None:
    record = {"value": value, "password": f"hunter2{at}", "deep": [{"api_key": [{"x": f"hunter2{at}"}]}]}

    text = orjson.dumps(USUAL.of(record)).decode()

    assert "hunter2" not in text
