"""What is said of a request, as far as it is said: in a test case, or in a cassette."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
from pydantic import BeforeValidator

from portsync.mapping.section import Section
from portsync.masking import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.flow import Json


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it went out."""

    method: str
    path: str
    """Below the base URL, decoded."""
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Json
    """The parsed JSON, or the text where it is none; None where there is no body."""

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        body = "" if self.body is None else f" {json.dumps(self.body, ensure_ascii=False)}"
        return f"{self.method} {self.path}{'?' if query else ''}{query}{body}"

    def as_json(self) -> dict[str, Json]:
        """The request as a test case writes it; without headers, which say little."""
        query: dict[str, Json] = {}
        for name, value in self.query:
            before = query.get(name)
            query[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
        said: dict[str, Json] = {"method": self.method, "path": self.path}
        return {**said, **({"query": query} if query else {}), **({} if self.body is None else {"body": self.body})}


def seen(method: str, url: str, headers: Mapping[str, str], content: bytes | None, base_url: str) -> Seen:
    """The request, its path below `base_url`."""
    parts, base = urlsplit(url), urlsplit(base_url).path.rstrip("/")
    path = unquote(parts.path)
    path = path.removeprefix(base) if path.startswith(f"{base}/") else path
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Seen(method, path or "/", query, headers, _parsed(content))


def _parsed(content: bytes | None) -> Json:
    if not content:
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode(errors="replace")


def _as_texts(value: Any) -> Any:
    """The values of query parameters as they go over the wire; a list is a parameter that is repeated."""
    if not isinstance(value, dict):
        return value
    return {str(name): [_text(item) for item in (v if isinstance(v, list) else [v])] for name, v in value.items()}


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case None:
            return ""
        case _:
            return json.dumps(value)


class Asked(Section):
    """What a request is expected to be. What is not said may be anything."""

    method: str | None = None
    path: str | None = None
    """Below the base URL; a query string in it counts as `query`."""
    query: Annotated[dict[str, list[str]] | None, BeforeValidator(_as_texts)] = None
    """Parameters that it has; others may stand beside them. A list is a parameter that is repeated."""
    headers: dict[str, str] | None = None
    """Headers that it has, whatever the case of their names."""
    body: Any = None
    """What its JSON body holds; an object may hold more."""

    def faults(self, request: Seen) -> list[str]:
        """In what `request` is something else, as texts; none where it is what is said here."""
        found = []
        if self.method is not None and self.method.upper() != request.method:
            found.append(f"method: expected {self.method.upper()}, got {request.method}")
        path, _, query = (self.path or request.path).partition("?")
        if unquote(path) != request.path:
            found.append(f"path: expected {path}, got {request.path}")
        wanted = {**(self.query or {})}
        for name, value in parse_qsl(query, keep_blank_values=True):
            wanted.setdefault(name, []).append(value)
        given: dict[str, list[str]] = {}
        for name, value in request.query:
            given.setdefault(name, []).append(value)
        for name, values in wanted.items():
            if not _are_same_texts(values, given.get(name, [])):
                found.append(f"query.{name}: expected {_listed(values)}, got {_listed(given.get(name, []))}")
        for name, value in (self.headers or {}).items():
            if request.headers.get(name.lower()) != value:
                found.append(f"headers.{name}: expected {value}, got {request.headers.get(name.lower(), 'none')}")
        if self.body is not None:
            found += _body_faults("body", self.body, request.body)
        return found


def _are_same_texts(wanted: Sequence[str], given: Sequence[str]) -> bool:
    return len(wanted) == len(given) and all(want in (MASK, got) for want, got in zip(wanted, given, strict=True))


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values) if values else "none"


def _body_faults(name: str, wanted: Json, given: Json) -> list[str]:
    if isinstance(wanted, dict) and isinstance(given, dict):
        return [
            fault for key, value in wanted.items() for fault in _body_faults(f"{name}.{key}", value, given.get(key))
        ]
    if isinstance(wanted, list) and isinstance(given, list) and len(wanted) == len(given):
        return [
            fault
            for index, (one, other) in enumerate(zip(wanted, given, strict=True))
            for fault in _body_faults(f"{name}[{index}]", one, other)
        ]
    is_same = wanted == given and isinstance(wanted, bool) is isinstance(given, bool)
    return [] if is_same or wanted == MASK else [f"{name}: expected {_json(wanted)}, got {_json(given)}"]


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
