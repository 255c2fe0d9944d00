"""Tokens that portsync signs itself: what is in them, when they are signed anew, and keys that cannot sign."""

from __future__ import annotations

import base64
import sys
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import ValidationError

from portsync.flow import RequestSpec
from tests.auth.conftest import auth_of
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jwt.types import Options

    from tests.auth.conftest import Api, Session
    from tests.conftest import Run

SECRET = "a shared secret of thirty-two by"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
UNKNOWN_CURVE = """-----BEGIN PRIVATE KEY-----
MHkCAQAwEAYHKoZIzj0CAQYFK4EEACAEYjBgAgEBBB0AxLFHABA8FPSR6cuRSvRW
oQ1/to7RwVaf8OL3FaE8AzoABO+HCjChFwvM/q1SjXx0JNUtJzibJxsKqnOTC1Oa
Q4XbgiQxyVthgabS8TPQtFhcTDVz4td2xjQB
-----END PRIVATE KEY-----"""
"""On secp224k1, which `cryptography` does not know; made for this test."""
ED = ed25519.Ed25519PrivateKey.generate()


LENIENT: Options = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
"""The tests have a time of their own."""


def pem(key: Any, encryption: KeySerializationEncryption | None = None) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return text.decode()


def public_pem(key: Any) -> str:
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def shared(**more: Any) -> dict[str, Any]:
    return {"type": "jwt", "algorithm": "HS256", "key": SECRET, **more}


def read(token: str, key: Any = SECRET, algorithm: str = "HS256") -> dict[str, Any]:
    """The token's header and payload, its signature checked."""
    return dict(jwt.decode_complete(token, key, [algorithm], options=LENIENT))


def test_a_request_carries_a_signed_token(api: Api, send: Callable[..., Any]) -> None:
    send(shared(claims={"iss": 12345, "aud": ["a", "b"], "admin": True}, headers={"kid": "key-1"}, lifetime=600))

    scheme, token = api.data_requests[0].credentials.split()
    assert scheme == "Bearer"
    assert read(token)["header"] == {"alg": "HS256", "typ": "JWT", "kid": "key-1"}
    claims = {"iss": "12345", "aud": ["a", "b"], "admin": True, "iat": int(NOW), "exp": int(NOW) + 600}
    assert read(token)["payload"] == claims


def test_the_claims_of_the_user_win(api: Api, send: Callable[..., Any]) -> None:
    send(shared(claims={"iat": 5, "exp": 6}))

    assert read(api.data_requests[0].credentials.split()[1])["payload"] == {"iat": 5, "exp": 6}


@pytest.mark.parametrize(
    ("more", "header", "before"),
    [({"header": "X-Token", "scheme": ""}, "x-token", ""), ({"scheme": "JWT"}, "authorization", "JWT ")],
)
def test_header_and_scheme_can_be_chosen(
    more: dict[str, Any], header: str, before: str, api: Api, send: Callable[..., Any]
) -> None:
    send(shared(**more))

    value = api.data_requests[0].headers[header]
    assert value.startswith(before)
    assert read(value.removeprefix(before))


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("RS256", RSA), ("PS512", RSA), ("ES256", EC), ("EdDSA", ED)],
)
def test_private_keys_sign_too(algorithm: str, key: Any, api: Api, send: Callable[..., Any]) -> None:
    send({"type": "jwt", "algorithm": algorithm, "key": pem(key)})

    token = api.data_requests[0].credentials.split()[1]
    assert read(token, public_pem(key), algorithm)["payload"]["iat"] == int(NOW)


@pytest.mark.parametrize(
    "key", [pem(EC), pem(EC) + "\n\n", pem(EC).replace("\n", "\\n")], ids=["file", "lines", "text"]
)
def test_a_key_may_come_from_a_file_or_a_variable(key: str, api: Api, send: Callable[..., Any]) -> None:
    send({"type": "jwt", "algorithm": "ES256", "key": key})

    assert read(api.data_requests[0].credentials.split()[1], public_pem(EC), "ES256")


