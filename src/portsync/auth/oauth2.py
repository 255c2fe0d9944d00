"""OAuth 2 (RFC 6749): tokens from a token endpoint, by any grant that needs nobody at a browser."""

from __future__ import annotations

import math
from base64 import b64encode
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote, urlencode

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from portsync.auth.answers import json_of, keys_of, without
from portsync.auth.base import Auth, AuthTools, Endpoint, absolute
from portsync.auth.fetched import Credentials, FetchedAuth, fresh_until
from portsync.auth.headers import Headers, is_sendable, with_header
from portsync.auth.jwt import Assertion, signed
from portsync.auth.secret import Secret, secrets_in, text_of

if TYPE_CHECKING:
    from portsync.flow import Json

_NEEDED = {
    "client_credentials": ("client_id", "client_secret"),
    "refresh_token": ("refresh_token",),
    "password": ("username", "password"),
    "jwt_bearer": ("assertion",),
}
_GRANT_TYPES = {"jwt_bearer": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
"""As the endpoint is told of them, where that is another name than ours (RFC 7523, 4)."""


class OAuth2Auth(Auth):
    """`Authorization: Bearer <token>`, with a token that is fetched, and fetched anew before it ends."""

    type: Literal["oauth2"]
    """Which way of signing requests this is."""
    token_url: Endpoint
    """The token endpoint: a path that is joined to `base_url`, or a full URL."""
    grant: Literal["client_credentials", "refresh_token", "password", "jwt_bearer"] = "client_credentials"
    """What is shown for the token."""
    client_id: Annotated[str | None, Field(min_length=1)] = None
    """The client; `client_credentials` needs it."""
    client_secret: Secret | None = None
    """Its secret; `client_credentials` needs it."""
    refresh_token: Secret | None = None
    """The first one; where the server gives a new one with an answer, that is used from then on."""
    username: str | None = None
    """For `grant: password`."""
    password: SecretStr | None = None
    """For `grant: password`."""
    assertion: Assertion | None = None
    """The signed claims of `grant: jwt_bearer`."""
    scopes: str | list[str] = ""
    """A list, or a text with spaces between them."""
    audience: str | None = None
    """Whom the token is for; some servers ask for it."""
    params: dict[str, str | list[str]] = Field(default_factory=dict)
    """More fields of the form. They replace our own of the same name, `grant_type` included."""
    headers: Headers = Field(default_factory=dict)
    """Of the token's request."""
    client_auth: Literal["basic", "body"] = "basic"
    """Whether id and secret go into an `Authorization: Basic` header or into the form."""
    leeway: Annotated[float, Field(ge=0)] = 60
    """So many seconds before its end a token is replaced."""
    default_life: Annotated[float, Field(gt=0)] = 3600
    """Seconds that a token lives whose answer does not say."""

    @field_validator("scopes")
    @classmethod
    def _joined(cls, scopes: str | list[str]) -> str:
        return scopes if isinstance(scopes, str) else " ".join(scopes)

    @model_validator(mode="after")
    def fits_grant(self) -> OAuth2Auth:
        missing = [name for name in _NEEDED[self.grant] if getattr(self, name) is None]
        if self.client_secret is not None and self.client_id is None:
            missing.append("client_id")
        if missing:
            names = " and ".join(f"`{name}`" for name in missing)
            raise PydanticCustomError("grant", f"`grant: {self.grant}` needs {names}")
        for grant in ("refresh_token", "jwt_bearer"):
            (name,) = _NEEDED[grant]
            if getattr(self, name) is not None and self.grant != grant:
                raise PydanticCustomError("grant", f"`{name}` goes with `grant: {grant}`")
        return self

    def build(self, tools: AuthTools) -> httpx.Auth:
        if self.grant == "refresh_token":
            tools.store.check()
        return FetchedAuth(OAuth2Call(self, tools), tools.clock, tools.elsewhere)

    def secrets(self) -> tuple[str, ...]:
        own = [text_of(secret) for secret in (self.client_secret, self.refresh_token, self.password)]
        if self.client_secret is not None:
            own.append(self.basic_pair())
        if self.assertion is not None:
            own.append(text_of(self.assertion.key))
        return (*filter(None, own), *secrets_in(self.params), *secrets_in(self.headers))

    def urls(self, base_url: str) -> tuple[str, ...]:
        return (absolute(self.token_url, base_url),)

    def basic_pair(self) -> str:
        """Id and secret as the Basic header holds them, percent-encoded first (RFC 6749, 2.3.1)."""
        pair = f"{quote(self.client_id or '', safe='')}:{quote(text_of(self.client_secret), safe='')}"
        return b64encode(pair.encode()).decode()


class OAuth2Call:
    """The token endpoint's request and answer."""

    def __init__(self, config: OAuth2Auth, tools: AuthTools) -> None:
        self._config = config
        self._tools = tools
        (self._url,) = config.urls(tools.base_url)

    def request(self) -> httpx.Request:
        config = self._config
        headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
        form = {
            "grant_type": _GRANT_TYPES.get(config.grant, config.grant),
            "scope": str(config.scopes),
            "audience": config.audience,
            **self._of_the_grant(),
        }
        if config.client_auth == "basic" and config.client_secret is not None:
            headers["authorization"] = f"Basic {config.basic_pair()}"
        else:
            form |= {"client_id": config.client_id, "client_secret": text_of(config.client_secret)}
        said = {name: value for name, value in form.items() if value}
        content = urlencode({**said, **config.params}, doseq=True).encode()
        headers |= {name.lower(): value for name, value in config.headers.items()}
        return httpx.Request("POST", self._url, headers=headers, content=content)

    def read(self, answer: httpx.Response) -> Credentials:
        value = json_of(answer)
        said = value if isinstance(value, dict) else {}
        for name in ("access_token", "refresh_token", "id_token"):
            if isinstance(said.get(name), str):
                self._tools.learned(said[name])
        token = said.get("access_token")
        if not isinstance(token, str) or not is_sendable(token):
            what = f"an `access_token` that a header can carry; {keys_of(value)}"
            raise without(answer, what, value, "check `token_url`, `grant` and `scopes`")
        self._keep(said.get("refresh_token"))
        life = _seconds(said.get("expires_in")) or self._config.default_life
        until = fresh_until(self._tools.clock(), life, self._config.leeway)
        return Credentials(with_header("authorization", f"Bearer {token}"), until)

    def _of_the_grant(self) -> dict[str, str]:
        config = self._config
        match config.grant:
            case "refresh_token":
                return {"refresh_token": self._refresh_token()}
            case "password":
                return {"username": config.username or "", "password": text_of(config.password)}
            case "jwt_bearer" if config.assertion is not None:
                token = signed(config.assertion, self._tools.clock(), self._url)
                self._tools.learned(token)
                return {"assertion": token}
            case _:
                return {}

    def _refresh_token(self) -> str:
        config = self._config
        token = self._tools.store.current(self._url, config.client_id or "", text_of(config.refresh_token))
        self._tools.learned(token)
        return token

    def _keep(self, token: Json) -> None:
        config = self._config
        if config.grant != "refresh_token" or not isinstance(token, str) or not token:
            return
        if token != self._refresh_token():
            self._tools.store.keep(self._url, config.client_id or "", text_of(config.refresh_token), token)


def _seconds(value: Json) -> float | None:
    """A life as servers write it, a number or a text; None where it says nothing that could be one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None
