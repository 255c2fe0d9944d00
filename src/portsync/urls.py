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
