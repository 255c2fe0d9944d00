"""The base URLs that users give, checked before anything is sent; and where requests may go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable


def fault_of(url: str) -> str | None:
    """Why `url` cannot be a base URL, or None. Never repeats the URL: it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"is not a URL: {str(error).split(':')[0].lower()}"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "is not an http or https URL"
    if parts.username is not None or parts.password is not None:
        return "holds credentials, which belong into `auth`"
    if any(character.isspace() or not character.isprintable() for character in url):
        return "holds spaces or control characters"
    return None


def fault_of_base(url: str) -> str | None:
    """Why nothing can be joined to `url`, which is one, or None."""
    return "holds a query or a fragment, to which no path can be joined" if "?" in url or "#" in url else None


def passwords_in(url: str) -> tuple[str, ...]:
    """The passwords that the URL of a database holds, each as it is written and as it is meant; none in any other
    text. The URL need not be a good one."""
    _, separator, rest = url.partition("://")
    if not separator:
        return ()
    before, at, _ = rest.rpartition("@")
    written = [before.partition(":")[2]] if at and ":" in before else []
    written += re.findall(r"[?&](?:sslpassword|password)=([^&]*)", rest)
    return tuple(form for text in written if text for form in (text, unquote(text), unquote_plus(text)))


_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute URL, in the one form in which two of them can be compared (RFC 6454): host
    in lower case, the scheme's own port left out."""
    parts = urlsplit(url)
    return origin_from(parts.scheme, parts.hostname or "", parts.port)


def origin_from(scheme: str, host: str, port: int | None) -> str:
    """The origin of these three, in the form of `origin_of`. Scheme and host are in lower case, and the brackets of an
    IPv6 address are not part of the host."""
    host = host.rstrip(".")
    host = f"[{host}]" if ":" in host else host
    shown = "" if port in (None, _PORTS.get(scheme)) else f":{port}"
    return f"{scheme}://{host}{shown}"


def is_loopback(url: str) -> bool:
    """Whether the host of an absolute URL is one of the names of the loopback interface."""
    return (urlsplit(url).hostname or "") in ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the requests to a source may go. Origins are in the form of `origin_of`."""

    own: str
    """The origin of the base URL, the only one that gets credentials."""
    allowed: frozenset[str] = frozenset()
    """The others that the mapping names."""

    @classmethod
    def around(cls, base_url: str, allowed: Iterable[str]) -> Origins:
        """Those of a source with this base URL."""
        return cls(origin_of(base_url), frozenset(allowed))

    def refusal(self, origin: str) -> str | None:
        """Why no request may go to `origin`, as the end of a sentence, or None."""
        if origin == self.own:
            return None
        if self.own.startswith("https:") and not origin.startswith("https:"):
            return f"is not encrypted, while the source, {self.own}, is"
        if origin not in self.allowed:
            return f"is neither the source's own, {self.own}, nor in `allow_origins`"
        return None
