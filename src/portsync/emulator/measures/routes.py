"""The routes that aggregate (Port's API reference, aggregate entities and aggregate entities over time)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.computed.computing import names_in
from portsync.emulator.computed.specs import has_property
from portsync.emulator.errors import invalid_request, not_found, not_supported
from portsync.emulator.measures import schemas
from portsync.emulator.measures.buckets import starts_between, time_range
from portsync.emulator.measures.fold import Number
from portsync.emulator.measures.measure import CountMeasure, NumberMeasure, SeriesMeasure, Spans
from portsync.emulator.measures.named import (
    bare_name,
    check_number,
    check_property,
    check_time,
    reader,
    relation_reader,
)
from portsync.emulator.measures.passing import measured
from portsync.emulator.request_schemas import RequestSchema

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import tzinfo

    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.measures.measure import Measure
    from portsync.emulator.query import Query
    from portsync.emulator.workspace import Workspace

_HOURS = 24 * 366
_SCORECARD_KEYS = ("scorecard", "rule")


class MeasureRoutes:
    """Numbers about entities, in all or over time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._aggregate = RequestSchema(schemas.AGGREGATE)
        self._entities = RequestSchema(schemas.COUNT_ENTITIES)
        self._property = RequestSchema(schemas.AGGREGATE_PROPERTY)
        self._values = RequestSchema(schemas.COUNT_VALUES_OF_PROPERTY)
        self._related = RequestSchema(schemas.COUNT_VALUES_OF_RELATION)
        self._over_time = RequestSchema(schemas.OVER_TIME)
        self._series = RequestSchema(schemas.PROPERTIES_OVER_TIME)
        self._counts = RequestSchema(schemas.ENTITIES_OVER_TIME)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/entities/aggregate", self.aggregate, methods=["POST"]),
            Route("/v1/entities/aggregate-over-time", self.over_time, methods=["POST"]),
        ]

    async def aggregate(self, request: Request) -> Response:
        """One number, or how many entities have each value."""
        body = self._aggregate.check(await self._workspace.body(request))
        if body["func"] == "countValues":
            return await self._count_values(body)
        body = (self._property if "property" in body else self._entities).check(body)
        query = self._query(body["query"])
        blueprints = self._blueprints(query)
        name, time = body.get("property"), body.get("measureTimeBy", "$createdAt")
        for blueprint in blueprints if name is None else _having(blueprints, name, "body.property"):
            if name is not None:
                check_number(blueprint, name, "body.property")
            if name is not None or query.blueprints is not None:
                check_time(blueprint, time, "body.measureTimeBy")
        average_of = body.get("averageOf", "total") if body["func"] == "average" else None
        # Entities have no average but that of a time: in all, they are counted.
        number = Number("count" if name is None and average_of in (None, "total") else body["func"], average_of)
        measure = NumberMeasure(query.matches, None if name is None else reader(name), reader(time), number)
        await self._measure(blueprints, measure, body["query"], {name or "", time})
        result = number.result()
        if result is None and body["func"] == "sum":
            result = self._workspace.guesses.sum_of_nothing
        return answer({self._workspace.guesses.aggregate_result_name: result})

    async def _count_values(self, body: Mapping[str, Any]) -> Response:
        if any(key in body for key in _SCORECARD_KEYS):
            raise not_supported("Counting by scorecards")
        by_relation = "relation" in body
        (self._related if by_relation else self._values).check(body)
        query = self._query(body["query"])
        blueprints = self._blueprints(query)
        name = body["relation"] if by_relation else body["property"]
        if by_relation and blueprints and not any(name in each.relations for each in blueprints):
            raise not_found("Relation", name)
        if not by_relation:
            _having(blueprints, name, "body.property")
        counts: Counter[str] = Counter()
        measure = CountMeasure(query.matches, (relation_reader if by_relation else reader)(name), counts, value_name)
        await self._measure(blueprints, measure, body["query"], {name})
        groups = [{"value": value, "count": number} for value, number in counts.most_common()]
        return answer({self._workspace.guesses.aggregate_result_name: groups})

    async def over_time(self, request: Request) -> Response:
        """A number for each span of time, for each of some properties or for each value of one."""
        body = self._over_time.check(await self._workspace.body(request))
        is_count = body["aggregationType"] == "countEntities"
        (self._counts if is_count else self._series).check(body)
        query = self._query(body["query"])
        with self._workspace.snapshot() as session:
            blueprint = session.blueprints.get(body["blueprint"])
        names, breakdown = body.get("properties", []), body.get("breakdownProperty")
        for index, name in enumerate(names):
            check_number(blueprint, name, f"body.properties.{index}")
        check_time(blueprint, body["measureTimeBy"], "body.measureTimeBy")
        if breakdown is not None:
            check_property(blueprint, breakdown, "body.breakdownProperty")
        zone = time_zone(body["timeRange"].get("timeZone"))
        first, last = time_range(body["timeRange"]["preset"], self._workspace.moment().astimezone(zone))
        spans = Spans(first, last, body["timeInterval"], zone)
        measure = SeriesMeasure(
            query.matches,
            body["func"],
            {name: reader(name) for name in names},
            reader(body["measureTimeBy"]),
            spans,
            self._breakdown(breakdown),
        )
        await self._measure([blueprint], measure, body["query"], {*names, body["measureTimeBy"], breakdown or ""})
        return answer({"result": self._result(measure, spans, is_plain=is_count and breakdown is None)})

    def _breakdown(self, name: str | None) -> Any:
        if name is None:
            count = self._workspace.guesses.count_over_time_name
            return lambda _: count
        read = reader(name)
        return lambda printed: value_name(read(printed))

    def _result(self, measure: SeriesMeasure, spans: Spans, *, is_plain: bool) -> dict[str, Any]:
        """The dates in milliseconds, and beside each the values that it has; a count has one everywhere."""
        values = measure.values()
        data: list[dict[str, Any]] = []
        for start in starts_between(spans.first, spans.last, spans.interval, spans.zone, _HOURS):
            there = {name: found[start] for name, found in values.items() if found.get(start) is not None}
            empty = {self._workspace.guesses.count_over_time_name: 0} if is_plain else {}
            data.append({"date": _milliseconds(start), **empty, **there})
        return {"minDate": _milliseconds(spans.first), "maxDate": _milliseconds(spans.last), "data": data}

    def _query(self, query: object) -> Query:
        with self._workspace.snapshot() as session:
            return self._workspace.query(session, query, root="query")

    def _blueprints(self, query: Query) -> list[Blueprint]:
        """Those in which anything can match."""
        with self._workspace.snapshot() as session:
            everything = session.blueprints.all()
        return [each for each in everything if query.blueprints is None or each.identifier in query.blueprints]

    async def _measure(
        self, blueprints: Sequence[Blueprint], measure: Measure, query: object, names: Collection[str]
    ) -> None:
        read, queried = {bare_name(name) for name in names}, {bare_name(name) for name in names_in(query)}
        for blueprint in blueprints:
            await run_in_threadpool(measured, self._workspace, blueprint, [measure], read, queried)


def _having(blueprints: Sequence[Blueprint], name: str, place: str) -> list[Blueprint]:
    """Those of the blueprints that have the property; ApiError 422 where none has."""
    found = [each for each in blueprints if has_property(each, bare_name(name))]
    if blueprints and not found:
        check_property(blueprints[0], name, place)
    return found


def time_zone(name: str | None) -> tzinfo:
    """The zone by its IANA name, UTC without one; ApiError 422 for a name that is none."""
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise invalid_request('"body.timeRange.timeZone" must be the name of a time zone') from None


def value_name(value: object) -> str:
    """The name of those that have this value."""
    if value is None:
        return "null"
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
