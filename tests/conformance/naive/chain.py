"""Chains of requests: page after page, until the last one."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tests.conformance.naive.asking import Asking
from tests.conformance.naive.decode import decoded
from tests.conformance.naive.ending import Gone, Skipped
from tests.conformance.naive.faults import Fault
from tests.conformance.naive.paging import LINKS, Paging, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conformance.naive.fetch import Request, Response
    from tests.conformance.naive.tools import Kit

_PIECE = 1000
"""Records."""
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Chains:
    """Reads the pages of sections: of resources, lookups and path parameters alike."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._asking = Asking(kit)
        self._pagings: dict[str, Paging] = {}

    def pages(
        self, path: str, section: Mapping[str, Any], place: str, variables: dict[str, Any]
    ) -> Iterator[list[Any]]:
        """The records of each page. Raises Gone or Skipped where the chain ends too early."""
        chain = _Chain(self._kit, section, self._paging(section))
        yield from chain.pages(self._asking.request(path, section, place, variables), variables)

    def _paging(self, section: Mapping[str, Any]) -> Paging:
        settings = section.get("pagination", self._kit.mapping["source"]["pagination"])
        key = json.dumps(settings)
        if key not in self._pagings or not self._kit.errs(Fault.SHARES_PAGE_STATE):
            self._pagings[key] = Paging(settings, self._kit)
        return self._pagings[key]


class _Chain:
    """One chain, and what came of it so far."""

    def __init__(self, kit: Kit, section: Mapping[str, Any], paging: Paging) -> None:
        self._kit = kit
        self._section = section
        self._paging = paging
        self._slurps = section.get("slurp", False) and not kit.errs(Fault.PATHS_SEE_ONE_PAGE)
        self._requested: list[str] = []
        self._contents: list[str] = []
        self._bodies: list[Any] = []
        self._fresh = 0

    def pages(self, own: Request, variables: dict[str, Any]) -> Iterator[list[Any]]:
        request: Request | None = self._paging.first(own)
        while request is not None:
            self._check_request(request.key())
            response, body, records = self._page(request)
            if self._repeats(records, body):
                if self._kit.errs(Fault.KEEPS_REPEATED_PAGES):
                    yield records
                raise Gone("loop", "loop", "a page repeats")
            if not self._slurps:
                yield records
            counted = sum(self._is_counted(record, variables) for record in records)
            request = self._paging.following(request, Seen(counted, body, response.headers, len(self._requested)))
            self._check_total(body, is_end=request is None)
        if self._slurps:
            yield self._records(self._bodies, is_first=True)

    def _page(self, request: Request) -> tuple[Response, Any, list[Any]]:
        self._requested.append(request.key())
        try:
            response = self._kit.wire.send(request)
            body = self._body(response)
            if body is None:
                return response, body, []
            self._bodies.append(body)
            return response, body, [] if self._slurps else self._records(body, is_first=len(self._requested) == 1)
        except Gone as gone:
            raise Gone(gone.reason, gone.code, f"{gone.text}, page {len(self._requested)}") from gone

    def _check_request(self, key: str) -> None:
        compared = self._requested[-1:] if self._kit.errs(Fault.COMPARES_WITH_PREVIOUS_ONLY) else self._requested
        careless = self._kit.errs(Fault.NO_LOOP_GUARD) or self._kit.errs(Fault.REPEATS_AFTER_AN_EMPTY_PAGE)
        if key in compared and not careless:
            raise Gone("loop", "loop", "the source leads back to a request that was made before")

    def _repeats(self, records: list[Any], body: Any) -> bool:
        content = json.dumps(records, sort_keys=True)
        near = self._paging.kind in ("cursor", *LINKS) or self._kit.errs(Fault.COMPARES_WITH_PREVIOUS_ONLY)
        is_known = content in (self._contents[-1:] if near else self._contents)
        self._fresh += 0 if content in self._contents else len(records)
        self._contents.append(content)
        may_repeat = self._kit.errs(Fault.NO_LOOP_GUARD) or self._paging.has_total(body)
        counts = bool(records) or self._kit.errs(Fault.EMPTY_PAGES_ARE_A_LOOP)
        return is_known and counts and not may_repeat

    def _check_total(self, body: Any, *, is_end: bool) -> None:
        total = self._paging.total(body)
        if is_end and total is not None and self._fresh < total and not self._kit.errs(Fault.NO_LOOP_GUARD):
            raise Gone("loop", "loop", f"only {self._fresh} of {total} different records came")

    def _is_counted(self, record: Any, variables: dict[str, Any]) -> bool:
        if not self._kit.errs(Fault.FILTERED_PAGE_IS_SHORT):
            return True
        return self._kit.expressions.first(self._section.get("query", "true"), record, **variables) is True

    def _body(self, response: Response) -> Any:
        """The parsed body; None for an empty page. Raises Gone or Skipped as the status says."""
        status = response.status
        meaning = self._section.get("on_status", {}).get(status)
        if self._kit.errs(Fault.IGNORES_ON_STATUS):
            meaning = None
        if status == HTTPStatus.NO_CONTENT:
            if self._kit.errs(Fault.NO_CONTENT_IS_AN_ERROR):
                raise Gone("decode", "not-json")
            return None
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return decoded(response, self._section, self._kit.faults)
        if meaning == "empty" or self._kit.errs(Fault.SWALLOWS_STATUSES):
            return None
        if meaning == "skip" and (len(self._requested) == 1 or self._kit.errs(Fault.SKIPS_THE_REST)):
            raise Skipped
        reason = "rate_limit" if status == HTTPStatus.TOO_MANY_REQUESTS else "status"
        raise Gone(reason, "source-refused" if status in _REFUSED else "source-status", f"answered {status}")

    def _records(self, body: Any, *, is_first: bool) -> list[Any]:
        try:
            outputs = self._kit.expressions.all(self._section.get("data_path", "."), body)
        except Gone as gone:
            if self._kit.errs(Fault.FAILING_PATH_IS_EMPTY):
                return []
            raise Gone("data_path", "data-path", gone.text) from gone
        if self._kit.errs(Fault.FIRST_OUTPUT_ONLY):
            outputs = outputs[:1]
        if outputs == [None]:
            is_strict = is_first or self._kit.errs(Fault.NULL_IS_ALWAYS_AN_ERROR)
            if is_strict and not self._kit.errs(Fault.NULL_IS_NO_RECORDS):
                raise Gone("data_path", "data-path", "`data_path` found nothing")
            return []
        records = outputs[0] if len(outputs) == 1 and isinstance(outputs[0], list) else outputs
        if not records and is_first and self._kit.errs(Fault.EMPTY_LIST_IS_AN_ERROR):
            raise Gone("data_path", "data-path")
        return list(records[:_PIECE]) if self._kit.errs(Fault.FIRST_PIECE_ONLY) else list(records)
