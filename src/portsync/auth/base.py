"""What every kind of authentication is: a configuration model that builds an `httpx.Auth`."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from portsync.auth.store import TokenStore
from portsync.urls import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from portsync.auth.fetched import Elsewhere

_ABSOLUTE = re.compile(r"(?i)[a-z][a-z0-9+.-]*://")


def _endpoint(url: str) -> str:
    fault = fault_of(url if _ABSOLUTE.match(url) else f"http://host/{url}")
    if fault is None and not url.strip("/"):
        fault = "is empty"
    if fault is not None:
        hint = "write a path, which is joined to `base_url`, or https://host/path"
        raise PydanticCustomError("url", "the URL {fault}", {"fault": fault, "hint": hint})
    return url


Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""A full URL, or a path that is joined to the source's base URL."""


def _writable(value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise PydanticCustomError("number", "JSON has no number that is infinite or none") from None
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_writable)]
JsonList = Annotated[list[Any], AfterValidator(_writable)]


@dataclass(frozen=True, slots=True)
class AuthTools:
    """What an authentication needs from outside."""

    base_url: str
    """The source's; endpoints without a host are joined to it."""
    clock: Callable[[], float]
    """Epoch seconds."""
    learned: Callable[[str], None] = lambda _: None
    """Is told of every credential that comes up while requests are made: none may get into any output."""
    store: TokenStore = field(default_factory=TokenStore)
    """Keeps refresh tokens that the server gave in place of the configured one."""
    elsewhere: Elsewhere | None = None
    """Makes token calls in our place, where many sign with the same credentials."""


def absolute(endpoint: str, base_url: str) -> str:
    """The URL of an endpoint."""
    return endpoint if _ABSOLUTE.match(endpoint) else f"{base_url.rstrip('/')}/{endpoint.lstrip('/')}"


class AuthSection(BaseModel):
    """The base of every section below `auth`: unknown keys are refused, secrets stay out of errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        # Free parts, such as a login's body, hold secrets too.
        return iter(())


class Auth(AuthSection):
    """The base of all authentication models. `httpx.Auth` is the seam: it does no I/O of its own."""

    has_one_quota: ClassVar[bool] = True
    """Whether what the source says of limits holds for all requests, and not for some credentials among several."""

    @abstractmethod
    def build(self, tools: AuthTools) -> httpx.Auth | None:
        """Give what httpx needs to sign requests; None where nothing is to be added. Raises SettingsError."""

    def secrets(self) -> tuple[str, ...]:
        """The values that must not appear in any output."""
        return ()

    def urls(self, base_url: str) -> tuple[str, ...]:
        """Where requests of its own go to."""
        del base_url
        return ()
