"""The first request of a chain, made of a section of the mapping."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.conformance.naive.ending import Gone
from tests.conformance.naive.faults import Fault
from tests.conformance.naive.fetch import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conformance.naive.tools import Kit

PLACEHOLDER = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")


class Asking:
    """Makes requests of sections."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._bodies: dict[str, Any] = {}
        """The bodies of a reader that writes into them."""

    def request(self, path: str, section: Mapping[str, Any], place: str, variables: dict[str, Any]) -> Request:
        """The request that `section` describes, to `path`. Raises Gone, reason `jq`."""

        def rendered(value: Any, name: str) -> Any:
            return self._rendered(value, f"{place}.{name}", variables)

        meanings = {} if self._kit.errs(Fault.IGNORES_ON_STATUS) else section.get("on_status", {})
        return Request(
            section.get("method", "GET"),
            self._url(rendered(path, "kind"), variables["params"]),
            tuple(self._pairs(rendered(section.get("query_params", {}), "query_params"))),
            rendered(self._headers(section), "headers"),
            self._body(section.get("body"), f"{place}.body", variables),
            section.get("body_type", "json"),
            frozenset(status for status, meaning in meanings.items() if meaning == "retry"),
            frozenset(status for status, meaning in meanings.items() if meaning != "retry"),
        )

    def _rendered(self, value: Any, place: str, variables: dict[str, Any]) -> Any:
        if self._kit.errs(Fault.SPANS_ARE_TEXT):
            return value
        missing: Any = "" if self._kit.errs(Fault.MISSING_IS_EMPTY_TEXT) else Gone
        found = self._kit.expressions.rendered(value, place, missing=missing, **variables)
        return _guessed(found) if self._kit.errs(Fault.LOSES_TYPES) else found

    def _body(self, body: Any, place: str, variables: dict[str, Any]) -> Any:
        if self._kit.errs(Fault.SHARES_BODIES):
            return self._bodies.setdefault(json.dumps(body), body)
        if isinstance(body, str) and not self._kit.errs(Fault.SPANS_ARE_TEXT):
            found = self._kit.expressions.first(body, None, **variables)
        else:
            found = self._rendered(body, place, variables)
        if isinstance(found, dict) and self._kit.errs(Fault.DROPS_NULLS):
            return {name: value for name, value in found.items() if value is not None}
        return found

    def _headers(self, section: Mapping[str, Any]) -> dict[str, str]:
        """The source's headers and the request's own, which win whatever their case."""
        layers = [self._kit.mapping["source"].get("headers", {}), section.get("headers", {})]
        if self._kit.errs(Fault.SOURCE_HEADERS_WIN):
            layers.reverse()
        return {name.lower(): value for layer in layers for name, value in layer.items()}

    def _url(self, path: str, params: Mapping[str, Any]) -> str:
        def encoded(found: re.Match[str]) -> str:
            if found[1] not in params:
                return found[0]
            text = str(params[found[1]])
            if self._kit.errs(Fault.PASTES_VALUES):
                return text
            once = quote(text, safe="")
            return quote(once, safe="") if self._kit.errs(Fault.ENCODES_TWICE) else once

        count = 1 if self._kit.errs(Fault.FIRST_PLACEHOLDER_ONLY) else 0
        return f"{self._kit.wire.base_url}/{PLACEHOLDER.sub(encoded, path, count=count).lstrip('/')}"

    def _pairs(self, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in params.items():
            values = value if isinstance(value, list) else [value]
            if self._kit.errs(Fault.LISTS_ARE_JOINED):
                values = [",".join(str(item) for item in values)]
            for item in values:
                is_json = isinstance(item, bool) and not self._kit.errs(Fault.BOOLEANS_ARE_PYTHONS)
                yield name, json.dumps(item) if is_json else str(item)


def _guessed(value: Any) -> Any:
    """A template's text as some template engines give it back: as whatever it could be in their own language."""
    match value:
        case dict():
            return {key: _guessed(item) for key, item in value.items()}
        case list():
            return [_guessed(item) for item in value]
        case str() if re.fullmatch(r"[\d_]+", value):
            return int(value)
        case str() if re.fullmatch(r"\[[\d,]*\]", value):
            return json.loads(value)
        case _:
            return value
