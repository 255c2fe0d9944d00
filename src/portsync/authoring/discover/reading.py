"""The first pages of an endpoint, read as a sync reads them."""

from __future__ import annotations

import contextlib
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from portsync.authoring.discover.proposal import Sample, SeenPage
from portsync.chains.template import RequestTemplate
from portsync.chains.values import ValuesPage, values_reader
from portsync.errors import ExpressionError
from portsync.extract import fetch_pages
from portsync.flow import End, Fetched, Verdict
from portsync.jq.values import ValuesProgram
from portsync.jq.variables import NO_VARIABLES
from portsync.mapping.models import Selector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.authoring.discover.asking import Asker, Heard
    from portsync.authoring.discover.proposal import Endpoint
    from portsync.chains.access import Access
    from portsync.flow import Json, Page, PageFacts, RequestSpec
    from portsync.jq.variables import Variables

_RECORD = "record"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A page with its records."""

    page: Page
    values: ValuesPage

    @property
    def facts(self) -> PageFacts:
        return self.values.facts

    @property
    def content(self) -> bytes:
        return self.values.content

    def records(self) -> list[Json]:
        """The records, less those that nest deeper than anybody reads."""
        found = []
        for record in self.values.records:
            with contextlib.suppress(KeyError, orjson.JSONDecodeError):
                found.append(orjson.loads(record.values[_RECORD]))
        return found


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the pages of one endpoint."""

    endpoint: Endpoint
    access: Access
    asker: Asker
    variables: Variables = NO_VARIABLES

    async def request(self) -> RequestSpec:
        """The endpoint's own request, without any paging. Raises ExpressionError."""
        return await self._rendered(self._selector(".", {"type": "none"}, {}))

    async def look(self) -> Heard:
        """What comes of it. Raises ExpressionError."""
        return await self.asker.ask(await self.request())

    async def sample(
        self, data_path: str, pagination: Mapping[str, Json], most: int, extra: Mapping[str, Json] | None = None
    ) -> Sample:
        """At most `most` pages, with `extra` query parameters. Nothing raises: what ends it is in the sample."""
        selector = self._selector(data_path, {**pagination, "max_pages": most}, extra or {})
        paginator = selector.pagination
        assert paginator is not None, "it was given"
        program = ValuesProgram(data_path, {_RECORD: "."}, facts=paginator.facts())
        reader = values_reader(program, self.access)

        async def keep(page: Page) -> _Seen:
            return _Seen(page, await reader.read(page, self.variables))

        seen: dict[int, list[_Seen]] = {}
        end = End(Verdict.INCOMPLETE)
        try:
            first = await self._rendered(selector)
        except ExpressionError as error:
            return Sample((), is_whole=False, fault=error.problems[0].message)
        async with aclosing(fetch_pages(first, paginator, self.access.reading(selector), keep)) as items:
            async for item in items:
                if isinstance(item, Fetched) and item.page is not None:
                    seen.setdefault(item.page.page.number, []).append(item.page)
                elif isinstance(item, End):
                    end = item
        pages = tuple([await self._page(pieces) for _, pieces in sorted(seen.items())])
        return Sample(pages, end.verdict is Verdict.COMPLETE, _fault(end, len(pages), most))

    async def _page(self, pieces: list[_Seen]) -> SeenPage:
        request = pieces[0].page.request
        # It was asked a moment ago, and is not asked again.
        answer = await self.asker.send(request)
        return SeenPage(request, answer, tuple(record for piece in pieces for record in piece.records()))

    async def _rendered(self, selector: Selector) -> RequestSpec:
        return await RequestTemplate(self.endpoint.kind, selector, "selector", self.access).render(self.variables)

    def _selector(self, data_path: str, pagination: Mapping[str, Json], extra: Mapping[str, Json]) -> Selector:
        endpoint = self.endpoint
        return Selector.model_validate(
            {
                "method": endpoint.method,
                "body": endpoint.body,
                "headers": endpoint.headers,
                "query_params": {**endpoint.query_params, **extra},
                "data_path": data_path,
                "pagination": pagination,
            }
        )


def _fault(end: End, pages: int, most: int) -> str | None:
    """What ended the reading, unless that was the number of pages that were wanted."""
    if end.verdict is Verdict.COMPLETE or end.problem is None:
        return end.reason
    is_enough = pages == most and end.reason == "truncated" and "`max_pages`" in end.problem.message
    return None if is_enough else f"{end.problem.message} ({end.reason})"
