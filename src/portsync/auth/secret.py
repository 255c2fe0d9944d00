"""Secrets as users give them: what can be one, and which values of a free section are some."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticCustomError

from portsync.auth.headers import is_sendable

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKS_SECRET = re.compile(
    r"(?i)key|token|secret|pass|pwd|cred|auth|assertion|pat$|bearer|session|cookie|private|otp|code|pin$"
)
_SCHEMED = re.compile(r"(?i)(?:basic|bearer|token) +(\S.*)")


def _sendable(secret: SecretStr) -> SecretStr:
    """The secret as a header can carry it. A line break at its end comes from the file or variable that held it."""
    text = secret.get_secret_value().strip()
    if not is_sendable(text):
        raise PydanticCustomError(
            "secret",
            "a secret has to be printable ASCII text",
            {"hint": "look for line breaks and invisible characters in it; it is not shown here"},
        )
    return SecretStr(text)


Secret = Annotated[SecretStr, AfterValidator(_sendable)]


def text_of(secret: SecretStr | None) -> str:
    """The secret's text; empty where there is none."""
    return "" if secret is None else secret.get_secret_value()


def secrets_in(value: Any, name: str = "") -> Iterator[str]:
    """The texts in a free section (headers, a body, a form) that stand under a name which looks like a secret's.

    Of `Bearer abc` both the whole and `abc` are given.
    """
    match value:
        case dict():
            for key, item in value.items():
                yield from secrets_in(item, str(key))
        case list() | tuple():
            for item in value:
                yield from secrets_in(item, name)
        case str() if _LOOKS_SECRET.search(name):
            yield value
            if (schemed := _SCHEMED.fullmatch(value)) is not None:
                yield schemed[1]
        case _:
            pass
