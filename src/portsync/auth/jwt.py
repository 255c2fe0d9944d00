"""Tokens that we sign ourselves (JSON Web Tokens, RFC 7519)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal

import httpx
from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from portsync.auth.base import Auth, AuthSection, AuthTools, JsonObject
from portsync.auth.fetched import fresh_until
from portsync.auth.headers import HeaderName, Scheme
from portsync.auth.secret import text_of

if TYPE_CHECKING:
    from collections.abc import Generator

Algorithm = Literal[
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES256K",
    "ES384",
    "ES512",
    "EdDSA",
]
KeyForm = Literal["text", "base64", "hex"]


def _whole(key: SecretStr) -> SecretStr:
    r"""The key without the line break at the end of its file; one of several lines may have come from a variable in
    which they are written `\n`."""
    text = key.get_secret_value().strip()
    return SecretStr(text.replace("\\n", "\n") if text.startswith("-----BEGIN") else text)


Key = Annotated[SecretStr, AfterValidator(_whole)]
Lifetime = Annotated[float, Field(gt=0)]


class Assertion(AuthSection):
    """The signed claims that a token endpoint takes in place of a secret (RFC 7523)."""

    algorithm: Algorithm
    """How it is signed."""
    key: Key
    """The shared secret of HS*, or the private key in PEM form."""
    key_form: KeyForm = "text"
    """How the bytes of a shared secret are written."""
    claims: JsonObject = Field(default_factory=dict)
    """What it says; `iat`, `exp` and, where it is missing, `aud` (the token endpoint) are added."""
    headers: dict[str, str] = Field(default_factory=dict)
    """More fields of its header, such as `kid`."""
    lifetime: Lifetime = 300
    """Seconds from `iat` to `exp`."""

    @model_validator(mode="after")
    def can_sign(self) -> Assertion:
        check_signing(self)
        return self


class JwtAuth(Auth):
    """A token that we sign ourselves, and sign anew before it ends."""

    type: Literal["jwt"]
    """Which way of signing requests this is."""
    algorithm: Algorithm
    """HS* sign with a shared secret, the others with a private key; they need the extra `portsync[jwt]`."""
    key: Key
    """The shared secret, or the private key in PEM form; `${file:/run/secrets/key}` takes it from a file."""
    key_form: KeyForm = "text"
    """How the bytes of a shared secret are written."""
    claims: JsonObject = Field(default_factory=dict)
    """What the token says, such as `iss`; `iat` and `exp` are added."""
    headers: dict[str, str] = Field(default_factory=dict)
    """More fields of the token's header, such as `kid`."""
    lifetime: Lifetime = 300
    """Seconds from `iat` to `exp`."""
    leeway: Annotated[float, Field(ge=0)] = 60
    """So many seconds before its end a token is replaced."""
    header: HeaderName = "Authorization"
    """The request's header that carries the token."""
    scheme: Scheme = "Bearer"
    """What stands before the token in it; may be empty."""

    @model_validator(mode="after")
    def can_sign(self) -> JwtAuth:
        check_signing(self)
        return self

    def build(self, tools: AuthTools) -> httpx.Auth:
        return SigningAuth(self, tools)

    def secrets(self) -> tuple[str, ...]:
        return (text_of(self.key),)


class SigningAuth(httpx.Auth):
    """Signs a token when the first request needs one, and again before it ends."""

    def __init__(self, config: JwtAuth, tools: AuthTools) -> None:
        self._config = config
        self._tools = tools
        self._token = ""
        self._fresh_until = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        config = self._config
        now = self._tools.clock()
        if not self._token or now >= self._fresh_until:
            self._token = signed(config, now)
            self._fresh_until = fresh_until(now, config.lifetime, config.leeway)
            self._tools.learned(self._token)
        request.headers[config.header] = f"{config.scheme} {self._token}".strip()
        yield request


def signed(config: JwtAuth | Assertion, now: float, audience: str | None = None) -> str:
    """The token as of now, in epoch seconds; `audience` is for claims without `aud`."""
    from portsync.auth.signing import signed as sign  # noqa: PLC0415 - few mappings sign anything, and it takes long

    return sign(config, now, audience)


def check_signing(config: JwtAuth | Assertion) -> None:
    """Sign once, so that a key which cannot be used is found with the other problems. Raises PydanticCustomError."""
    is_shared = config.algorithm.startswith("HS")
    if not is_shared and find_spec("cryptography") is None:
        message, hint = "`{algorithm}` needs the package `cryptography`", "pip install 'portsync[jwt]'"
        raise PydanticCustomError("key", message, {"algorithm": config.algorithm, "hint": hint})
    from portsync.auth.signing import SigningError  # noqa: PLC0415 - as above

    try:
        signed(config, 0.0)
    except SigningError:
        hint = "it takes a shared secret, in the form that `key_form` says"
        hint = hint if is_shared else "it takes a private key in PEM form, without a passphrase"
        message = "`key` cannot sign these claims with {algorithm}"
        raise PydanticCustomError("key", message, {"algorithm": config.algorithm, "hint": hint}) from None
