"""What can be the name and the text of a header, and how one is set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110, 5.6.2."""


def is_sendable(text: str) -> bool:
    """Whether a header can carry `text`: printable ASCII, and something at all."""
    return text.isascii() and text.isprintable() and text.strip() == text != ""


def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise PydanticCustomError("header", "`{name}` cannot be the name of a header", {"name": name})
    return name


def _text(text: str) -> str:
    """A line break at its end comes from the file or variable that held it."""
    text = text.strip()
    if not is_sendable(text):
        hint = "look for line breaks and invisible characters in it"
        raise PydanticCustomError("header", "a header has to be printable ASCII text", {"hint": hint})
    return text


HeaderName = Annotated[str, AfterValidator(_name)]
Headers = dict[HeaderName, Annotated[str, AfterValidator(_text)]]
Scheme = Annotated[str, Field(pattern=r"^[!-~]*$")]
"""What stands before a token, such as Bearer; may be empty."""


def with_header(name: str, value: str) -> Callable[[httpx.Request], httpx.Request]:
    """What sets one header of a request."""

    def put_into(request: httpx.Request) -> httpx.Request:
        request.headers[name] = value
        return request

    return put_into
