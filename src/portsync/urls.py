"""The base URLs that users give, checked before anything is sent."""

from __future__ import annotations

from urllib.parse import urlsplit


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


_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute URL, in the one form in which two of them can be compared (RFC 6454): host
    in lower case, the scheme's own port left out."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    scheme = parts.scheme.lower()
    port = "" if parts.port in (None, _PORTS.get(scheme)) else f":{parts.port}"
    return f"{scheme}://{host}{port}"
