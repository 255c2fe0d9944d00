"""The secrets that stand in a mapping's requests, known by the names that they stand under."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

from portsync.masking import MASK, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.mapping.models import MappingFile
    from portsync.mapping.requests import Request

_SPAN = "{{"
_SCHEMED = re.compile(r"(?i)(?:basic|bearer|token) +(\S.*)")
_PARAMETER = re.compile(r"([?&][^=&#]+)=([^&#]*)")
_MEMBER = re.compile(r"""([\w-]+)["']?\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')""")
"""A name with a literal text, in the JQ of a body."""
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[\w.~+/=-]{16,}", re.ASCII)
"""What only a key looks like, where the name is `key`, which harmless things have as well."""


def literal_secrets(file: MappingFile) -> Iterator[str]:
    """The values in headers, parameters, bodies and paths that can be secrets by their names, wherever they came from.
    What an expression makes is not known here."""
    yield from _in_headers(file.source.headers)
    for lookup in file.context.values():
        yield from _in_path(lookup.path)
        yield from _in_request(lookup)
    for resource in file.resources:
        yield from _in_path(resource.kind)
        yield from _in_request(resource.selector)
        for parameter in resource.selector.path_parameters.values():
            yield from _in_path(parameter.endpoint or "")
            yield from _in_request(parameter)


def without_literals(path: str) -> str:
    """A path with `***` in place of what can be secret in its query: by this it is known again though the secret was
    replaced by another one."""

    def masked(found: re.Match[str]) -> str:
        return (
            f"{found[1]}={MASK}" if _may_be(unquote_plus(found[1].lstrip("?&")), unquote_plus(found[2])) else found[0]
        )

    return _PARAMETER.sub(masked, path)


def _in_request(request: Request) -> Iterator[str]:
    yield from _in_headers(request.headers)
    yield from _below(request.query_params)
    if isinstance(request.body, str):
        for name, double, single in _MEMBER.findall(request.body):
            yield from _texts(double or single, is_secret=_may_be(name, double or single))
    else:
        yield from _below(request.body)


def _in_headers(headers: dict[str, str]) -> Iterator[str]:
    for name, text in headers.items():
        yield from _texts(text, is_secret=is_secret_name(name) or name.lower().endswith("key"))


def _in_path(path: str) -> Iterator[str]:
    for name, text in _PARAMETER.findall(path):
        if _is_secret(name, text):
            yield from (text for text in (text, unquote(text), unquote_plus(text)) if _SPAN not in text)


def _is_secret(name: str, text: str) -> bool:
    """Whether a parameter of a URL, with the sign before its name, can be a secret."""
    return _may_be(unquote_plus(name[1:]), unquote_plus(text))


def _below(value: Any, *, is_secret: bool = False) -> Iterator[str]:
    match value:
        case dict():
            for name, item in value.items():
                yield from _below(item, is_secret=is_secret or _may_be(str(name), item))
        case list() | tuple():
            for item in value:
                yield from _below(item, is_secret=is_secret)
        case str():
            yield from _texts(value, is_secret=is_secret)
        case _:
            pass


def _may_be(name: str, value: Any) -> bool:
    is_key = name.lower().endswith("key") and isinstance(value, str)
    return is_secret_name(name) or (is_key and _RANDOM.fullmatch(value) is not None)


def _texts(text: str, *, is_secret: bool) -> Iterator[str]:
    """The text, and what follows `Bearer` in it."""
    if is_secret and _SPAN not in text:
        yield text
        if (schemed := _SCHEMED.fullmatch(text)) is not None:
            yield schemed[1]
