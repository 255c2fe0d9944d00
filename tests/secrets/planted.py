"""Secrets that a test plants, and the search for them in everything that came out."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from hashlib import blake2b
from urllib.parse import quote, quote_plus

_AWKWARD = '/+"=&%'
"""Each of these is written otherwise in a URL, in JSON or in HTML."""
_HALF = 10
"""So much of a secret is too much: an excerpt that was cut may end within it."""


class Planted:
    """Secrets, each with the name of the place where it was put."""

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}

    def plant(self, name: str, *, plain: bool = False) -> str:
        """A secret for the place of this name; `plain` is one that can stand anywhere as it is."""
        core = blake2b(name.encode(), digest_size=10).hexdigest()
        self._secrets[name] = core
        return core if plain else core + _AWKWARD + core[::-1]

    def came_up(self, name: str, secret: str) -> None:
        """A credential that nobody planted, but that was made on the way."""
        self._secrets[name] = secret

    @property
    def names(self) -> set[str]:
        return set(self._secrets)

    def leaks(self, outputs: dict[str, str | bytes]) -> list[str]:
        """Which secret stands in which output, and in which form."""
        found = []
        for where, output in outputs.items():
            text = output if isinstance(output, str) else output.decode("latin-1")
            for name, secret in self._secrets.items():
                found += [f"{name}, {form}, in {where}" for form, shape in _shapes(secret) if shape in text]
        return found


def _shapes(secret: str) -> list[tuple[str, str]]:
    """The forms of a secret: in its core, no other form than Base64 differs from the plain one."""
    shapes = [("plain", secret[:_HALF])]
    for offset in range(3):
        # Base64 of a longer text that holds it: without the letters at both ends, which depend on what is beside it.
        packed = b64encode(b"x" * offset + secret.encode()).decode().rstrip("=")
        shapes.append(("base64", packed[4 if offset else 0 : -2][:16]))
    return shapes


def spoken(given: str) -> str:
    """`given` in every form in which somebody may repeat it."""
    forms = {
        "plain": given,
        "url": quote(given, safe=""),
        "url lower": quote(given, safe="").lower() if given.islower() else quote(given),
        "plus": quote_plus(given),
        "base64": b64encode(given.encode()).decode(),
        "base64url": urlsafe_b64encode(given.encode()).decode(),
        "base64 of more": b64encode(f"you said: {given}!".encode()).decode(),
        "base64 of other": b64encode(f"I heard {given}?".encode()).decode(),
        "json": json.dumps(given),
        "json twice": json.dumps(json.dumps(given)),
        "html": html.escape(given),
        "slashes": json.dumps(given).replace("/", "\\/"),
    }
    return " ".join(forms.values())