@pytest.mark.parametrize(
    ("key", "key_form"),
    [
        (SECRET + "\n", "text"),
        (SECRET.encode().hex(), "hex"),
        (base64.b64encode(SECRET.encode()).decode(), "base64"),
        (base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="), "base64"),
    ],
)
def test_a_shared_secret_may_be_written_in_three_ways(
    key: str, key_form: str, api: Api, send: Callable[..., Any]
) -> None:
    send(shared(key=key, key_form=key_form))

    assert read(api.data_requests[0].credentials.split()[1])


@pytest.mark.parametrize(
    ("lifetime", "leeway", "ages", "signed"),
    [
        (300, 60, [0, 239, 1], [0, 0, 240]),
        (300, 10, [0, 289, 1], [0, 0, 290]),
        (60, 60, [0, 29, 1], [0, 0, 30]),
    ],
)
def test_a_token_is_signed_anew_before_it_ends(
    lifetime: int, leeway: int, ages: list[int], signed: list[int], api: Api, play: Callable[..., Any]
) -> None:
    async def act(session: Session) -> list[str]:
        for age in ages:
            session.clock.now += age
            await session.send(RequestSpec("GET", f"{api.url}/things"))
        return session.learned

    learned = play(shared(lifetime=lifetime, leeway=leeway), act)

    tokens = [asked.credentials.split()[1] for asked in api.data_requests]
    assert [read(token)["payload"]["iat"] - int(NOW) for token in tokens] == signed
    assert learned == list(dict.fromkeys(tokens))


def test_a_short_secret_is_the_servers_choice_and_no_warning(send: Callable[..., Any]) -> None:
    assert send(shared(key="short")).status == 200


@pytest.mark.parametrize(
    ("algorithm", "key", "key_form"),
    [
        ("RS256", "junk", "text"),
        ("RS256", public_pem(RSA), "text"),
        ("RS256", pem(RSA, BestAvailableEncryption(b"pass")), "text"),
        ("RS256", pem(EC), "text"),
        ("ES256", pem(RSA), "text"),
        ("ES384", pem(EC), "text"),
        ("EdDSA", pem(EC), "text"),
        ("HS256", pem(RSA), "text"),
        ("HS256", "", "text"),
        ("HS256", "xyz", "hex"),
        ("HS256", "a!!!", "base64"),
        ("ES256", UNKNOWN_CURVE, "text"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_and_not_shown(algorithm: str, key: str, key_form: str) -> None:
    with pytest.raises(ValidationError) as caught:
        auth_of({"type": "jwt", "algorithm": algorithm, "key": key, "key_form": key_form})

    (error,) = caught.value.errors()
    assert f"cannot sign these claims with {algorithm}" in error["msg"]
    assert not key or key not in str(caught.value)


def test_without_the_extra_a_private_key_is_refused_with_the_command_that_installs_it(
    portsync: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    (tmp_path / "key.pem").write_text(pem(EC))
    mapping = f"""
source:
  base_url: https://api.example.com
  auth: {{type: jwt, algorithm: ES256, key: "${{file:{tmp_path / "key.pem"}}}"}}
resources:
  - kind: /things
    port: {{entity: {{mappings: {{identifier: .id, blueprint: '"thing"'}}}}}}
"""

    run = portsync("check", mapping)

    assert run.exit_code == 2
    assert "`ES256` needs the package `cryptography`" in run.err
    assert "pip install 'portsync[jwt]'" in run.err


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"algorithm": "none"}, "HS256"),
        ({"lifetime": 0}, "greater than 0"),
        ({"header": "a b"}, "cannot be the name"),
        ({"scheme": "a b"}, "match pattern"),
        ({"claims": {"n": float("inf")}}, "no number"),
        ({"headers": {"kid": 5}}, "valid string"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        auth_of(shared(**changes))
