"""The `source:` section as types: the API that is read, and how it wants to be asked."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from portsync.auth import AnyAuth
from portsync.mapping.section import Section
from portsync.mapping.templates import TemplateText
from portsync.pagination import AnyPaginator
from portsync.urls import fault_of, fault_of_base, origin_of


def _http_url(url: str) -> str:
    if (fault := fault_of(url)) is not None:
        hint = "write it as https://host/path"
        raise PydanticCustomError("url", "the URL {fault}", {"fault": fault, "hint": hint})
    if (fault := fault_of_base(url)) is not None:
        hint = "put parameters into `query_params`, and a key into `auth: {type: api_key, query: NAME, key: ...}`"
        raise PydanticCustomError("url", "the URL {fault}", {"fault": fault, "hint": hint})
    return url.rstrip("/")


def _origin(url: str) -> str:
    url = _http_url(url)
    if url.count("/") > len("//"):
        hint = "write scheme, host and port alone: https://files.example.com"
        raise PydanticCustomError("origin", "an origin has no path", {"hint": hint})
    return origin_of(url)


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Origin = Annotated[str, AfterValidator(_origin)]


class Retry(Section):
    """How often, and how long, a failing request is tried again."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 5
    """Tries of one request in all."""
    max_wait: Annotated[float, Field(ge=0)] = 120
    """The longest single wait, in seconds. A source that asks for longer ends the resource."""


class Timeout(Section):
    """Time-outs in seconds."""

    connect: Annotated[float, Field(gt=0)] = 30
    """Until the connection stands."""
    read: Annotated[float, Field(gt=0)] = 30
    """The longest silence while an answer arrives."""
    write: Annotated[float, Field(gt=0)] = 30
    """The longest standstill while a request is sent."""
    pool: Annotated[float, Field(gt=0)] = 30
    """Until a connection is free."""
    total: Annotated[float, Field(gt=0)] = 300
    """For one whole answer; it ends one that drips in for ever."""

    @classmethod
    def of(cls, seconds: float) -> Timeout:
        """The same time for each step, and ten times as much for the whole."""
        return cls(connect=seconds, read=seconds, write=seconds, pool=seconds, total=10 * seconds)


def _timeout(value: Any) -> Any:
    if isinstance(value, str) and value.replace(".", "", 1).isdecimal():
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return dict.fromkeys(("connect", "read", "write", "pool"), value) | {"total": 10 * value}
    return value


def _texts_by_text(value: Any) -> Any:
    """A status is a number in YAML, and a key like any other here."""
    return {str(key): text for key, text in value.items()} if isinstance(value, dict) else value


class RateLimit(Section):
    """So many requests in so many seconds, whatever the moment at which counting begins."""

    requests: Annotated[int, Field(ge=1)]
    """How many requests may begin."""
    per: Annotated[float, Field(gt=0)] = 60
    """Within how many seconds."""


class Tls(Section):
    """Certificates beyond the usual ones. Each is the path of a PEM file."""

    ca: str | None = None
    """Authorities that are trusted beside the usual ones."""
    cert: str | None = None
    """Our own certificate, for servers that ask for one; it may hold the key too."""
    key: str | None = None
    """The key of `cert`, where it stands in a file of its own."""

    @model_validator(mode="after")
    def key_needs_cert(self) -> Tls:
        if self.key is not None and self.cert is None:
            hint = "add `cert`, the file of the certificate that the key belongs to"
            raise PydanticCustomError("tls", "`key` goes with `cert`", {"hint": hint})
        return self


class Source(Section):
    """The API that is read."""

    base_url: HttpUrl | None = None
    """Every resource's path is joined to it. Taken from PORTSYNC_SOURCE_BASE_URL where it is missing."""
    auth: AnyAuth | None = None
    """Who asks."""
    headers: dict[str, TemplateText] = Field(default_factory=dict)
    """Sent with every request. May hold `{{ jq }}` spans."""
    pagination: AnyPaginator | None = None
    """The default for every resource."""
    rate_limit: RateLimit | None = None
    """The most that is asked of the source; what its answers say of limits can only lower it."""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many requests may be under way at once."""
    retry: Retry = Retry()
    """How often a failing request is tried again."""
    timeout: Annotated[Timeout, BeforeValidator(_timeout)] = Timeout()
    """How long an answer may take: seconds, or a section."""
    verify_tls: bool = True
    """Whether the server's certificate is checked."""
    tls: Tls = Tls()
    """Certificates beyond the usual ones."""
    hints: Annotated[dict[str, str], BeforeValidator(_texts_by_text)] = Field(default_factory=dict)
    """What to do about a status of the source, or a problem code: shown in place of portsync's own hint."""
    allow_origins: tuple[Origin, ...] = ()
    """Other origins that next links, redirects and absolute kinds may lead to. No credentials are sent there."""
