"""Signatures, in the forms that senders have."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import Any

import pytest

from portsync.mapping.live import Signature
from portsync.serve.signature import is_signed

SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
AT = 1_795_348_800


def a_signature(**parts: Any) -> Signature:
    return Signature.model_validate({"header": "X-Sig", "secret": SECRET, **parts})


def of(algorithm: str, text: bytes) -> bytes:
    return hmac.new(SECRET.encode(), text, algorithm).digest()


def test_the_example_of_githubs_documentation_is_right() -> None:
    """docs.github.com, validating webhook deliveries."""
    given = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_signed(a_signature(prefix="sha256="), {"x-sig": given}, BODY, AT)
    assert is_signed(a_signature(prefix="sha256="), {"x-sig": given.upper().replace("SHA", "sha")}, BODY, AT)
    assert not is_signed(a_signature(prefix="sha256="), {"x-sig": given}, BODY + b" ", AT)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_only_the_named_algorithm_and_form_are_right(algorithm: str, encoding: str) -> None:
    signature = a_signature(algorithm=algorithm, encoding=encoding)
    for other in ("sha1", "sha256"):
        digest = of(other, BODY)
        for form, text in (("hex", digest.hex()), ("base64", b64encode(digest).decode())):
            assert is_signed(signature, {"x-sig": text}, BODY, AT) == ((other, form) == (algorithm, encoding))


def test_a_plain_secret_is_compared_as_a_whole() -> None:
    signature = a_signature(algorithm="plain", prefix="Token ")
    assert is_signed(signature, {"x-sig": f"Token {SECRET}"}, BODY, AT)
    for wrong in (SECRET, f"Token {SECRET}x", f"Token {SECRET[:-1]}", "Token ", "", f"x,Token {SECRET}"):
        assert not is_signed(signature, {"x-sig": wrong}, BODY, AT)
    assert not is_signed(signature, {}, BODY, AT)


def stripe(at: str, body: bytes = BODY, secret: str = SECRET) -> str:
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={'0' * 64},v1={digest},v0=abc"


@pytest.mark.parametrize(
    ("given", "is_right"),
    [
        (stripe(str(AT)), True),
        (stripe(str(AT - 300)), True),
        (stripe(str(AT + 300)), True),
        (stripe(str(AT - 301)), False),
        (stripe(str(AT + 301)), False),
        (stripe(str(AT - 1000)).replace(str(AT - 1000), str(AT)), False),
        (stripe("nan"), False),
        (stripe(""), False),
        (stripe("1e9"), False),
        (stripe(str(AT), secret="another-one"), False),
        (stripe(str(AT)).partition(",")[2], False),
    ],
)
def test_a_time_that_is_signed_along_has_to_be_near(given: str, is_right: bool) -> None:
    signature = a_signature(prefix="v1=", timestamp_header="X-Sig", timestamp_prefix="t=")
    assert is_signed(signature, {"x-sig": given}, BODY, AT) is is_right


def test_slack_signs_a_version_too() -> None:
    signature = a_signature(prefix="v0=", timestamp_header="X-Time", signed="v0:{timestamp}:{body}")
    given = "v0=" + of("sha256", b"v0:%d:%s" % (AT, BODY)).hex()
    assert is_signed(signature, {"x-sig": given, "x-time": str(AT)}, BODY, AT)
    assert not is_signed(signature, {"x-sig": given, "x-time": str(AT + 1)}, BODY, AT)
